"""Mien against InsightFace and UniFace with the same weights, on photographs of any size, task by task.

    make bench-peers            # installs the peers into .oracles/peers first

The contestants and their turns are those of `mien compare`, which also compares accuracy and more programs;
here they are also asked for less, and for more, than embeddings: SCRFD-500m finds faces, MobileFaceNet embeds
them and, where a program knows that network, MiniFASNet V2 tells live faces.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from mien import load_settings
from mien.compare.comparison import spent
from mien.compare.peers import Setting, entries_for, mien_with
from mien.compare.race import AT_A_TIME, Run, race
from mien.media.images import find_images
from mien.packs.store import PackStore
from mien.runtime.session import available_cores
from sections import pictures_folder, stamp, table, write

ROUNDS = 5
PEERS = Path(__file__).parents[1] / ".oracles" / "peers" / "bin" / "python"
WEIGHTS = ("scrfd-500m", "mobilefacenet")
CONTESTS = {
    "find faces": ("find", ("insightface", "uniface")),
    "find and embed": ("embed", ("insightface", "uniface")),
    "find, embed, live": ("live", ("uniface",)),
    "find, embed, age, gender, expression, live": ("all", ()),
}
HEADER = ("task", "who", "photographs per second", "Mien is faster by", "faces", "memory MB")


def main() -> None:
    found = find_images(pictures_folder())
    photos = [str(path) for path in found if path.suffix.lower() in {".jpg", ".jpeg"}]
    if len(sys.argv) > 1:
        photos = photos[:: max(1, len(photos) // int(sys.argv[1]))]
    rows, versions = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for what, (task, names) in CONTESTS.items():
            runs = contest(task, names, photos, Path(folder))
            rows += rows_of(what, runs)
            for run in runs:
                versions |= run.versions
    text = [
        stamp(),
        "",
        f"{len(photos)} photographs, {AT_A_TIME} at a time, {ROUNDS} rounds, medians; "
        + ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        + ".",
        "",
        table(HEADER, rows),
    ]
    write("peers", "\n".join(text))


def contest(task: str, names: tuple[str, ...], photos: list[str], folder: Path) -> list[Run]:
    store = PackStore(load_settings().packs_dir)
    setting = Setting(sys.executable, dict.fromkeys(names, PEERS), available_cores(), task, folder, store)
    peers, lacking = entries_for(names, setting)
    ours = [mien_with(*WEIGHTS, setting, profile) for profile in ("balanced", "fast")]
    runs, absent = race([*ours, *(entry for entry in peers if entry.rival)], photos, rounds=ROUNDS)
    for one in (*lacking, *absent):
        raise SystemExit(f"{one.name}: {one.reason} {one.hint}")
    return runs


def rows_of(what: str, runs: list[Run]) -> list[tuple]:
    first = spent(runs[0].seconds)
    return [
        (
            what,
            run.entry.title,
            f"{len(run.faces) / spent(run.seconds):.1f}",
            "" if run is runs[0] else f"{spent(run.seconds) / first:.2f}x",
            run.faces.sum(),
            f"{run.memory_mb:.0f}",
        )
        for run in runs
    ]


if __name__ == "__main__":
    main()
