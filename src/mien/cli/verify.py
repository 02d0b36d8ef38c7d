"""`mien verify`: are these two the same person?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import exits
from mien.cli.options import (
    Calibration,
    Collection,
    Detector,
    Device,
    Embedder,
    Fmr,
    Json,
    Largest,
    Search,
    StoreAddress,
    Threads,
    opened_kit,
    opened_people,
    remark_on_detector,
)

if TYPE_CHECKING:
    from mien.answers.people import PersonVerifyRow
    from mien.core.results import Verification
    from mien.pipeline.choosing import Choice

_EVEN = 0.5


def verify(
    a: Annotated[str, typer.Argument(metavar="A", help="A picture of a person.")],
    b: Annotated[str | None, typer.Argument(metavar="B", help="Another picture.")] = None,
    person: Annotated[
        str | None,
        typer.Option("--person", metavar="NAME", help="Somebody who is enrolled."),
    ] = None,
    largest: Largest = False,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    calibration: Calibration = None,
    fmr: Fmr = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Say whether two pictures show the same person. Exit code 0: the same; 1: different people."""
    import msgspec

    from mien.answers.people import person_verify_row
    from mien.answers.pictures import verify_row
    from mien.cli.console import write_json
    from mien.errors import BadRequest

    if (b is None) == (person is None):
        raise BadRequest("Verify two pictures, or a picture and --person.")
    choices: dict[str, Any] = {
        "detector": detector,
        "embedder": embedder,
        "search": search,
        "calibration": calibration,
        "fmr": fmr,
        "device": device,
        "threads": threads,
    }
    which: Choice = "largest" if largest else "only"
    found: Verification | PersonVerifyRow
    if person is not None:
        with opened_people(looking=True, collection=collection, store=store, **choices) as kit:
            found = person_verify_row(kit.verify_person(a, person, face=which), kit.rule())
    else:
        with opened_kit(**choices) as kit:
            found = kit.verify(a, str(b), face=which)
    remark_on_detector(kit)
    if as_json:
        write_json(found if isinstance(found, msgspec.Struct) else verify_row(found))
    else:
        _say(found)
    if not found.verified:
        raise typer.Exit(exits.DIFFERENT)


def _say(found: Verification | PersonVerifyRow) -> None:
    """Tell a person what was decided, and what that rests on."""
    from mien.cli.console import results
    from mien.evaluate.showing import percent

    rate = "not measured" if found.fmr is None else f"{percent(found.fmr)} of pairs of different people pass"
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
        results().print(f"probability of one person, at even odds before: {percent(found.probability)}{why}")
