"""Make collections, people and faces known, within the transaction of a `Writing`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from mien.errors import CollectionExists, PersonExists
from mien.gallery.sql.schema import COLLECTION, FACE, PERSON, TEMPLATE
from mien.gallery.store.audit import now
from mien.gallery.store.identifiers import fresh
from mien.gallery.store.reading import collection_named, in_portions
from mien.gallery.store.records import About, Collection, NewFace, checked_day
from mien.gallery.store.sealed import (
    new_index_key,
    seal_about,
    seal_crop,
    seal_provenance,
    seal_vector,
)
from mien.gallery.store.store import Writing
from mien.gallery.store.touching import seals_of, touch
from mien.gallery.vault.sealing import Seal, new_key


@dataclass(frozen=True, slots=True, eq=False)
class Newcomer:
    """Somebody to be enrolled.

    Attributes:
        about: Name and the rest; of somebody who is known already only the faces are added.
        faces: To be kept.
        consent_until: Last day of the consent.
        by_hand: Whether somebody said whose the faces are, rather than a network.
        id: The identifier that somebody had where he was exported; empty: he gets one.
    """

    about: About = field(repr=False)
    faces: Sequence[NewFace]
    consent_until: date | None = None
    by_hand: bool = True
    id: str = ""


def add_collection(writing: Writing, name: str, space: str, embedder: str) -> Collection:
    """Make a collection.

    Raises:
        CollectionExists: There is one of that name.
    """
    known = writing.connection.execute(sa.select(COLLECTION.c.id).where(COLLECTION.c.name == name)).first()
    if known is not None:
        raise CollectionExists(f"There is a collection {name!r} already.")
    identifier = fresh()[0]
    row = {
        "id": identifier,
        "name": name,
        "space": space,
        "embedder": embedder,
        "index_key": new_index_key(writing.ring, identifier),
        "created": now(),
    }
    writing.connection.execute(COLLECTION.insert(), row)
    return collection_named(writing, name)


def add_people(
    writing: Writing, collection: Collection, newcomers: Sequence[Newcomer]
) -> tuple[tuple[str, ...], ...]:
    """Enrol people with their first faces; names must be new.

    Returns:
        For each: the identifier of the person, followed by those of the faces.

    Raises:
        PersonExists: Somebody of that name is enrolled.
    """
    ids = _identifiers(writing, PERSON, [newcomer.id for newcomer in newcomers])
    created, rows, seals = now(), [], []
    for identifier, newcomer in zip(ids, newcomers, strict=True):
        key = new_key()
        seals.append(Seal(key))
        name = newcomer.about.name
        rows.append(
            {
                "id": identifier,
                "collection_id": collection.id,
                "name_mac": None if name is None else writing.ring.name_mac(collection.id, name),
                "key": writing.ring.wrap(key, identifier),
                "sealed": seal_about(seals[-1], identifier, newcomer.about),
                "consent_until": _day(newcomer.consent_until),
                "created": created,
                "version": 1,
                "change": writing.change,
            }
        )
    if rows:
        try:
            writing.connection.execute(PERSON.insert(), rows)
        except sa.exc.IntegrityError as error:
            raise PersonExists("Somebody of that name is enrolled already.") from error
    added = _add_faces(
        writing,
        collection,
        [(i, s, n.faces, n.by_hand) for i, s, n in zip(ids, seals, newcomers, strict=True)],
    )
    return tuple((identifier, *made) for identifier, made in zip(ids, added, strict=True))


def add_faces(
    writing: Writing,
    collection: Collection,
    additions: Sequence[tuple[str, Sequence[NewFace]]],
    *,
    by_hand: bool,
) -> tuple[tuple[str, ...], ...]:
    """Add faces to people who are known, by identifier; the identifiers of the faces of each."""
    seals = seals_of(writing, [identifier for identifier, _ in additions])
    touch(writing, list(seals))
    return _add_faces(
        writing,
        collection,
        [(identifier, seals[identifier], found, by_hand) for identifier, found in additions],
    )


def _add_faces(
    writing: Writing, collection: Collection, additions: Sequence[tuple[str, Seal, Sequence[NewFace], bool]]
) -> tuple[tuple[str, ...], ...]:
    wanted = [face.id for _, _, found, _ in additions for face in found]
    ids = iter(_identifiers(writing, FACE, wanted))
    created, face_rows, template_rows, made = now(), [], [], []
    for person, seal, found, by_hand in additions:
        own = []
        for face in found:
            identifier = next(ids)
            own.append(identifier)
            place = face.provenance.place
            face_rows.append(
                {
                    "id": identifier,
                    "person_id": person,
                    "collection_id": collection.id,
                    "source_mac": writing.ring.source_mac(collection.id, place) if place else None,
                    "sealed": seal_provenance(seal, identifier, face.provenance),
                    "crop": None if face.crop is None else seal_crop(seal, identifier, face.crop),
                    "by_hand": int(by_hand),
                    "created": created,
                    "change": writing.change,
                }
            )
            template_rows.append(
                {
                    "face_id": identifier,
                    "space": collection.space,
                    "sealed": seal_vector(seal, identifier, collection.space, face.vector),
                }
            )
        made.append(tuple(own))
    if face_rows:
        writing.connection.execute(FACE.insert(), face_rows)
        writing.connection.execute(TEMPLATE.insert(), template_rows)
    return tuple(made)


def _day(until: date | None) -> str | None:
    until = checked_day(until)
    return None if until is None else until.isoformat()


def _identifiers(writing: Writing, table: sa.Table, wanted: Sequence[str]) -> list[str]:
    """Those that are wanted, where nobody has them; new ones elsewhere."""
    asked = [one for one in wanted if one]
    taken: set[str] = set()
    for portion in in_portions(asked):
        query = sa.select(table.c.id).where(table.c.id.in_(portion))
        taken |= set(writing.connection.execute(query).scalars())
    new = iter(fresh(len(wanted)))
    return [one if one and one not in taken else next(new) for one in wanted]


def already_here(writing: Writing, collection: Collection, found: Iterable[NewFace]) -> set[tuple[str, str]]:
    """Which faces were enrolled before from the same place of the same photograph.

    Returns:
        Pairs of `Provenance.place` and the identifier of a person whose it is.
    """
    places = {face.provenance.place for face in found} - {""}
    macs = {writing.ring.source_mac(collection.id, place): place for place in places}
    known = set()
    for portion in in_portions(list(macs)):
        wanted = FACE.c.source_mac.in_(portion)
        query = sa.select(FACE.c.source_mac, FACE.c.person_id)
        rows = writing.connection.execute(query.where(FACE.c.collection_id == collection.id, wanted))
        known |= {(macs[row.source_mac], row.person_id) for row in rows}
    return known
