"""About API keys. Scope `admin`."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from mien.access.scopes import Scope
from mien.answers.keys import KeyRow, NewKeyRow
from mien.answers.service import Page
from mien.client.call import Call, json, nothing, page, path, row


def listed() -> Call[Page[KeyRow]]:
    """List the keys; not their texts, which nobody knows."""
    return Call("GET", path("keys"), page(KeyRow))


def create(
    name: str,
    scopes: Iterable[Scope],
    *,
    collections: Iterable[str] | None = None,
    rate_per_minute: int | None = None,
    expires: str | None = None,
) -> Call[NewKeyRow]:
    """Make a key.

    Args:
        name: What it is for.
        scopes: What it may do.
        collections: To which it is limited; None: all.
        rate_per_minute: Requests; None: as the server has it.
        expires: Its last day, or a moment, ISO 8601; None: never.

    Returns:
        The key; its text is shown this once.
    """
    body = json(
        name=name,
        scopes=list(scopes),
        collections=None if collections is None else list(collections),
        rate_per_minute=rate_per_minute,
        expires=expires,
    )
    return Call("POST", path("keys"), row(NewKeyRow), body=body, repeat="never")


def edit(
    key: str,
    *,
    name: str | UnsetType = UNSET,
    scopes: Iterable[Scope] | UnsetType = UNSET,
    collections: Iterable[str] | UnsetType | None = UNSET,
    rate_per_minute: int | UnsetType | None = UNSET,
    expires: str | UnsetType | None = UNSET,
) -> Call[KeyRow]:
    """Change a key, by its identifier; what is not given stays. See `create`."""
    body = json(
        name=name,
        scopes=scopes if isinstance(scopes, UnsetType) else list(scopes),
        collections=list(collections) if isinstance(collections, Iterable) else collections,
        rate_per_minute=rate_per_minute,
        expires=expires,
    )
    return Call("PATCH", path("keys", key), row(KeyRow), body=body, repeat="never")


def rotate(key: str, *, grace_s: float = 0) -> Call[NewKeyRow]:
    """Give a key another text.

    Args:
        key: Its identifier.
        grace_s: Seconds for which the old text is valid still.
    """
    body = json(grace_s=grace_s)
    return Call("POST", path("keys", key, "rotate"), row(NewKeyRow), body=body, repeat="never")


def revoke(key: str) -> Call[None]:
    """Make a key invalid at once and for good."""
    return Call("DELETE", path("keys", key), nothing)
