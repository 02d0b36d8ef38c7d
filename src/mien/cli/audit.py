"""`mien audit`: who did what with people's faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import Json, StoreAddress, opened_store

if TYPE_CHECKING:
    from mien.gallery.store.audit import Entry

app = typer.Typer(
    name="audit", no_args_is_help=True, help="Who enrolled, searched, saw, exported, forgot whom, and when."
)


@app.command("list")
def list_entries(
    last: Annotated[int, typer.Option("--last", min=1, help="How many, the newest.")] = 50,
    as_json: Json = False,
    store: StoreAddress = None,
) -> None:
    """List what was done lately. Entries hold identifiers, no names."""
    from rich.markup import escape
    from rich.table import Table

    from mien.cli.console import results, write_json

    with opened_store(store=store) as opened, opened.reading() as snapshot:
        from mien.gallery.store import audit

        end = audit.end(snapshot.connection)
        found = list(audit.entries(snapshot.connection, max(end.seq - last, 0)))
    if as_json:
        write_json(found)
        return
    table = Table(box=None)
    for title in ("entry", "time", "who", "did", "detail"):
        table.add_column(title, overflow="fold")
    for entry in found:
        table.add_row(str(entry.seq), entry.time, escape(entry.actor), entry.action, escape(_detail(entry)))
    results().print(table)


@app.command()
def verify(
    end: Annotated[
        str | None,
        typer.Option("--end", metavar="SEQ:CODE", help="An end that was noted before."),
    ] = None,
    store: StoreAddress = None,
) -> None:
    """Recompute the chain of the log from its first entry; exit code 5 if it is broken."""
    from mien.cli.console import results
    from mien.gallery.store import audit

    with opened_store(store=store) as opened, opened.reading() as snapshot:
        found = audit.verify(snapshot.connection, snapshot.ring.audit_key)
        if end is not None:
            audit.verify_end(snapshot.connection, end)
    results().print(
        f"{found.seq} entries, unbroken; the end is {found.seq}:{found.mac.hex()}", soft_wrap=True
    )


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON lines; must not be there yet.")],
    store: StoreAddress = None,
) -> None:
    """Write the whole log into a file, and print its end: note it where nobody can change it."""
    import msgspec

    from mien.cli.console import results
    from mien.gallery.store import audit

    with opened_store(store=store) as opened, opened.reading() as snapshot, out.open("xb") as file:
        found = audit.verify(snapshot.connection, snapshot.ring.audit_key)
        for entry in audit.entries(snapshot.connection):
            file.write(msgspec.json.encode(entry) + b"\n")
    results().print(f"{found.seq} entries; the end is {found.seq}:{found.mac.hex()}", soft_wrap=True)


def _detail(entry: Entry) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in entry.detail.items())


def _short(value: object) -> str:
    """A list of many is counted."""
    if isinstance(value, list):
        return f"({len(value)})" if len(value) > 3 else " ".join(map(str, value)) or "none"
    return str(value)
