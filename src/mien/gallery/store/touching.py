"""What every change of people and faces does: number them, so that an index can follow, and open keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from mien.gallery.sql.schema import GONE, PERSON
from mien.gallery.store.reading import in_portions
from mien.gallery.store.sealed import (
    person_key,
)
from mien.gallery.store.store import Writing
from mien.gallery.vault.sealing import Seal


def touch(writing: Writing, ids: Iterable[str]) -> None:
    """Say that people's faces changed."""
    for portion in in_portions(list(ids)):
        writing.connection.execute(
            PERSON.update()
            .where(PERSON.c.id.in_(portion))
            .values(change=writing.change, version=PERSON.c.version + 1)
        )


def gone(writing: Writing, collection_id: str, owners: Mapping[str, str]) -> None:
    """Tell indexes to drop faces, given by identifier with that of their person."""
    if owners:
        rows = [gone_row(writing, collection_id, face, person) for face, person in owners.items()]
        writing.connection.execute(GONE.insert(), rows)


def gone_row(writing: Writing, collection_id: str, face: str, person: str) -> dict[str, Any]:
    """One face that indexes are to drop."""
    return {"change": writing.change, "face_id": face, "person_id": person, "collection_id": collection_id}


def seals_of(writing: Writing, ids: Sequence[str]) -> dict[str, Seal]:
    """Opened keys of people, by identifier."""
    found: dict[str, Seal] = {}
    for portion in in_portions(list(dict.fromkeys(ids))):
        query = sa.select(PERSON.c.id, PERSON.c.key).where(PERSON.c.id.in_(portion))
        found |= {
            row.id: person_key(writing.ring, row.id, row.key) for row in writing.connection.execute(query)
        }
    return found
