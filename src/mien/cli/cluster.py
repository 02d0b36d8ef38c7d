"""`mien cluster`: photographs that nobody labelled, grouped into people, reviewed and named."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.options import (
    Detector,
    Device,
    Embedder,
    Json,
    Photos,
    Search,
    StoreAddress,
    Threads,
    opened_kit,
)

if TYPE_CHECKING:
    from mien.gallery.store.records import Person
    from mien.kit import Mien
    from mien.people.album_groups import Group
    from mien.people.albums import Added

app = typer.Typer(no_args_is_help=True, help="Group photographs that nobody labelled into people.")

Album = Annotated[
    str, typer.Option("--album", metavar="NAME", help="The album: a collection of unnamed people.")
]
Who = Annotated[str, typer.Argument(metavar="ID", help="A group, as mien cluster list shows it.")]


@app.command()
def add(
    photos: Photos,
    album: Album,
    no_crops: Annotated[
        bool,
        typer.Option("--no-crops", help="Keep no pictures of faces; then there is nothing to look at."),
    ] = False,
    gate: Annotated[
        str | None, typer.Option("--gate", help="How good a face has to be: off, standard or strict.")
    ] = None,
    as_json: Json = False,
    store: StoreAddress = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Add photographs to an album, and group all faces of it.

    Photographs that are in the album are passed over; a run that was stopped goes on when it is repeated.
    """
    from dataclasses import replace

    from mien.cli import exits
    from mien.cli.console import progress_bars, remarks, write_json
    from mien.cli.tally import Tally
    from mien.people.albums import add as add_photographs

    choices = {"gate": gate, "store": store, "detector": detector, "embedder": embedder, "search": search}
    with _opened(album, looking=True, device=device, threads=threads, **choices) as (kit, people):
        keeping = replace(kit.keeping(), crops=not no_crops)
        try:
            with progress_bars() as report:
                done = add_photographs(
                    kit.gallery(),
                    photos,
                    kit.analyze,
                    keeping,
                    besides=(people,),
                    tell=lambda so_far, total: report("photographs", so_far, total),
                )
        except KeyboardInterrupt:
            remarks().print("Stopped. What was looked at is kept; repeat the command to go on.")
            raise typer.Exit(exits.INTERRUPTED) from None
    if as_json:
        from mien.answers.clusters import added_row

        write_json(added_row(album, done))
    else:
        _say(album, done)
    tally = Tally()
    tally.done, tally.errors = done.photographs + done.repeated, [one.error for one in done.failures]
    tally.finish()


@app.command("list")
def list_(album: Album, as_json: Json = False, store: StoreAddress = None, embedder: Embedder = None) -> None:
    """List the groups of an album, those with most faces first."""
    from mien.people.album_groups import groups

    with _opened(album, store=store, embedder=embedder) as (kit, _):
        found = groups(kit.gallery())
    if as_json:
        from mien.answers.clusters import GroupsReport, group_row
        from mien.cli.console import write_json

        write_json(GroupsReport(album, [group_row(one) for one in found]))
        return
    _table(found)


@app.command()
def sheet(
    album: Album,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The HTML page to write.")],
    least: Annotated[
        int, typer.Option("--least", min=1, help="Fold groups with fewer faces than this together.")
    ] = 2,
    store: StoreAddress = None,
    embedder: Embedder = None,
) -> None:
    """Write the groups of an album as a page to look at."""
    from mien.cli.console import remarks, results, write_private
    from mien.people.album_page import album_page

    with _opened(album, store=store, embedder=embedder) as (kit, _):
        page = album_page(kit.gallery(), least=least)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_private(out, page.encode())
    results().print(f"{out} is written", markup=False, soft_wrap=True)
    remarks().print(
        f"Pictures of people lie in {out} as they are, not encrypted. Delete it when you have seen it.",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def name(
    who: Who,
    called: Annotated[str, typer.Argument(metavar="NAME", help="Who it is.")],
    album: Album,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="COLLECTION",
            help="Where its faces go, to be recognised there; else default. The album's own name: they stay.",
        ),
    ] = None,
    as_json: Json = False,
    store: StoreAddress = None,
    embedder: Embedder = None,
) -> None:
    """Say who a group is, and make that person known: the faces move from the album to the gallery."""
    from mien.people.album_groups import name as name_group

    with _opened(album, store=store, embedder=embedder) as (kit, people):
        target = into or people
        person = name_group(kit.gallery(), who, called, kit.gallery(target))
    _say_whose(person, target, as_json=as_json)


@app.command()
def move(
    faces: Annotated[list[str], typer.Argument(metavar="FACE...", help="Faces, as the sheet shows them.")],
    album: Album,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ID", help="The group they are of; else a new one.")
    ] = None,
    as_json: Json = False,
    store: StoreAddress = None,
    embedder: Embedder = None,
) -> None:
    """Say that faces are of somebody else. They stay where you put them when photographs are added."""
    from mien.people.album_groups import move as move_faces

    with _opened(album, store=store, embedder=embedder) as (kit, _):
        person = move_faces(kit.gallery(), faces, to)
    _say_whose(person, album, as_json=as_json)


@app.command()
def merge(
    groups: Annotated[
        list[str], typer.Argument(metavar="ID ID...", help="Groups; the first keeps its identifier and name.")
    ],
    album: Album,
    as_json: Json = False,
    store: StoreAddress = None,
    embedder: Embedder = None,
) -> None:
    """Say that groups are one person."""
    with _opened(album, store=store, embedder=embedder) as (kit, _):
        person = kit.gallery().merge(groups[0], groups[1:])
    _say_whose(person, album, as_json=as_json)


@contextmanager
def _opened(album: str, *, looking: bool = False, **choices: Any) -> Iterator[tuple[Mien, str]]:  # noqa: ANN401 - fields of Settings
    """A `Mien` whose collection is the album, and the name of the collection of people who are known.

    Args:
        album: Its name.
        looking: Photographs are to be analysed; then the album is made if it is missing.
        **choices: As in `opened_kit`.

    Raises:
        CollectionUnknown: There is no such album.
        BadRequest: The people who are known are no album.
    """
    from mien.errors import BadRequest
    from mien.gallery.store import reading
    from mien.settings import load_settings

    people = load_settings().collection
    if album == people:
        raise BadRequest(
            f"{album!r} is the collection of people who are known.", hint="Give the album another name."
        )
    with opened_kit(collection=album, **choices) as kit:
        if looking:
            kit.gallery()
            kit.stages_for(kit.keeping().columns)
        else:
            with kit.store().reading() as snapshot:
                reading.collection_named(snapshot, album)
    try:
        yield kit, people
    finally:
        kit.close()


def _say(album: str, done: Added) -> None:
    from mien.cli.console import remarks, results
    from mien.cli.tables import write_error

    for failure in done.failures:
        write_error(failure.error)
    merged = f", {done.merged_groups} merged" if done.merged_groups else ""
    refused = f", {done.refused} not good enough" if done.refused else ""
    again = f"; {done.repeated} were in the album before" if done.repeated else ""
    lines = [
        f"{_many(done.photographs, 'picture')} looked at{again}",
        f"{_many(done.faces, 'face')} added{refused}",
        f"{_many(done.groups, 'group')} in {album}: {done.new_groups} new{merged}",
    ]
    results().print("\n".join(lines), markup=False, soft_wrap=True)
    if done.faces:
        quoted = shlex.quote(album)
        remarks().print(
            f"Look at them: mien cluster sheet --album {quoted} --out sheet.html",
            markup=False,
            soft_wrap=True,
        )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _table(found: Sequence[Group]) -> None:
    from rich.table import Table

    from mien.cli.console import results
    from mien.cli.tables import shown_source

    table = Table(box=None)
    for title in ("group", "name"):
        table.add_column(title, overflow="fold")
    for title in ("faces", "not sure"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("most typical face", overflow="fold")
    for one in found:
        unsure = sum(not member.sure for member in one.members)
        source = shown_source(one.members[0].face.provenance.source, "") if one.members else ""
        named = shown_source(one.person.about.name or "", "")
        table.add_row(one.person.id, named, str(len(one.members)), str(unsure) if unsure else "", source)
    results().print(table)


def _say_whose(person: Person, collection: str, *, as_json: bool) -> None:
    from mien.answers.clusters import whose_row
    from mien.cli.console import results, write_json

    if as_json:
        write_json(whose_row(person, collection))
        return
    who = f"{person.id} ({person.about.name})" if person.about.name else person.id
    results().print(f"{who} has {_many(person.faces, 'face')} in {collection}", markup=False, soft_wrap=True)
