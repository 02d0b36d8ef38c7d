"""Rows of API keys; `mien.access.keys` says what may be in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa

from mien.gallery.sql.schema import API_KEY
from mien.gallery.store.identifiers import is_identifier
from mien.gallery.store.reading import Snapshot, in_portions
from mien.gallery.store.sealed import Row, open_key_name, seal_key_name
from mien.gallery.store.store import Writing


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Somebody who may ask the server, without the secret. Times are ISO 8601 in UTC.

    Attributes:
        id: Its identifier, which is part of the key's text.
        name: What it is for.
        scopes: What it may do.
        collections: Names of collections to which it is limited; None: all.
        rate_per_minute: How many requests it may make; None: as many as it likes.
        created: When it was made.
        expires: From when on it is not valid; None: it does not expire.
        revoked: When it was revoked; None: it was not.
        last_used: About when it was used last; None: never.
    """

    id: str
    name: str = field(repr=False)
    scopes: tuple[str, ...]
    collections: tuple[str, ...] | None = field(repr=False)
    rate_per_minute: int | None
    created: str
    expires: str | None = None
    revoked: str | None = None
    last_used: str | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """By what the secrets of a key are known.

    Attributes:
        mac: Keyed digest of the secret.
        old_mac: Of the one before; None: there is none.
        old_until: Until when that one is valid too.
    """

    mac: bytes = field(repr=False)
    old_mac: bytes | None = field(default=None, repr=False)
    old_until: str | None = None


def add(writing: Writing, key: ApiKey, secrets: Secrets) -> None:
    """Keep a new key."""
    row = {"id": key.id, "mac": secrets.mac, "created": key.created} | _values(writing, key)
    writing.connection.execute(API_KEY.insert(), row)


def find(snapshot: Snapshot, key_id: str) -> tuple[ApiKey, Secrets] | None:
    """A key by identifier; None if there is none."""
    if not is_identifier(key_id):
        return None
    row = snapshot.connection.execute(sa.select(API_KEY).where(API_KEY.c.id == key_id)).first()
    return None if row is None else (_key(snapshot, row), Secrets(row.mac, row.old_mac, row.old_until))


def every(snapshot: Snapshot) -> tuple[ApiKey, ...]:
    """All keys, revoked ones too, oldest first."""
    rows = snapshot.connection.execute(sa.select(API_KEY).order_by(API_KEY.c.id))
    return tuple(_key(snapshot, row) for row in rows)


def is_any(snapshot: Snapshot) -> bool:
    """Whether there is a key that was not revoked."""
    query = sa.select(API_KEY.c.id).where(API_KEY.c.revoked.is_(None)).limit(1)
    return snapshot.connection.execute(query).first() is not None


def change(writing: Writing, key: ApiKey, secrets: Secrets | None = None) -> None:
    """Keep a key as it is now, with other secrets if they are given."""
    values = _values(writing, key)
    if secrets is not None:
        values |= {"mac": secrets.mac, "old_mac": secrets.old_mac, "old_until": secrets.old_until}
    writing.connection.execute(API_KEY.update().where(API_KEY.c.id == key.id).values(values))


def revoke(writing: Writing, ids: Iterable[str], moment: str) -> None:
    """Revoke keys, by identifier, that are not revoked yet."""
    for portion in in_portions(sorted(set(ids))):
        wanted = API_KEY.update().where(API_KEY.c.id.in_(portion), API_KEY.c.revoked.is_(None))
        writing.connection.execute(wanted.values(revoked=moment, old_mac=None, old_until=None))


def touch(writing: Writing, key_id: str, moment: str) -> None:
    """Note when a key was used."""
    writing.connection.execute(API_KEY.update().where(API_KEY.c.id == key_id).values(last_used=moment))


def _key(snapshot: Snapshot, row: Row) -> ApiKey:
    return ApiKey(
        row.id,
        open_key_name(snapshot.ring, row.id, row.sealed),
        msgspec.json.decode(row.scopes, type=tuple[str, ...]),
        None if row.collections is None else msgspec.json.decode(row.collections, type=tuple[str, ...]),
        row.rate_per_minute,
        row.created,
        row.expires,
        row.revoked,
        row.last_used,
    )


def _values(writing: Writing, key: ApiKey) -> dict[str, object]:
    """Columns that may change."""
    return {
        "sealed": seal_key_name(writing.ring, key.id, key.name),
        "scopes": msgspec.json.encode(key.scopes).decode(),
        "collections": None if key.collections is None else msgspec.json.encode(key.collections).decode(),
        "rate_per_minute": key.rate_per_minute,
        "expires": key.expires,
        "revoked": key.revoked,
    }
