"""About groups of faces that nobody has named yet; each collection holds some of its own."""

from __future__ import annotations

from collections.abc import Iterable

from mien.answers.clusters import AddedRow, GroupRow, WhoseRow
from mien.answers.service import Page
from mien.client.call import Call, Form, json, page, path, row
from mien.client.photographs import Photo, uploads


def listed(*, collection: str = "default") -> Call[Page[GroupRow]]:
    """List the groups, with their faces. Scope `search`."""
    return Call("GET", path("collections", collection, "clusters"), page(GroupRow))


def add(photos: Photo | Iterable[Photo], *, collection: str = "default") -> Call[AddedRow]:
    """Group the faces of photographs with those that are there. Scope `enroll`."""
    body = Form((), tuple(("photo", one) for one in uploads(photos)))
    return Call("POST", path("collections", collection, "clusters"), row(AddedRow), body=body, repeat="keyed")


def name(group: str, name: str, *, to: str | None = None, collection: str = "default") -> Call[WhoseRow]:
    """Say whose faces a group has. Scope `enroll`.

    Args:
        group: Identifier.
        name: Of the person.
        to: The collection in which that person is known, or is to be; None: the same.
        collection: Where the group is.
    """
    body = json(name=name) if to is None else json(name=name, collection=to)
    return _change(collection, group, "name", body=body)


def merge(group: str, others: Iterable[str], *, collection: str = "default") -> Call[WhoseRow]:
    """Make several groups one. Scope `enroll`."""
    return _change(collection, group, "merge", body=json(others=list(others)))


def move(faces: Iterable[str], to: str | None = None, *, collection: str = "default") -> Call[WhoseRow]:
    """Give faces to another group; None: to a new one. Scope `enroll`."""
    return _change(collection, "move", body=json(faces=list(faces), to=to))


def _change(collection: str, *more: str, body: bytes) -> Call[WhoseRow]:
    where = path("collections", collection, "clusters", *more)
    return Call("POST", where, row(WhoseRow), body=body, repeat="keyed")
