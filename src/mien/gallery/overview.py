"""What a store holds, in numbers."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from mien.gallery.forgetting import backups_of
from mien.gallery.sql.schema import FACE, PERSON, TEMPLATE
from mien.gallery.store.reading import Snapshot, collections
from mien.gallery.store.records import Collection
from mien.gallery.store.store import Store


class CollectionOverview(msgspec.Struct, frozen=True):
    """A collection in numbers.

    Attributes:
        name: What it is called.
        id: Identifier, as the audit log calls it.
        people: How many.
        faces: How many.
        unsearchable: Faces that have no template of the embedder, left behind by an upgrade.
        embedder: Pack that made the templates.
        space: Their embedding space.
        next_space: The space it is being upgraded to.
    """

    name: str
    id: str
    people: int
    faces: int
    unsearchable: int
    embedder: str
    space: str
    next_space: str | None


class Overview(msgspec.Struct, frozen=True):
    """A store in numbers.

    Attributes:
        store: Where it is, without a password.
        key: Tells which master key opens it.
        collections: What it holds.
        backups: Where copies lie.
    """

    store: str
    key: str
    collections: tuple[CollectionOverview, ...]
    backups: tuple[str, ...]


def overview(store: Store) -> Overview:
    """Count what a store holds. Raises GalleryError if it cannot be read."""
    with store.reading() as snapshot:
        found = tuple(_counted(snapshot, one) for one in collections(snapshot))
    return Overview(store.name, store.master.id, found, backups_of(store))


def _counted(snapshot: Snapshot, collection: Collection) -> CollectionOverview:
    def count(query: sa.Select[tuple[str]]) -> int:
        number: int = snapshot.connection.execute(
            sa.select(sa.func.count()).select_from(query.subquery())
        ).scalar_one()
        return number

    faces = sa.select(FACE.c.id).where(FACE.c.collection_id == collection.id)
    searchable = faces.join(TEMPLATE, TEMPLATE.c.face_id == FACE.c.id).where(
        TEMPLATE.c.space == collection.space
    )
    total = count(faces)
    return CollectionOverview(
        collection.name,
        collection.id,
        count(sa.select(PERSON.c.id).where(PERSON.c.collection_id == collection.id)),
        total,
        total - count(searchable),
        collection.embedder,
        collection.space,
        collection.next_space,
    )
