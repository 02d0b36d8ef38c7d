"""`mien keys`: who may ask the server for what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import Json, StoreAddress, Yes, confirm, opened_store

if TYPE_CHECKING:
    from mien.gallery.store.api_keys import ApiKey
    from mien.gallery.store.store import Store

app = typer.Typer(
    name="keys", no_args_is_help=True, help="Look after API keys: who may ask the server for what."
)

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Identifier of a key: mien keys list")]
_DURATION = re.compile(r"([0-9]{1,9})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    scope: Annotated[
        list[str],
        typer.Option("--scope", help="detect, verify, search, enroll or admin; can be given again."),
    ],
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", metavar="NAME", help="Only this collection; can be given again."),
    ] = None,
    rate: Annotated[
        int | None, typer.Option("--rate", metavar="N", help="Most requests in a minute.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DATE", help="Last day, or a moment.")
    ] = None,
    as_json: Json = False,
    store: StoreAddress = None,
) -> None:
    """Make a key and print it: it is shown this once. A store is made if there is none yet."""
    from mien.access import keys

    with _made_store(store) as opened:
        key, text = keys.create(
            opened, name, scope, collections=collection or None, rate_per_minute=rate, expires=expires
        )
    _say_once(key, text, as_json=as_json)


@app.command("list")
def list_keys(as_json: Json = False, store: StoreAddress = None) -> None:
    """List all keys, without their secrets."""
    from mien.access import keys
    from mien.answers.keys import key_row
    from mien.cli.console import write_json

    with opened_store(store=store) as opened:
        found = keys.every(opened)
    if as_json:
        write_json([key_row(key) for key in found])
    else:
        _write_table(found)


@app.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[
        str,
        typer.Option("--grace", metavar="TIME", help="How long the old one stays valid: 90s, 30m, 1h, 7d."),
    ] = "0",
    as_json: Json = False,
    store: StoreAddress = None,
) -> None:
    """Exchange the secret of a key and print the new one: it is shown this once."""
    from mien.access import keys

    grace_s = _seconds(grace)
    with opened_store(store=store) as opened:
        key, text = keys.rotate(opened, key_id, grace_s)
    _say_once(key, text, as_json=as_json)


@app.command()
def revoke(key_id: KeyId, yes: Yes = False, as_json: Json = False, store: StoreAddress = None) -> None:
    """Make a key invalid for good, at once."""
    from mien.access import keys
    from mien.answers.keys import key_row
    from mien.cli.console import remarks, results, write_json

    with opened_store(store=store) as opened:
        confirm(f"Make the key {key_id} invalid for good?", yes=yes)
        key = keys.revoke(opened, key_id)
        is_any = keys.any_key(opened)
    if as_json:
        write_json(key_row(key))
    else:
        results().print(f"revoked {key.name}", markup=False)
    if not is_any:
        remarks().print("No key is left: the server asks nobody on this machine for one.")


@contextmanager
def _made_store(address: str | None) -> Iterator[Store]:
    """The store, made if there is none: the first key may come before the first person."""
    import os

    from mien.errors import BadRequest
    from mien.gallery.opening import open_store
    from mien.gallery.sql.engine import MEMORY
    from mien.settings import load_settings

    settings = load_settings(store=address)
    if settings.store_address == MEMORY:
        raise BadRequest("A store in memory ends with this command, and the key with it.")
    with open_store(settings.store_address, settings.key_name, os.environ) as store:
        yield store


def _seconds(text: str) -> int:
    from mien.errors import BadRequest

    found = _DURATION.fullmatch(text)
    if found is None:
        raise BadRequest(f"{text[:20]!r} is no length of time.", hint="Such as 90s, 30m, 1h or 7d.")
    return int(found[1]) * _SECONDS[found[2]]


def _say_once(key: ApiKey, text: str, *, as_json: bool) -> None:
    from mien.answers.keys import new_key_row
    from mien.cli.console import remarks, write_json, write_text

    if as_json:
        write_json(new_key_row(key, text))
    else:
        write_text(f"{text}\n")
    remarks().print("Keep it where nobody else can read it: it cannot be shown again.")


def _write_table(keys: tuple[ApiKey, ...]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mien.cli.console import remarks, results
    from mien.gallery.store.audit import now

    if not keys:
        remarks().print("There is no key yet. Make one: mien keys create NAME --scope detect")
        return
    table = Table(box=None)
    for title in ("id", "name", "scopes", "collections", "per minute", "created", "last used", "state"):
        table.add_column(title, overflow="fold")
    for key in keys:
        limits = "all" if key.collections is None else ", ".join(key.collections)
        used = (key.last_used or "never")[:16].replace("T", " ")
        table.add_row(
            *(
                key.id,
                escape(key.name),
                ", ".join(key.scopes),
                escape(limits),
                str(key.rate_per_minute or ""),
            ),
            *(key.created[:10], used, _state(key, now())),
        )
    results().print(table)


def _state(key: ApiKey, moment: str) -> str:
    if key.revoked is not None:
        return f"revoked {key.revoked[:10]}"
    if key.expires is None:
        return "valid"
    return f"{'valid until' if moment < key.expires else 'expired'} {key.expires[:16].replace('T', ' ')}"
