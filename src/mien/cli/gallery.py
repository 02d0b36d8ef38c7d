"""`mien gallery`: look after the store in which people are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import exits
from mien.cli.options import (
    Collection,
    Device,
    Embedder,
    Json,
    StoreAddress,
    Threads,
    Yes,
    confirm,
    opened_kit,
    opened_known,
    opened_people,
    opened_store,
)

if TYPE_CHECKING:
    from mien.gallery.backups import Restored

app = typer.Typer(
    name="gallery",
    no_args_is_help=True,
    help="Look after the store in which people are kept: check, back up, restore, move, exchange keys.",
)

File = Annotated[Path, typer.Argument(metavar="FILE")]


@app.command()
def info(as_json: Json = False, store: StoreAddress = None) -> None:
    """Show where people are kept, by which key, and how many."""
    from rich.table import Table

    from mien.cli.console import results, write_json
    from mien.gallery.overview import overview

    with opened_store(store=store) as opened:
        found = overview(opened)
    if as_json:
        write_json(found)
        return
    results().print(f"store {found.store}, key {found.key}", markup=False, soft_wrap=True)
    table = Table(box=None)
    for title in ("collection", "people", "faces", "not searchable", "embedder", "upgrading to"):
        table.add_column(title, overflow="fold")
    for row in found.collections:
        left = str(row.unsearchable or "")
        table.add_row(row.name, str(row.people), str(row.faces), left, row.embedder, row.next_space or "")
    results().print(table)
    for path in found.backups:
        results().print(f"backup {path}", markup=False, soft_wrap=True)


@app.command()
def verify(as_json: Json = False, store: StoreAddress = None) -> None:
    """Open every value of the store and recompute the audit log; exit code 5 if something is wrong."""
    from mien.cli.console import remarks, results, write_json
    from mien.gallery.checking import check

    with opened_store(store=store) as opened:
        found = check(opened)
    if as_json:
        write_json(found)
    else:
        results().print(
            f"{found.people} people, {found.faces} faces, {found.templates} templates, "
            f"{found.documents} documents, {found.audit_entries} audit entries: "
            f"{'damaged' if found.problems else 'whole'}"
        )
    for problem in found.problems:
        remarks().print(problem, markup=False, soft_wrap=True)
    if found.problems:
        raise typer.Exit(exits.GALLERY)


@app.command("index")
def show_index(as_json: Json = False, collection: Collection = None, store: StoreAddress = None) -> None:
    """Open the search index, or build it, and say how it searches and what share of the nearest it finds."""
    from mien.cli.console import results, write_json
    from mien.evaluate.showing import percent

    with opened_people(collection=collection, store=store) as kit:
        found = kit.gallery().nearby.described()
    if as_json:
        write_json(found)
        return
    how = "compares every row" if found.kind == "exact" else f"searches by {found.kind}"
    recall = "" if found.recall is None else f"; finds {percent(found.recall)} of the ten nearest"
    results().print(f"{found.rows:,} rows; {how}{recall}")


@app.command()
def backup(file: File, as_json: Json = False, store: StoreAddress = None) -> None:
    """Copy the store into a file, while it is in use. The copy is encrypted; keep the key elsewhere.

    Who is forgotten later is forgotten in the copy too, as long as it stays where it is.
    """
    from mien.cli.console import results, write_json
    from mien.gallery.backups import back_up
    from mien.gallery.checking import check
    from mien.gallery.store.store import Store

    with opened_store(store=store) as opened:
        back_up(opened, file)
        with Store(str(file), opened.master, read_only=True) as copy:
            found = check(copy)
    if as_json:
        write_json(found)
    else:
        results().print(f"backed up {found.people} people to {file}", markup=False, soft_wrap=True)


@app.command()
def disown(file: File, store: StoreAddress = None) -> None:
    """Take a backup that you deleted off the list of those in which people have to be forgotten too."""
    from mien.gallery.forgetting import disown as take_off

    with opened_store(store=store) as opened:
        take_off(opened, str(file.absolute()))


@app.command()
def restore(file: File, yes: Yes = False, as_json: Json = False, store: StoreAddress = None) -> None:
    """Put a backup in the place of the store; the store that is there is moved aside.

    Who was forgotten since the backup was made is forgotten again.
    """
    from mien.cli.console import results, write_json

    _confirm_restoring(file, store, yes=yes)
    done, aside = _restored(file, store)
    if as_json:
        write_json(done)
        return
    again = f", {done.forgotten} of them forgotten since" if done.forgotten else ""
    results().print(f"restored {done.people} people{again}")
    if aside is not None:
        results().print(f"the store that was there is {aside}", markup=False, soft_wrap=True)


@app.command("export")
def export_people(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    yes: Yes = False,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Write everybody into JSON lines and an array, not encrypted, for other programs or another store."""
    from mien.cli.console import results, write_json
    from mien.gallery.portable import export

    with opened_known(collection=collection, store=store) as known:
        confirm(f"Write names, photographs' paths and templates into {folder}, not encrypted?", yes=yes)
        done = export(known, folder)
    if as_json:
        write_json(done)
        return
    results().print(f"exported {done.people} people with {done.faces} faces")


@app.command("import")
def import_people(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What mien gallery export wrote.")],
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
) -> None:
    """Enrol everybody of an exported folder; importing again adds nothing."""
    from mien.cli.console import results, write_json
    from mien.gallery.portable import import_into

    with opened_people(collection=collection, store=store) as kit:
        done = import_into(kit.gallery(), folder)
    if as_json:
        write_json(done)
        return
    left = f", {done.forgotten} people were forgotten here and stay so" if done.forgotten else ""
    results().print(f"imported {done.people} people with {done.faces} faces, {done.repeated} were here{left}")


@app.command()
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; only its owner may read it.")],
) -> None:
    """Make a new key. Keep a copy where the store is not: without its key nobody can read a store."""
    from mien.cli.console import results
    from mien.gallery.vault.master import write_new_key

    made = write_new_key(file)
    results().print(f"key {made.id} is in {file}", markup=False, soft_wrap=True)


@app.command()
def rotate(
    new: Annotated[
        str, typer.Option("--to", metavar="KEY", help="The new key: a file, env:NAME or kms:NAME.")
    ],
    yes: Yes = False,
    as_json: Json = False,
    store: StoreAddress = None,
) -> None:
    """Exchange the key of the store and of its backups; nobody is enrolled again."""
    import os

    from mien.cli.console import remarks, results, write_json
    from mien.gallery.opening import find_key
    from mien.gallery.rotating import rotate as exchange

    with opened_store(store=store) as opened:
        master = find_key(new, os.environ)
        confirm(f"Exchange the key {opened.master.id} for {master.id}?", yes=yes)
        done = exchange(opened, master)
    if as_json:
        write_json(done)
    else:
        results().print(f"{done.people} people have the key {master.id}, {len(done.backups)} backups too")
    for path in done.unreached:
        remarks().print(f"the backup {path} still needs the old key", markup=False, soft_wrap=True)
    if not done.wiped:
        remarks().print("Another process was reading: traces of the old wrapping are wiped next time.")
    remarks().print(f"Say so from now on: MIEN_GALLERY_KEY={new}", markup=False, soft_wrap=True)


@app.command()
def sweep(as_json: Json = False, collection: Collection = None, store: StoreAddress = None) -> None:
    """Forget everybody whose consent has run out; without --collection, in all collections."""
    from mien.cli.console import write_json
    from mien.cli.forgotten import say_forgotten
    from mien.gallery.forgetting import sweep as sweep_store

    with opened_store(store=store) as opened:
        done = sweep_store(opened, collection)
    if as_json:
        write_json(done)
    else:
        say_forgotten(done)


@app.command()
def drop(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A collection: mien gallery info")],
    yes: Yes = False,
    as_json: Json = False,
    store: StoreAddress = None,
) -> None:
    """Forget everybody in a collection for good, and delete it with its cases and jobs."""
    from mien.cli.console import write_json
    from mien.cli.forgotten import say_forgotten

    with opened_known(collection=name, store=store) as known:
        confirm(f"Forget all {len(known)} people of {name} for good?", yes=yes)
        done = known.forget_collection()
    if as_json:
        write_json(done)
    else:
        say_forgotten(done)


@app.command()
def upgrade(
    embedder: Embedder = None,
    leave_behind: Annotated[
        bool,
        typer.Option("--leave-behind", help="Change over even if some faces cannot be embedded again."),
    ] = False,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Bring people over to another embedder, from kept pictures or their photographs.

    It goes on where it was stopped. The old templates stay in use until all faces have new ones.
    """
    from mien.answers.people import upgrade_row
    from mien.cli.console import progress_bars, results, write_json
    from mien.cli.tables import write_error

    with opened_kit(embedder=embedder, store=store, device=device, threads=threads) as kit:
        kit.stages_for(("embedding",))
    with progress_bars() as progress:
        done = kit.upgrade(
            collection, leave_behind=leave_behind, tell=lambda count, of: progress("faces", count, of)
        )
    kit.close()
    if as_json:
        write_json(upgrade_row(done))
    else:
        for failure in done.lost:
            write_error(failure.error, "one face: ")
        results().print(
            f"{done.faces} faces have new templates, {len(done.lost)} could not be embedded again; "
            + ("changed over" if done.done else "not changed over: everything is as it was")
        )
    if not done.done:
        raise typer.Exit(exits.PARTIAL)


def _confirm_restoring(file: Path, store: str | None, *, yes: bool) -> None:
    from mien.settings import load_settings

    address = load_settings(store=store).store_address
    if "://" not in address and Path(address).exists():
        confirm(f"Put {file} in the place of {address}?", yes=yes)


def _restored(file: Path, store: str | None) -> tuple[Restored, Path | None]:
    """Restore, with the present store moved aside and asked for whom it has forgotten."""
    import os

    from mien.gallery.backups import put_back
    from mien.gallery.opening import find_key
    from mien.settings import load_settings

    settings = load_settings(store=store)
    return put_back(file, settings.store_address, find_key(settings.key_name, os.environ))
