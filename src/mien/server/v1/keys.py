"""API keys, for those who administer the server."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from mien.access import keys
from mien.access.scopes import Scope
from mien.answers.keys import KeyRow, NewKeyRow, key_row, new_key_row
from mien.answers.service import Page
from mien.errors import Forbidden
from mien.gallery.store.api_keys import ApiKey
from mien.server.answers import json_answer, nothing
from mien.server.asking import Asking
from mien.server.cursors import Part, cut
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["keys"], prefix="/keys")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Scopes = Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1)]
Rate = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to be made: what for, what it may do, where, how often and until when."""

    name: Name
    scopes: Scopes
    collections: tuple[str, ...] | None = None
    rate_per_minute: Rate | None = None
    expires: str | None = None


class KeyChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change about a key; what is not given stays."""

    name: Name | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    collections: tuple[str, ...] | UnsetType | None = UNSET
    rate_per_minute: Rate | UnsetType | None = UNSET
    expires: str | UnsetType | None = UNSET


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many seconds the secret that the key has now stays valid too."""

    grace_s: Annotated[float, msgspec.Meta(ge=0, le=30 * 24 * 3600)] = 0


@door.at("GET", "", Plan("admin", Page[KeyRow], options=Part))
async def every(ask: Asking) -> Response:
    """List the keys, revoked and expired ones too; their secrets are not known."""
    part = await ask.options(Part)
    found = await ask.do(lambda: keys.every(ask.service.store))
    return json_answer(cut(found, part, lambda one: one.id, key_row))


@door.at("POST", "", Plan("admin", NewKeyRow, 201, body=NewKey))
async def create(ask: Asking) -> Response:
    """Make a key; its text is shown this once.

    From the first key on, every request needs one, also from this machine: the first has to be of an
    administrator.
    """
    told = await ask.body(NewKey)
    lasting = told.collections is None and told.expires is None
    if ask.caller.key_id is None and not ("admin" in told.scopes and lasting):
        raise Forbidden(
            "The first key has to be an administrator's, or nobody could make another here.",
            hint='Give it the scope "admin", no collections and no end.',
        )
    asked = {name: getattr(told, name) for name in told.__struct_fields__}
    key, text = await ask.do(lambda: keys.create(ask.service.store, **asked))
    ask.service.forget_keys()
    return json_answer(new_key_row(key, text), 201)


@door.at("PATCH", "/{key}", Plan("admin", KeyRow, body=KeyChanges))
async def change(key: str, ask: Asking) -> Response:
    """Change what a key may do."""
    told = await ask.body(KeyChanges)
    changes: dict[str, Any] = {name: getattr(told, name) for name in told.__struct_fields__}
    changes = {name: value for name, value in changes.items() if value is not UNSET}
    done = await ask.do(lambda: keys.edit(ask.service.store, key, **changes))
    ask.service.forget_keys()
    return json_answer(key_row(done))


@door.at("POST", "/{key}/rotate", Plan("admin", NewKeyRow, body=Rotation))
async def rotate(key: str, ask: Asking) -> Response:
    """Give a key another secret; its text is shown this once."""
    grace_s = (await ask.body(Rotation)).grace_s
    done, text = await ask.do(lambda: keys.rotate(ask.service.store, key, grace_s))
    ask.service.forget_keys()
    return json_answer(new_key_row(done, text))


@door.at("DELETE", "/{key}", Plan("admin", None, 204))
async def revoke(key: str, ask: Asking) -> Response:
    """Revoke a key; within two seconds no worker takes it any more."""
    others = [one for one in await ask.do(lambda: keys.every(ask.service.store)) if one.id != key]
    if not any("admin" in one.scopes and _lasts(one) for one in others):
        raise Forbidden(
            "This is the last key of an administrator: without it nobody could make another here.",
            hint="Make another first, or revoke it where the server runs: mien keys revoke",
        )
    await ask.do(lambda: keys.revoke(ask.service.store, key))
    ask.service.forget_keys()
    return nothing()


def _lasts(key: ApiKey) -> bool:
    """Whether a key is valid everywhere and for good."""
    return key.collections is None and key.expires is None and key.revoked is None
