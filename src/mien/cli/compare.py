"""`mien compare`: Mien beside other programs, on the same photographs with the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import exits
from mien.cli.evaluate.looking import Report
from mien.cli.options import Json, Threads, opened_kit

if TYPE_CHECKING:
    from mien.evaluate.reading.pairs import Pairs

_ALL = "face_recognition,deepface,insightface,uniface,opencv"


def compare(
    images: Annotated[
        Path,
        typer.Option("--images", metavar="DIR", help="Photographs; names in --pairs start from there."),
    ],
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs", metavar="FILE", help="Pairs, as LFW or CSV; without, only speed is compared."
        ),
    ] = None,
    against: Annotated[
        str, typer.Option("--against", metavar="NAMES", help="With whom, separated by commas.")
    ] = _ALL,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", help="Only so many pairs, or photographs if there are no pairs."
        ),
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", help="How often each looks at every photograph.")
    ] = 3,
    python: Annotated[
        list[str] | None,
        typer.Option("--python", metavar="NAME=PATH", help="Interpreter of a peer; can be given again."),
    ] = None,
    report: Report = None,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Compare with other programs: how often they are right, how fast they are. Who cannot run says why."""
    from mien.cli.console import progress_bars
    from mien.cli.evaluate.finish import finish
    from mien.compare.compare import compare as run
    from mien.compare.peers import packs_of
    from mien.media.images import find_images
    from mien.settings import read_pairs as read_words

    names = [name.strip() for name in against.split(",") if name.strip()]
    pythons = {name: Path(path).expanduser() for name, path in read_words(python or ()).items()}
    labelled = _read(pairs, images)
    with opened_kit(threads=threads) as kit, progress_bars() as progress:
        evaluation = run(
            names,
            [] if labelled else list(find_images([images])),
            labelled,
            kit.packs,
            threads=kit.runtime.threads,
            rounds=rounds,
            limit=limit,
            pythons=pythons,
            done=lambda number, of: progress("turns", number, of),
        )
        packs = [kit.packs.manifest(name) for name in packs_of(names)]
    data = {"images": images, "pairs": pairs}
    finish(evaluation, packs, data, report, as_json)
    if not evaluation.charts:  # nobody else came
        raise typer.Exit(exits.PARTIAL)


def _read(pairs: Path | None, images: Path) -> Pairs | None:
    from mien.evaluate.reading.pairs import read_pairs

    return None if pairs is None else read_pairs(pairs, images)
