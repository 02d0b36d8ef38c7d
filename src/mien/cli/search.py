"""`mien search`: which enrolled faces look like this one?"""

from __future__ import annotations

from typing import Annotated

import typer

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
    Tags,
    Threads,
    opened_people,
    remark_on_detector,
)


def search(
    photo: Annotated[str, typer.Argument(metavar="PHOTO", help="A picture of a person.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many faces to list.")] = 10,
    tag: Tags = None,
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
    """List the enrolled faces that look most like the one in a picture, whoever they are."""
    from rich.markup import escape
    from rich.table import Table

    from mien.answers.people import search_report
    from mien.cli.console import results, write_json
    from mien.evaluate.showing import percent

    with opened_people(
        looking=True,
        collection=collection,
        store=store,
        detector=detector,
        embedder=embedder,
        search=search,
        calibration=calibration,
        fmr=fmr,
        device=device,
        threads=threads,
    ) as kit:
        remark_on_detector(kit)
        found = kit.search(photo, k, face="largest" if largest else "only", tags=tag or ())
        rule = kit.rule()
    if as_json:
        write_json(search_report(found, rule.metric))
        return
    table = Table(box=None)
    for title in ("person", "face", f"{rule.metric} distance", "within threshold", "probability"):
        table.add_column(title, overflow="fold")
    for match in found[0]:
        chance = "" if match.probability is None else percent(match.probability)
        within = "yes" if match.accepted else ""
        table.add_row(escape(match.person), match.face_id, f"{match.distance:.3f}", within, chance)
    results().print(table)
