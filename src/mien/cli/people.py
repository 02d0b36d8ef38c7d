"""`mien people`: look after those who are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.options import Collection, Json, StoreAddress, Tags, Yes, confirm, opened_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mien.gallery.store.records import Person

app = typer.Typer(
    name="people", no_args_is_help=True, help="Look after those who are known: list, rename, merge, forget."
)

Who = Annotated[str, typer.Argument(metavar="NAME", help="A person's name or identifier.")]


@app.command("list")
def list_people(
    tag: Tags = None, as_json: Json = False, collection: Collection = None, store: StoreAddress = None
) -> None:
    """List those who are known."""
    from mien.answers.people import person_row
    from mien.cli.console import write_json

    with opened_known(collection=collection, store=store) as known:
        found = known.people(tag or ())
    if as_json:
        write_json([person_row(person) for person in found])
    else:
        _write_table(found)


@app.command()
def show(who: Who, as_json: Json = False, collection: Collection = None, store: StoreAddress = None) -> None:
    """Show what is known about somebody, and where the faces came from."""
    from rich.markup import escape
    from rich.table import Table

    from mien.answers.people import person_report
    from mien.cli.console import results, write_json
    from mien.cli.tables import common_folder, shown_source

    with opened_known(collection=collection, store=store) as known:
        person, faces = known.person(who), known.faces(who)
    if as_json:
        write_json(person_report(person, faces))
        return
    _write_table([person])
    for name, value in person.about.metadata.items():
        results().print(f"{name}: {value}", markup=False)
    if person.about.consent_note:
        results().print(f"consent: {person.about.consent_note}", markup=False)
    table = Table(box=None)
    for title in ("face", "photograph", "box", "quality", "picture kept", "enrolled"):
        table.add_column(title, overflow="fold")
    folder = common_folder(face.provenance.source for face in faces)
    for face in faces:
        told = face.provenance
        quality = "" if told.quality is None else f"{told.quality:.2f}"
        box = " ".join(f"{edge:.0f}" for edge in told.box)
        source = shown_source(told.source, folder)
        table.add_row(
            escape(face.id), source, box, quality, "yes" if face.has_crop else "", face.created[:10]
        )
    results().print(table)


@app.command()
def rename(
    who: Who,
    name: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")],
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Give somebody another name; the identifier stays."""
    with opened_known(collection=collection, store=store) as known:
        _say(known.edit(who, name=name), as_json=as_json)


@app.command()
def tag(
    who: Who,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Tags to add, or to remove.")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove these tags.")] = False,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Add tags to somebody, or remove some."""
    with opened_known(collection=collection, store=store) as known:
        tags = set(known.person(who).tags)
        changed = tags - set(words) if remove else tags | set(words)
        _say(known.edit(who, tags=sorted(changed)), as_json=as_json)


@app.command()
def describe(
    who: Who,
    metadata: Annotated[str, typer.Argument(metavar="JSON", help="Replaces what was there.")],
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Keep anything else about somebody, as a JSON object."""
    from mien.people.lists import read_metadata

    with opened_known(collection=collection, store=store) as known:
        _say(known.edit(who, metadata=read_metadata(metadata)), as_json=as_json)


@app.command()
def consent(
    who: Who,
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="Last day of the consent, or never.")
    ] = "",
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="On what it rests.")] = None,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Renew the consent of somebody, or note on what it rests."""
    from mien.errors import BadRequest
    from mien.people.lists import read_date

    changes: dict[str, Any] = {} if note is None else {"consent_note": note}
    if until:
        changes["consent_until"] = None if until == "never" else read_date(until)
    if not changes:
        raise BadRequest("Nothing is to be changed.", hint="Give --until or --note.")
    with opened_known(collection=collection, store=store) as known:
        _say(known.edit(who, **changes), as_json=as_json)


@app.command()
def merge(
    into: Annotated[str, typer.Argument(metavar="NAME", help="Who stays.")],
    others: Annotated[list[str], typer.Argument(metavar="OTHER...", help="Who is the same person.")],
    yes: Yes = False,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Make several people one: their faces and tags go over to the first."""
    with opened_known(collection=collection, store=store) as known:
        confirm(f"Make {', '.join(others)} and {into} one person, {into}?", yes=yes)
        _say(known.merge(into, others), as_json=as_json)


@app.command()
def move(
    faces: Annotated[
        list[str], typer.Argument(metavar="FACE...", help="Identifiers of faces: mien people show NAME")
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="NAME", help="Whose they are; else somebody unnamed."),
    ] = None,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Not this person: give faces to somebody else."""
    with opened_known(collection=collection, store=store) as known:
        _say(known.move(faces, to), as_json=as_json)


@app.command()
def split(
    who: Who,
    faces: Annotated[list[str], typer.Argument(metavar="FACE...", help="Faces that are not of this person.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="NAME", help="Whose they are; else somebody unnamed.")
    ] = None,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Make two people of one: some of the faces go to somebody else."""
    with opened_known(collection=collection, store=store) as known:
        _say(known.split(who, faces, to), as_json=as_json)


@app.command("drop-face")
def drop_face(
    faces: Annotated[list[str], typer.Argument(metavar="FACE...", help="Identifiers of faces.")],
    yes: Yes = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Delete faces; the person stays."""
    with opened_known(collection=collection, store=store) as known:
        confirm(f"Delete {len(faces)} faces?", yes=yes)
        known.drop_faces(faces)


@app.command()
def crop(
    face: Annotated[str, typer.Argument(metavar="FACE", help="Identifier of a face.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the picture is written (JPEG).")],
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Write the kept picture of a face into a file, where it lies unencrypted."""
    from mien.cli.console import write_private
    from mien.errors import FaceUnknown

    with opened_known(collection=collection, store=store) as known:
        found = known.crop(face)
    if found is None:
        raise FaceUnknown(f"No picture of face {face} is kept.", hint="Enrol with --keep-crops.")
    write_private(out, found)


@app.command()
def forget(
    who: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names or identifiers.")],
    yes: Yes = False,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Forget people for good: their keys are destroyed, here and in the backups that can be reached."""
    from mien.cli.console import write_json
    from mien.cli.forgotten import say_forgotten

    with opened_known(collection=collection, store=store) as known:
        confirm(f"Forget {', '.join(who)} for good?", yes=yes)
        done = known.forget(who)
    if as_json:
        write_json(done)
    else:
        say_forgotten(done)


def _say(person: Person, *, as_json: bool) -> None:
    """Somebody as known now."""
    from mien.answers.people import person_row
    from mien.cli.console import write_json

    if as_json:
        write_json(person_row(person))
    else:
        _write_table([person])


def _write_table(people: Sequence[Person]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mien.cli.console import remarks, results

    if not people:
        remarks().print("Nobody is known yet. Enrol somebody: mien enroll NAME PHOTOS...")
        return
    table = Table(box=None)
    for title in ("name", "id", "faces", "tags", "consent until", "enrolled"):
        table.add_column(title, overflow="fold", justify="right" if title == "faces" else "left")
    for person in people:
        name = escape(person.about.name) if person.about.name else "[dim]unnamed[/dim]"
        until = person.consent_until.isoformat() if person.consent_until else ""
        tags = escape(", ".join(person.tags))
        table.add_row(name, person.id, str(person.faces), tags, until, person.created[:10])
    results().print(table)
