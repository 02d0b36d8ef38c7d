"""Who was forgotten, so that no copy brings them back.

A copy of a store is of an earlier moment: somebody who is one person now may be two there, and a face may be
with somebody else. So the store remembers who was merged into whom, and of the forgotten everybody whom they
were made of and all their faces; by identifier, which says nothing of anybody. Documents and collections that
were deleted and API keys that were revoked are remembered in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from mien.gallery.sql.schema import ABSORBED, FACE, FORGOTTEN
from mien.gallery.store import api_keys, audit, documents
from mien.gallery.store.attachments import detach_people
from mien.gallery.store.dropping import drop_collection_row, drop_person, drop_rows
from mien.gallery.store.reading import Snapshot, collections, ids_of_people, in_portions
from mien.gallery.store.store import Writing


def absorb(writing: Writing, merged: Iterable[str], into: str) -> None:
    """Remember that people became part of another; whoever is forgotten with him is known by this."""
    ids = sorted(set(merged))
    for portion in in_portions(ids):
        writing.connection.execute(ABSORBED.delete().where(ABSORBED.c.person_id.in_(portion)))
    if ids:
        writing.connection.execute(ABSORBED.insert(), [{"person_id": one, "into_id": into} for one in ids])


def made_of(writing: Writing, people: Iterable[str]) -> frozenset[str]:
    """Everybody who became part of these people, and is nobody of his own now."""
    found: set[str] = set()
    new = set(people)
    while new:
        rows: set[str] = set()
        for portion in in_portions(sorted(new)):
            query = sa.select(ABSORBED.c.person_id).where(ABSORBED.c.into_id.in_(portion))
            rows |= set(writing.connection.execute(query).scalars())
        new = rows - found
        found |= new
    # An import may have brought somebody back since.
    return frozenset(found) - ids_of_people(writing, among=sorted(found))


def forgotten_ids(snapshot: Snapshot) -> frozenset[str]:
    """Identifiers of all people who were forgotten, of their faces, and of what else was deleted."""
    return frozenset(snapshot.connection.execute(sa.select(FORGOTTEN.c.id)).scalars())


def remember_forgotten(writing: Writing, ids: Iterable[str]) -> None:
    """Remember identifiers of what is to be forgotten in every copy."""
    new = sorted(set(ids) - forgotten_ids(writing))
    if new:
        moment = audit.now()
        writing.connection.execute(FORGOTTEN.insert(), [{"id": one, "time": moment} for one in new])


def forget_again(writing: Writing, ids: frozenset[str]) -> tuple[tuple[str, ...], int]:
    """Drop people and faces that were forgotten, from whatever collection they are in, and all else deleted.

    Returns:
        The people, and how many faces there were of them and of others.
    """
    documents.delete(writing, ids)
    detach_people(writing, ids)
    api_keys.revoke(writing, ids, audit.now())
    people: list[str] = []
    count = 0
    for collection in collections(writing):
        here = sorted(ids_of_people(writing, collection.id, among=sorted(ids)))
        count += sum(drop_person(writing, collection, person) for person in here)
        people += here
        query = sa.select(FACE.c.id, FACE.c.person_id).where(FACE.c.collection_id == collection.id)
        owners: dict[str, str] = {}
        for portion in in_portions(sorted(ids)):
            rows = writing.connection.execute(query.where(FACE.c.id.in_(portion)))
            owners |= {row.id: row.person_id for row in rows}
        drop_rows(writing, collection, owners)
        count += len(owners)
        # Somebody may be in it who went over to another collection since.
        if collection.id in ids and not ids_of_people(writing, collection.id):
            drop_collection_row(writing, collection)
    return tuple(people), count
