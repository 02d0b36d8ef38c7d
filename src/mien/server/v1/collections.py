"""Collections: people of one purpose."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.responses import Response

from mien.answers.service import Page
from mien.errors import BadRequest
from mien.gallery.forgetting import Forgotten
from mien.gallery.overview import CollectionOverview, overview
from mien.gallery.people import new_collection
from mien.server.answers import json_answer, nothing
from mien.server.asking import Ask, Asking
from mien.server.cursors import Part, cut
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["collections"])


class NewCollection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A collection to be made; it is of the embedder that the server uses."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


@door.at("GET", "/collections", Plan("search", Page[CollectionOverview], options=Part))
async def collections(ask: Asking) -> Response:
    """List the collections that the key is for, with how many people and faces are in them."""
    part = await ask.options(Part)
    found = await ask.do(lambda: _overviews(ask))
    return json_answer(cut(found, part, lambda one: one.name, lambda one: one))


@door.at(
    "POST",
    "/collections",
    Plan("enroll", CollectionOverview, 201, body=NewCollection, repeatable=True),
)
async def make_collection(ask: Asking) -> Response:
    """Make a collection."""
    name = (await ask.body(NewCollection)).name.strip()
    if not name or not name.isprintable() or "/" in name or name in {".", ".."}:
        raise BadRequest("A collection needs a name of printable characters without a slash.")
    ask.caller.demand_collection(name)

    def made() -> CollectionOverview:
        kit = ask.service.kit
        new_collection(kit.store(), name, kit.space(), kit.stages.giver("embedding"))
        return _overview(ask, name)

    return json_answer(await ask.do(made), 201)


@door.at("GET", "/collections/{collection}", Plan("search", CollectionOverview))
async def collection(collection: str, ask: Asking) -> Response:
    """Tell how many people and faces are in a collection."""
    return json_answer(await ask.do(lambda: _overview(ask, collection)))


@door.at(
    "DELETE", "/collections/{collection}", Plan("admin", None, 204, others={200: Forgotten}, repeatable=True)
)
async def delete_collection(collection: str, ask: Asking) -> Response:
    """Forget everybody in a collection for good, and delete it.

    200 tells that there is a backup that could not be reached, which still holds these people.
    """
    done = await ask.do(lambda: ask.service.drop(collection))
    return forgotten_answer(done)


@door.at("POST", "/collections/{collection}/sweep", Plan("admin", Forgotten))
async def sweep(collection: str, ask: Asking) -> Response:
    """Forget everybody in a collection whose consent has run out."""
    return json_answer(await ask.do(lambda: ask.service.known(collection).sweep()))


def forgotten_answer(done: Forgotten) -> Response:
    """Nothing if nothing is left; else where something is."""
    return json_answer(done) if done.unreached else nothing()


def _overviews(ask: Ask) -> list[CollectionOverview]:
    found = overview(ask.service.store).collections
    return sorted((one for one in found if ask.caller.may_see(one.name)), key=lambda one: one.name)


def _overview(ask: Ask, name: str) -> CollectionOverview:
    ask.service.known(name)
    return next(one for one in overview(ask.service.store).collections if one.name == name)
