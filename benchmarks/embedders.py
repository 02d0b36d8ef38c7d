"""How long embedders take, one face and sixteen at a time, and what eight bits gain.

    make bench-embedders

From boxes and points to vectors, on faces of the demo photographs and of ../shared/data/faces_wild where it
is. Copies in eight bits take their ranges from half of the photographs and are judged on the other half;
what they cost in accuracy is in the section on LFW.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from mien import Mien
from mien.core.faces import Faces
from mien.core.image import Image
from mien.media.images import find_images
from mien.models.stage import Stage
from sections import interleaved, pictures_folder, stamp, table, write

ROUNDS = 7
BATCHES = (1, 16)


def main() -> None:
    photos = list(find_images(pictures_folder()))
    with tempfile.TemporaryDirectory() as folder:
        kit = borrowed(Path(folder))
        names = [pack.name for pack in kit.packs.installed() if "embedding" in pack.manifest.gives]
        agreement = {f"{name}-int8": made_small(kit, name, photos[::2]) for name in names}
        stages = {name: kit.stage(name) for name in (*names, *agreement)}
        faces = faces_of(kit, [kit.stage(name) for name in names], photos[1::2])
        rows = [row for batch in BATCHES for row in timed(stages, faces, batch, agreement, kit)]
    text = [
        stamp(),
        "",
        f"Crop and network, {kit.runtime.threads} threads, {len(faces)} faces. Agreement is the mean cosine "
        "similarity of a copy's embeddings to those of the original, on photographs that set no range.",
        "",
        table(
            ("embedder", "faces at a time", "ms a face", "faster than the original", "MB", "agreement"), rows
        ),
    ]
    write("embedders", "\n".join(text))


def borrowed(home: Path) -> Mien:
    """A `Mien` with the packs that are installed, in a home that may be written to."""
    mine = Mien()
    (home / "packs").mkdir()
    for pack in mine.packs.installed():
        if not pack.name.endswith("-int8"):
            (home / "packs" / pack.name).symlink_to(pack.folder)
    return Mien(msgspec.structs.replace(mine.settings, home=home))


def made_small(kit: Mien, name: str, photos: list[Path]) -> float:
    (agreed,) = kit.quantise(name, photos).manifest.figures
    return agreed.value


def faces_of(kit: Mien, stages: list[Stage], photos: list[Path]) -> list[tuple[Image, Faces]]:
    """Single faces with every column that a stage needs."""
    needed = {column for stage in stages for column in stage.needs}
    found = []
    for result in kit.analyze(photos, sorted(needed)):
        faces = getattr(result, "faces", ())
        found += [(result.image, faces[[i]]) for i in range(len(faces))]
    return found[: 16 * (len(found) // 16)][:96]


def timed(
    stages: dict[str, Stage],
    faces: list[tuple[Image, Faces]],
    batch: int,
    agreement: dict[str, float],
    kit: Mien,
) -> list[tuple]:
    def run(stage: Stage) -> None:
        for start in range(0, len(faces), batch):
            images, several = zip(*faces[start : start + batch], strict=True)
            stage(images, several)

    seconds = interleaved({name: lambda one=one: run(one) for name, one in stages.items()}, ROUNDS)
    return [
        (
            name,
            batch,
            f"{spent / len(faces) * 1000:.2f}",
            f"{seconds[name.removesuffix('-int8')] / spent:.2f}x" if name in agreement else "",
            f"{megabytes(kit.packs.get(name).folder):.1f}",
            f"{agreement[name]:.4f}" if name in agreement else "",
        )
        for name, spent in sorted(seconds.items())
    ]


def megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.glob("*.onnx")) / 1e6


if __name__ == "__main__":
    main()
