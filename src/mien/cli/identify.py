"""`mien identify`: who of the known people is in these pictures?"""

from __future__ import annotations

from pathlib import Path
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
    Out,
    Photos,
    Search,
    StoreAddress,
    Tags,
    Threads,
    opened_people,
    remark_on_detector,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mien.answers.pictures import IdentifyRow, MatchRow
    from mien.core.analysis import Failure
    from mien.gallery.rule import DecisionRule
    from mien.kit import Mien


def identify(
    photos: Photos,
    known: Annotated[
        Path | None,
        typer.Option(
            "--known",
            metavar="DIR",
            help="Not those who are enrolled, but these: a folder, or a file, per person.",
        ),
    ] = None,
    tag: Tags = None,
    largest: Annotated[
        bool, typer.Option("--largest", help="In pictures under --known, enrol the largest of several faces.")
    ] = False,
    candidates: Annotated[int, typer.Option("--candidates", "-k", min=1, help="Nearest people to list.")] = 1,
    out: Out = None,
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
    """Say who is in pictures, among those who are enrolled, or among people of whom you have pictures."""
    from mien.answers.pictures import IdentifyReport, encodable, identify_row
    from mien.cli.console import write_json
    from mien.cli.pictures import saving
    from mien.cli.tables import watched, write_error
    from mien.cli.tally import Tally
    from mien.errors import BadRequest
    from mien.media.expanding import expand

    if known and (tag or collection or store):
        raise BadRequest("--known is about other people than --tag, --collection and --store.")
    with opened_people(
        looking=True,
        collection=collection,
        store="memory" if known else store,
        detector=detector,
        embedder=embedder,
        search=search,
        calibration=calibration,
        fmr=fmr,
        device=device,
        threads=threads,
    ) as kit:
        remark_on_detector(kit)
        people, rejected = _enroll(kit, known, largest=largest) if known else ({}, [])
        count = len(kit.gallery())
        paths = list(expand(photos))
        tally = Tally()
        results = tally.counting(watched(kit.identify_all(paths, candidates, tags=tag or ()), len(paths)))
        if out:
            _warn_of_letters(people)
            results = saving(results, out)
        rows = [identify_row(result) for result in results]
        rule = kit.rule()
    if as_json:
        unusable = [identify_row(failure) for failure in rejected]
        write_json(
            IdentifyReport(
                {encodable(person): n for person, n in people.items()},
                count,
                rule.distance,
                rule.fmr,
                rule.metric,
                rule.space,
                rule.source,
                unusable,
                rows,
            )
        )
    else:
        for failure in rejected:
            write_error(failure.error, "not enrolled: ")
        for error in tally.errors:
            write_error(error)
        _write_table(rows)
        _write_rule(rule, count)
    tally.finish()
    if rejected:
        raise typer.Exit(exits.PARTIAL)


def _enroll(kit: Mien, known: Path, *, largest: bool) -> tuple[dict[str, int], list[Failure]]:
    """Enrol everybody of a folder; a person of whom no picture is usable is reported, not fatal."""
    from mien.cli.tables import watched
    from mien.core.analysis import Failure
    from mien.errors import MienError
    from mien.media.albums import pictures_by_person

    groups = pictures_by_person(known)
    people: dict[str, int] = {}
    rejected: list[Failure] = []
    for person, paths in watched(groups.items(), len(groups)):
        try:
            done = kit.enroll(person, paths, face="largest" if largest else "only")
        except MienError as error:
            rejected.append(Failure(str(paths[0]), error))
        else:
            people[person] = done.faces
            rejected.extend(done.failures)
    return people, rejected


def _warn_of_letters(people: Iterable[str]) -> None:
    """Say which names no font here can draw; they would stand as question marks on the pictures."""
    from mien.cli.console import remarks
    from mien.ops.fonts import lettering

    lost = [person for person in people if lettering(person, 16)[0].count("?") > person.count("?")]
    if lost:
        remarks().print(
            f"No font here can draw {', '.join(lost)}. Install one, such as Debian's fonts-noto-cjk.",
            markup=False,
            soft_wrap=True,
        )


def _write_table(rows: Sequence[IdentifyRow]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mien.cli.console import results
    from mien.cli.tables import common_folder, shown_source

    seen = [row for row in rows if row.people is not None]
    if not seen:
        return
    table = Table(box=None)
    table.add_column("picture", overflow="fold")
    table.add_column("face", no_wrap=True)
    table.add_column("who", overflow="fold")
    calibrated = any(
        c.probability is not None for row in seen for who in row.people or () for c in who.candidates
    )
    table.add_column(
        "nearest, distance" + (", probability at even odds" if calibrated else ""), overflow="fold"
    )
    folder = common_folder(row.source for row in seen)
    for row in seen:
        source = shown_source(row.source, folder)
        if not row.people:
            table.add_row(source, "-", "no face", "")
        for who in row.people or ():
            face: Any = who.face  # its fields come from the column table
            box = " ".join(f"{x:.0f}" for x in face.box)
            nearest = "\n".join(_candidate(c) for c in who.candidates)
            table.add_row(
                source, box, escape(who.person) if who.person else f"[dim]{who.decision}[/dim]", nearest
            )
    results().print(table)


def _write_rule(rule: DecisionRule, known: int) -> None:
    """What the names rest on: among many, a stranger has many chances."""
    from mien.cli.console import remarks
    from mien.evaluate.showing import percent

    said = f"{rule.metric} distance up to {rule.distance:.3f}, by {rule.source}"
    if rule.fmr is not None:
        # As if comparisons were independent; they are not, so that it is somewhat less.
        share = 1 - (1 - rule.fmr) ** known
        said += (
            f": false-match rate {percent(rule.fmr)}, so that with {known} known up to {percent(share)} of "
            "strangers are given a name"
        )
    remarks().print(f"{said}.", markup=False, soft_wrap=True)


def _candidate(match: MatchRow) -> str:
    """A name, its distance and, where distances were calibrated, how probable it is."""
    from rich.markup import escape

    from mien.evaluate.showing import percent

    chance = "" if match.probability is None else f", {percent(match.probability)}"
    return f"{escape(match.person)} {match.distance:.3f}{chance}"
