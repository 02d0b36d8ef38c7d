"""The shapes of API keys, in the server's answers and with `mien keys --json`."""

from __future__ import annotations

from typing import Any

import msgspec

from mien.gallery.store.api_keys import ApiKey


class KeyRow(msgspec.Struct, frozen=True):
    """Somebody who may ask the server; of all `collections` if null, until the moment it `expires`."""

    id: str
    name: str
    scopes: tuple[str, ...]
    collections: tuple[str, ...] | None
    rate_per_minute: int | None
    created: str
    expires: str | None
    last_used: str | None
    revoked: str | None


class NewKeyRow(KeyRow, frozen=True, kw_only=True):
    """A key that was just made, with its text: it is shown once, and nobody can find it out later."""

    key: str

    def __repr__(self) -> str:
        """The text is nobody's business in a log."""
        return f"NewKeyRow({self.id})"


SCHEMAS: dict[str, Any] = {
    "keys-create": NewKeyRow,
    "keys-list": list[KeyRow],
    "keys-rotate": NewKeyRow,
    "keys-revoke": KeyRow,
}


def key_row(key: ApiKey) -> KeyRow:
    """Translate a key."""
    return KeyRow(**_fields(key))


def new_key_row(key: ApiKey, text: str) -> NewKeyRow:
    """Translate a key that was just made."""
    return NewKeyRow(**_fields(key), key=text)


def _fields(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in KeyRow.__struct_fields__}
