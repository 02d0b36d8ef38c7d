"""Change what is known about people, and whose faces are whose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from mien.errors import PersonExists
from mien.gallery.sql.schema import FACE, PERSON, TEMPLATE
from mien.gallery.store.reading import in_portions
from mien.gallery.store.records import About, Collection, Person, StoredFace
from mien.gallery.store.sealed import (
    open_crop,
    open_vector,
    seal_about,
    seal_crop,
    seal_provenance,
    seal_vector,
)
from mien.gallery.store.store import Writing
from mien.gallery.store.touching import gone, seals_of, touch


def edit_person(
    writing: Writing, collection: Collection, person: Person, about: About, consent_until: date | None
) -> None:
    """Change what is known about a person.

    Raises:
        PersonExists: Somebody else has the name.
    """
    seal = seals_of(writing, [person.id])[person.id]
    values: dict[str, Any] = {
        "sealed": seal_about(seal, person.id, about),
        "consent_until": consent_until and consent_until.isoformat(),
        "change": writing.change,
        "version": PERSON.c.version + 1,
        "name_mac": None if about.name is None else writing.ring.name_mac(collection.id, about.name),
    }
    try:
        writing.connection.execute(PERSON.update().where(PERSON.c.id == person.id).values(values))
    except sa.exc.IntegrityError as error:
        raise PersonExists(
            f"Somebody called {about.name!r} is enrolled already.", hint="Merge them: mien people merge A B"
        ) from error


def move_faces(
    writing: Writing,
    collection: Collection,
    moved: Sequence[StoredFace],
    target: str,
    target_collection: Collection,
    *,
    by_hand: bool = True,
) -> None:
    """Give faces to another person, sealed anew by that person's key; what they were sealed by is not kept.

    Args:
        writing: The transaction.
        collection: Where they are.
        moved: The faces.
        target: Identifier of the person.
        target_collection: Of that person; of the same space.
        by_hand: Whether somebody said so; a network leaves what was said before.
    """
    here = writing.connection
    sources = sorted({face.person_id for face in moved})
    seals = seals_of(writing, [*sources, target])
    provenances = {face.id: face.provenance for face in moved}
    for portion in in_portions([face.id for face in moved]):
        rows = here.execute(
            sa.select(FACE.c.id, FACE.c.person_id, FACE.c.crop).where(FACE.c.id.in_(portion))
        ).all()
        for row in rows:
            provenance = provenances[row.id]
            crop = row.crop and open_crop(seals[row.person_id], row.id, row.crop)
            place = provenance.place
            here.execute(
                FACE.update()
                .where(FACE.c.id == row.id)
                .values(
                    person_id=target,
                    collection_id=target_collection.id,
                    source_mac=writing.ring.source_mac(target_collection.id, place) if place else None,
                    sealed=seal_provenance(seals[target], row.id, provenance),
                    crop=crop and seal_crop(seals[target], row.id, crop),
                    by_hand=1 if by_hand else FACE.c.by_hand,
                    change=writing.change,
                )
            )
        owner = {row.id: row.person_id for row in rows}
        for row in here.execute(sa.select(TEMPLATE).where(TEMPLATE.c.face_id.in_(portion))).all():
            vector = open_vector(seals[owner[row.face_id]], row.face_id, row.space, row.sealed)
            here.execute(
                TEMPLATE.update()
                .where(TEMPLATE.c.face_id == row.face_id, TEMPLATE.c.space == row.space)
                .values(sealed=seal_vector(seals[target], row.face_id, row.space, vector))
            )
    if collection.id != target_collection.id:
        gone(writing, collection.id, {face.id: face.person_id for face in moved})
    touch(writing, [*sources, target])
