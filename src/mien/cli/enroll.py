"""`mien enroll`: make people known, by photographs, a folder or a table."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import (
    Collection,
    Detector,
    Device,
    Embedder,
    Json,
    Largest,
    Search,
    StoreAddress,
    Threads,
    opened_people,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mien.core.results import Enrolment
    from mien.errors import MienError
    from mien.media.expanding import Source
    from mien.people.enrolling import Told


def enroll(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME PHOTOS...]", help="A person, and pictures or folders of pictures."),
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option("--people", metavar="DIR", help="Many people: a folder, or a file, per person."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Many people: columns name, photo, and tags, metadata, consent_note, consent_until.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="WORD", help="A tag; can be given again.")
    ] = None,
    metadata: Annotated[
        str, typer.Option("--metadata", metavar="JSON", help='Anything else, such as \'{"team": "red"}\'.')
    ] = "",
    consent_until: Annotated[
        str, typer.Option("--consent-until", metavar="DATE", help="Last day of the consent: 2027-12-31.")
    ] = "",
    consent_note: Annotated[
        str, typer.Option("--consent-note", metavar="TEXT", help="On what the consent rests.")
    ] = "",
    gate: Annotated[
        str | None, typer.Option("--gate", help="How good a face has to be: off, standard or strict.")
    ] = None,
    keep_crops: Annotated[
        bool, typer.Option("--keep-crops", help="Keep a small picture of each face, encrypted.")
    ] = False,
    largest: Largest = False,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Make people known. They are kept, encrypted, until you forget them: mien people forget NAME.

    Enrolling somebody again adds faces; the same photograph adds none.
    """
    from mien.cli.tables import watched
    from mien.people.enrolling import Told, enroll_all
    from mien.people.lists import read_date, read_metadata

    told = Told("", tuple(tag or ()), read_metadata(metadata), consent_note, read_date(consent_until))
    wanted = _wanted(words or [], people, table, told)
    with opened_people(
        looking=True,
        gate=gate,
        keep_crops=keep_crops or None,
        collection=collection,
        store=store,
        detector=detector,
        embedder=embedder,
        search=search,
        device=device,
        threads=threads,
    ) as kit:
        keeping = kit.keeping("largest" if largest else "only")
        done = enroll_all(kit.gallery(), wanted, kit.analyze, keeping)
        _report(list(watched(done, len(wanted))), as_json=as_json)


def _wanted(
    words: Sequence[str], people: Path | None, table: Path | None, told: Told
) -> list[tuple[Told, Sequence[Source]]]:
    """Who is to be enrolled, by whichever of the three ways.

    Raises:
        BadRequest: None of them, or several.
    """
    from dataclasses import replace

    from mien.errors import BadRequest
    from mien.gallery.store.records import about
    from mien.people.lists import people_of_folder, people_of_table

    if (bool(words), people is not None, table is not None).count(True) != 1:
        raise BadRequest(
            "Say who is to be enrolled, in one way.",
            hint="mien enroll NAME PHOTOS..., or mien enroll --people DIR, or mien enroll --csv FILE",
        )
    about(None, told.tags, told.metadata, told.consent_note)
    if words:
        name, *photographs = words
        if not photographs:
            raise BadRequest(f"No picture of {name!r} was given.", hint="mien enroll NAME PHOTOS...")
        about(name)
        return [(replace(told, name=name), photographs)]
    listed = people_of_folder(people) if people else people_of_table(table) if table else ()
    return [(_with(one.told, told), one.photographs) for one in listed]


def _with(one: Told, given: Told) -> Told:
    """What a list says about somebody, and what is said about all where it is silent."""
    from dataclasses import replace

    return replace(
        one,
        tags=tuple(sorted({*one.tags, *given.tags})),
        metadata={**given.metadata, **one.metadata},
        consent_note=one.consent_note or given.consent_note,
        consent_until=one.consent_until or given.consent_until,
    )


def _report(done: Sequence[tuple[str, Enrolment | MienError]], *, as_json: bool) -> None:
    """Say what came of it, and end as it went."""
    from mien.answers.people import enrol_row
    from mien.cli import exits
    from mien.cli.console import write_json
    from mien.errors import MienError

    if as_json:
        write_json([enrol_row(name, one) for name, one in done])
    else:
        for name, one in done:
            _say(name, one)
    refused = [one for _, one in done if isinstance(one, MienError)]
    if refused and len(refused) == len(done):
        raise typer.Exit(exits.exit_code(refused[0]))
    if refused or any(one.failures for _, one in done if not isinstance(one, MienError)):
        raise typer.Exit(exits.PARTIAL)


def _say(name: str, done: Enrolment | MienError) -> None:
    from mien.cli.console import remarks, results
    from mien.cli.tables import write_error
    from mien.errors import MienError

    if isinstance(done, MienError):
        write_error(done, f"{name} was not enrolled: ")
        return
    many = "1 face" if done.faces == 1 else f"{done.faces} faces"
    again = f", {done.repeated} enrolled before" if done.repeated else ""
    results().print(f"{name}: {many} added{again}", markup=False, soft_wrap=True)
    for failure in done.failures:
        write_error(failure.error, f"{name}, one picture: ")
    for other in done.resembles:
        remarks().print(
            f"{name} may be the same person as {other.person}: distance {other.distance:.3f}. If so: "
            f"mien people merge {shlex.quote(other.person)} {shlex.quote(name)}",
            markup=False,
            soft_wrap=True,
        )
