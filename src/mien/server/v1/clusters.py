"""Clusters: photographs that nobody labelled, their faces grouped into people, reviewed and named.

An album is a collection; its groups are people, mostly without a name.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Annotated

import msgspec
from starlette.responses import Response

from mien.answers.clusters import AddedRow, GroupRow, WhoseRow, added_row, group_row, whose_row
from mien.answers.service import Page
from mien.core.analysis import Analysis, Failure
from mien.gallery.gallery import Gallery
from mien.people import album_groups
from mien.people.albums import Added, Adding
from mien.server.answers import json_answer
from mien.server.asking import Ask, Asking
from mien.server.cursors import Part, cut
from mien.server.doors import Door
from mien.server.plans import PHOTO, Plan
from mien.server.uploads import shown_failure
from mien.server.v1.people import Faces, Others

door = Door(tags=["clusters"], prefix="/collections/{collection}/clusters")


class Naming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a group, and a collection that takes it over; null: it stays in the album."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    collection: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None


@door.at("GET", "", Plan("search", Page[GroupRow], options=Part))
async def clusters(collection: str, ask: Asking) -> Response:
    """List the groups of an album, those with most faces first."""
    part = await ask.options(Part)
    album = await ask.gallery(collection)
    found = await ask.do(lambda: album_groups.groups(album))
    ranked = [(f"{1_000_000_000 - len(one.members):010d}{one.person.id}", one) for one in found]
    return json_answer(cut(ranked, part, lambda one: one[0], lambda one: group_row(one[1])))


@door.at("POST", "", Plan("enroll", AddedRow, 201, photos=PHOTO, several=True, repeatable=True))
async def add_photographs(collection: str, ask: Asking) -> Response:
    """Add every face of photographs to an album and group all of its faces; for many there are jobs."""
    photos = await ask.photographs()
    album = await ask.gallery(collection)
    keeping = ask.service.keeping("only", crops=True)
    usual = ask.service.settings.collection
    besides = (usual,) if usual != collection and ask.caller.may_see(usual) else ()
    adding = await ask.do(lambda: Adding(album, keeping, besides))
    turn = threading.Lock()

    def take(found: Analysis) -> None:
        digest = found.image.digest or ""
        with turn:
            if not adding.knows(digest):
                adding.take(found, digest)

    for one in await ask.make_all(keeping.columns, photos, take):
        if isinstance(one, Failure):
            adding.take(one, "")

    def added() -> Added:
        adding.acknowledge()
        done = adding.report()
        return replace(done, failures=tuple(shown_failure(one) for one in done.failures))

    return json_answer(added_row(collection, await ask.do(added)), 201)


@door.at("POST", "/move", Plan("enroll", WhoseRow, body=Faces, repeatable=True))
async def move(collection: str, ask: Asking) -> Response:
    """Say that faces are of somebody else than their group, so that they never come back to it."""
    told = await ask.body(Faces)
    album = await ask.gallery(collection)
    person = await ask.do(lambda: album_groups.move(album, told.faces, told.to))
    return json_answer(whose_row(person, collection))


@door.at("POST", "/{group}/name", Plan("enroll", WhoseRow, body=Naming, repeatable=True))
async def name(collection: str, group: str, ask: Asking) -> Response:
    """Give a group a name; with a collection, its person is found there from then on."""
    told = await ask.body(Naming)
    album = await ask.gallery(collection)
    into = await _into(ask, told.collection)
    person = await ask.do(lambda: album_groups.name(album, group, told.name, into))
    return json_answer(whose_row(person, told.collection or collection))


@door.at("POST", "/{group}/merge", Plan("enroll", WhoseRow, body=Others, repeatable=True))
async def merge(collection: str, group: str, ask: Asking) -> Response:
    """Make several groups one."""
    others = (await ask.body(Others)).others
    album = await ask.gallery(collection)
    return json_answer(whose_row(await ask.do(lambda: album.merge(group, others)), collection))


async def _into(ask: Ask, collection: str | None) -> Gallery | None:
    if collection is None:
        return None
    ask.caller.demand_collection(collection)
    return await ask.gallery(collection)
