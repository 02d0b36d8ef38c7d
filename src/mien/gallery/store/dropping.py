"""Delete faces, people and collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from mien.gallery.sql.schema import COLLECTION, FACE, GONE, PERSON, TEMPLATE
from mien.gallery.store import documents
from mien.gallery.store.attachments import detach_faces
from mien.gallery.store.reading import in_portions
from mien.gallery.store.records import Collection, StoredFace
from mien.gallery.store.sealed import new_index_key
from mien.gallery.store.store import Writing
from mien.gallery.store.touching import gone, gone_row, touch


def drop_faces(writing: Writing, collection: Collection, dropped: Sequence[StoredFace]) -> None:
    """Delete faces; their people stay."""
    drop_rows(writing, collection, {face.id: face.person_id for face in dropped})


def drop_rows(writing: Writing, collection: Collection, owners: Mapping[str, str]) -> None:
    """Delete faces, given by identifier with that of their person."""
    for portion in in_portions(list(owners)):
        writing.connection.execute(TEMPLATE.delete().where(TEMPLATE.c.face_id.in_(portion)))
        writing.connection.execute(FACE.delete().where(FACE.c.id.in_(portion)))
    detach_faces(writing, owners)
    gone(writing, collection.id, owners)
    touch(writing, sorted(set(owners.values())))


def drop_collection_row(writing: Writing, collection: Collection) -> None:
    """Delete a collection in which nobody is any more, and its documents; saved indexes open no more."""
    documents.delete(writing, documents.ids_about(writing, collection.id))
    writing.connection.execute(COLLECTION.delete().where(COLLECTION.c.id == collection.id))


def drop_person(writing: Writing, collection: Collection, person: str) -> int:
    """Delete a person with key, faces and templates, and make every saved index of the collection unreadable.

    Returns:
        How many faces were deleted.
    """
    owned = writing.connection.execute(sa.select(FACE.c.id).where(FACE.c.person_id == person)).scalars().all()
    for portion in in_portions(owned):
        writing.connection.execute(TEMPLATE.delete().where(TEMPLATE.c.face_id.in_(portion)))
    writing.connection.execute(FACE.delete().where(FACE.c.person_id == person))
    writing.connection.execute(PERSON.delete().where(PERSON.c.id == person))
    detach_faces(writing, owned)
    rows = [gone_row(writing, collection.id, face, person) for face in owned]
    # Somebody without a face is in an index of centroids no more than of faces; the person is named anyway.
    writing.connection.execute(GONE.insert(), rows or [gone_row(writing, collection.id, person, person)])
    key = new_index_key(writing.ring, collection.id)
    writing.connection.execute(
        COLLECTION.update().where(COLLECTION.c.id == collection.id).values(index_key=key)
    )
    return len(owned)
