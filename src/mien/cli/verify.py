"""`mien verify`: are these two the same person?"""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli import exits
from mien.cli.options import (
    Calibration,
    Detector,
    Device,
    Embedder,
    Fmr,
    Json,
    Largest,
    Search,
    Threads,
    opened_kit,
    remark_on_detector,
)

_EVEN = 0.5


def verify(
    a: Annotated[str, typer.Argument(metavar="A", help="A picture of a person.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another picture.")],
    largest: Largest = False,
    as_json: Json = False,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    calibration: Calibration = None,
    fmr: Fmr = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Say whether two pictures show the same person. Exit code 0: the same; 1: different people."""
    from mien.cli.console import results, write_json
    from mien.cli.rows import verify_row
    from mien.evaluate.showing import percent

    with opened_kit(
        detector=detector,
        embedder=embedder,
        search=search,
        calibration=calibration,
        fmr=fmr,
        device=device,
        threads=threads,
    ) as kit:
        found = kit.verify(a, b, face="largest" if largest else "only")
    remark_on_detector(kit)
    if as_json:
        write_json(verify_row(found))
    else:
        rate = (
            "not measured" if found.fmr is None else f"{percent(found.fmr)} of pairs of different people pass"
        )
        answer = "[bold green]same person[/]" if found.verified else "[bold yellow]different people[/]"
        sign = "<=" if found.verified else ">"
        results().print(
            f"{answer}  {found.metric} distance {found.distance:.3f} {sign} threshold {found.threshold:.3f}"
            f", similarity {found.similarity:.3f}\n"
            f"false-match rate at this threshold, by {found.source}: {rate}"
        )
        if found.probability is not None:
            odd = found.verified != (found.probability >= _EVEN)
            why = "; the threshold is where the false-match rate is, not where odds are even" if odd else ""
            results().print(
                f"probability of one person, at even odds before: {percent(found.probability)}{why}"
            )
    if not found.verified:
        raise typer.Exit(exits.DIFFERENT)
