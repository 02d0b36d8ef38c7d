"""Who is asking, and what that allows."""

from __future__ import annotations

from dataclasses import dataclass, field

from mien.access.scopes import SCOPES, Scope, checked_scopes
from mien.errors import Forbidden
from mien.gallery.store.api_keys import ApiKey

_KEY = "key:"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks the server.

    Attributes:
        actor: How the audit log calls him: `key:` and the identifier of the API key, or `local`.
        name: What the key is for.
        scopes: What he may do.
        collections: Names of collections to which he is limited; None: all.
        rate_per_minute: How many requests he may make; None: as many as he likes.
    """

    actor: str
    name: str = field(repr=False)
    scopes: tuple[Scope, ...]
    collections: tuple[str, ...] | None = field(default=None, repr=False)
    rate_per_minute: int | None = None

    @property
    def key_id(self) -> str | None:
        """Identifier of the API key; None without one."""
        return self.actor.removeprefix(_KEY) if self.actor.startswith(_KEY) else None

    def may(self, scope: Scope) -> bool:
        """Whether he may do this; `admin` may do everything."""
        return scope in self.scopes or "admin" in self.scopes

    def may_see(self, collection: str) -> bool:
        """Whether he may work with a collection, by name."""
        return self.collections is None or collection in self.collections

    def demand(self, scope: Scope) -> None:
        """Raise Forbidden unless he may do this."""
        if not self.may(scope):
            raise Forbidden(
                f"This key lacks the scope {scope}.",
                hint=f"It has: {', '.join(self.scopes)}. Ask for a key that has {scope}.",
            )

    def demand_collection(self, collection: str) -> None:
        """Raise Forbidden unless he may work with a collection; whether there is one is not said."""
        if not self.may_see(collection):
            raise Forbidden(
                f"This key is not for the collection {collection!r}.",
                hint="Ask for a key that holds this collection.",
            )


def local() -> Caller:
    """Whoever asks a server that has no keys and listens to this machine only."""
    return Caller("local", "this machine", SCOPES)


def caller_of(key: ApiKey) -> Caller:
    """Whoever holds an API key."""
    scopes = checked_scopes(key.scopes)
    return Caller(f"{_KEY}{key.id}", key.name, scopes, key.collections, key.rate_per_minute)
