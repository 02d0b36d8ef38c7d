"""Questions to a snapshot of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mien.errors import BadRequest, CollectionUnknown, FaceUnknown, PersonUnknown
from mien.gallery.sql.schema import COLLECTION, FACE, GONE, PERSON, TEMPLATE
from mien.gallery.store.identifiers import is_identifier
from mien.gallery.store.records import Collection, Person, StoredFace, Vector
from mien.gallery.store.sealed import collection_of, face_of, open_crop, open_vector, person_key, person_of
from mien.gallery.store.store import Reading, Writing
from mien.gallery.vault.sealing import Seal

Snapshot = Reading | Writing
T = TypeVar("T", str, bytes)
# Databases take only so many values in one question.
PORTION = 500
_MOST_SEALS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Templates with whose they are; row by row.

    Attributes:
        face: `(n,)` S13 identifiers of faces.
        person: `(n,)` S13 identifiers of people.
        vectors: `(n, d)` float32; `(0, 0)` if there are none.
    """

    face: NDArray[np.bytes_]
    person: NDArray[np.bytes_]
    vectors: NDArray[np.float32]

    def __repr__(self) -> str:
        """Templates are nobody's business in a log."""
        return f"Templates({len(self)} of {self.vectors.shape[1]} numbers)"

    def __len__(self) -> int:
        return len(self.face)


def in_portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a list into pieces that fit into a question."""
    return (values[i : i + PORTION] for i in range(0, len(values), PORTION))


def collections(snapshot: Snapshot) -> tuple[Collection, ...]:
    """All collections, oldest first."""
    rows = snapshot.connection.execute(sa.select(COLLECTION).order_by(COLLECTION.c.id))
    return tuple(collection_of(row) for row in rows)


def collection_named(snapshot: Snapshot, name: str) -> Collection:
    """One collection.

    Raises:
        CollectionUnknown: There is none of that name.
    """
    # Not every text can be put to a database.
    text = "\0" not in name and not any("\ud800" <= letter <= "\udfff" for letter in name)
    query = sa.select(COLLECTION).where(COLLECTION.c.name == name)
    row = snapshot.connection.execute(query).first() if text else None
    if row is None:
        known = ", ".join(found.name for found in collections(snapshot))
        raise CollectionUnknown(
            f"There is no collection {name!r}.", hint=f"Collections: {known or 'none yet'}."
        )
    return collection_of(row)


def named(snapshot: Snapshot, collection_id: str, names: Iterable[str]) -> dict[str, str]:
    """Identifiers of people by their names; who is unknown lacks."""
    macs = {snapshot.ring.name_mac(collection_id, name): name for name in names}
    found: dict[str, str] = {}
    for portion in in_portions(list(macs)):
        wanted = PERSON.c.name_mac.in_(portion)
        query = sa.select(PERSON.c.id, PERSON.c.name_mac).where(
            PERSON.c.collection_id == collection_id, wanted
        )
        found |= {macs[row.name_mac]: row.id for row in snapshot.connection.execute(query)}
    return found


def person_id(snapshot: Snapshot, collection_id: str, who: str) -> str:
    """The identifier of a person who is given by name or identifier.

    Raises:
        PersonUnknown: Nobody is.
    """
    found = named(snapshot, collection_id, [who]).get(who)
    if found is not None:
        return found
    if not ids_of_people(snapshot, collection_id, [who]):
        raise PersonUnknown(f"Nobody called {who!r} is enrolled.", hint="Who is: mien people list")
    return who


def people(
    snapshot: Snapshot,
    collection_id: str,
    *,
    ids: Sequence[str] | None = None,
    after: str = "",
    limit: int | None = None,
) -> tuple[Person, ...]:
    """People of a collection in the order of their enrolment: all, some, or a part of the list.

    Args:
        snapshot: Of the store.
        collection_id: Whose.
        ids: Only these.
        after: Only who was enrolled after this one, by identifier.
        limit: At most so many.

    Raises:
        BadRequest: `after` is no identifier.
    """
    if after and not is_identifier(after):
        raise BadRequest("There is no such place in the list of people.")
    query = (
        sa.select(PERSON, sa.func.count(FACE.c.id).label("faces"))
        .outerjoin(FACE, FACE.c.person_id == PERSON.c.id)
        .where(PERSON.c.collection_id == collection_id, PERSON.c.id > after)
        .group_by(PERSON.c.id)
        .order_by(PERSON.c.id)
        .limit(limit)
    )
    asked = [query] if ids is None else [query.where(PERSON.c.id.in_(part)) for part in in_portions(ids)]
    rows = (row for question in asked for row in snapshot.connection.execute(question))
    return tuple(person_of(row, snapshot.ring, row.faces) for row in rows)


def ids_of_people(
    snapshot: Snapshot, collection_id: str | None = None, among: Sequence[str] | None = None
) -> frozenset[str]:
    """Identifiers of everybody in a collection, or in the store; or which of some are."""
    return _ids(snapshot, PERSON, collection_id, among)


def ids_of_faces(
    snapshot: Snapshot,
    collection_id: str,
    among: Sequence[str] | None = None,
    *,
    person: str | None = None,
) -> frozenset[str]:
    """Identifiers of all faces of a collection, or of one person; or which of some are."""
    return _ids(snapshot, FACE, collection_id, among, person)


def _ids(
    snapshot: Snapshot,
    table: sa.Table,
    collection_id: str | None,
    among: Sequence[str] | None,
    person: str | None = None,
) -> frozenset[str]:
    query = sa.select(table.c.id)
    if collection_id is not None:
        query = query.where(table.c.collection_id == collection_id)
    if person is not None:
        query = query.where(table.c.person_id == person)
    if among is not None:
        among = [one for one in among if is_identifier(one)]  # not every text can be put to a database
    asked = [query] if among is None else [query.where(table.c.id.in_(part)) for part in in_portions(among)]
    return frozenset(one for question in asked for one in snapshot.connection.execute(question).scalars())


def faces(
    snapshot: Snapshot,
    collection_id: str,
    *,
    person: str | None = None,
    ids: Sequence[str] | None = None,
) -> tuple[StoredFace, ...]:
    """Faces of a collection, of one person or by identifier, in the order in which they were kept."""
    query = (
        sa.select(
            FACE.c.id,
            FACE.c.person_id,
            FACE.c.sealed,
            FACE.c.by_hand,
            FACE.c.created,
            FACE.c.crop.is_not(None).label("has_crop"),
            PERSON.c.key,
        )
        .join(PERSON, PERSON.c.id == FACE.c.person_id)
        .where(FACE.c.collection_id == collection_id)
        .order_by(FACE.c.id)
    )
    if person is not None:
        query = query.where(FACE.c.person_id == person)
    asked = [query] if ids is None else [query.where(FACE.c.id.in_(part)) for part in in_portions(ids)]
    seals = _Seals(snapshot)
    rows = (row for question in asked for row in snapshot.connection.execute(question))
    return tuple(face_of(row, seals.of(row)) for row in rows)


def known_faces(snapshot: Snapshot, collection_id: str, ids: Sequence[str]) -> tuple[StoredFace, ...]:
    """Faces by identifier, all of them.

    Raises:
        FaceUnknown: One of them is not in the collection.
    """
    wanted = list(dict.fromkeys(ids))
    found = faces(snapshot, collection_id, ids=[one for one in wanted if is_identifier(one)])
    if missing := set(wanted) - {face.id for face in found}:
        raise FaceUnknown(
            f"There is no face {min(missing)!r}.", hint="Faces of a person: mien people show NAME"
        )
    return found


def crop(snapshot: Snapshot, collection_id: str, face_id: str) -> bytes | None:
    """The encoded picture of a face; None if none is kept.

    Raises:
        FaceUnknown: There is no such face.
    """
    if not ids_of_faces(snapshot, collection_id, [face_id]):
        raise FaceUnknown(f"There is no face {face_id!r}.")
    query = (
        sa.select(FACE.c.crop, FACE.c.person_id, PERSON.c.key)
        .join(PERSON, PERSON.c.id == FACE.c.person_id)
        .where(FACE.c.id == face_id)
    )
    row = snapshot.connection.execute(query).one()
    if row.crop is None:
        return None
    return open_crop(person_key(snapshot.ring, row.person_id, row.key), face_id, row.crop)


def templates(
    snapshot: Snapshot,
    collection: Collection,
    *,
    face_ids: Sequence[str] | None = None,
    person_ids: Sequence[str] | None = None,
    after: int | None = None,
    space: str | None = None,
) -> Templates:
    """Templates of a collection in its space, opened: all, or those of faces, of people, or changed lately.

    Args:
        snapshot: Of the store.
        collection: Whose.
        face_ids: Only these faces.
        person_ids: Only faces of these people.
        after: Only faces that changed after this change.
        space: Another space than that of the collection.
    """
    wanted = space or collection.space
    query = (
        sa.select(FACE.c.id, FACE.c.person_id, PERSON.c.key, TEMPLATE.c.sealed)
        .join(TEMPLATE, TEMPLATE.c.face_id == FACE.c.id)
        .join(PERSON, PERSON.c.id == FACE.c.person_id)
        .where(FACE.c.collection_id == collection.id, TEMPLATE.c.space == wanted)
    )
    if after is not None:
        query = query.where(FACE.c.change > after)
    asked = [query]
    if face_ids is not None:
        asked = [query.where(FACE.c.id.in_(part)) for part in in_portions(face_ids)]
    elif person_ids is not None:
        asked = [query.where(FACE.c.person_id.in_(part)) for part in in_portions(person_ids)]
    seals = _Seals(snapshot)
    face: list[str] = []
    owner: list[str] = []
    vectors: list[Vector] = []
    for question in asked:
        for row in snapshot.connection.execute(question.execution_options(yield_per=10_000)):
            face.append(row.id)
            owner.append(row.person_id)
            vectors.append(open_vector(seals.of(row), row.id, wanted, row.sealed))
    return Templates(
        np.array(face, "S13"),
        np.array(owner, "S13"),
        np.stack(vectors) if vectors else np.zeros((0, 0), np.float32),
    )


def embedded_faces(snapshot: Snapshot, collection: Collection, space: str) -> frozenset[str]:
    """Identifiers of the faces of a collection that have a template in a space; none is opened."""
    query = (
        sa.select(FACE.c.id)
        .join(TEMPLATE, TEMPLATE.c.face_id == FACE.c.id)
        .where(FACE.c.collection_id == collection.id, TEMPLATE.c.space == space)
    )
    return frozenset(snapshot.connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Dropped:
    """What an index has to take out.

    Attributes:
        faces: Identifiers of faces that were deleted.
        people: Whose they were.
    """

    faces: tuple[str, ...]
    people: tuple[str, ...]


def dropped(snapshot: Snapshot, collection_id: str, after: int) -> Dropped:
    """Faces deleted after a change."""
    query = sa.select(GONE).where(GONE.c.collection_id == collection_id, GONE.c.change > after)
    rows = snapshot.connection.execute(query).all()
    return Dropped(tuple(row.face_id for row in rows), tuple(sorted({row.person_id for row in rows})))


def changed_people(snapshot: Snapshot, collection_id: str, after: int) -> tuple[str, ...]:
    """People who, or whose faces, changed after a change."""
    here = PERSON.c.collection_id == collection_id
    query = sa.select(PERSON.c.id).where(here, PERSON.c.change > after)
    return tuple(snapshot.connection.execute(query).scalars())


def expired(snapshot: Snapshot, today: date, collection_id: str | None = None) -> tuple[tuple[str, str], ...]:
    """People whose consent has run out: pairs of collection and person."""
    query = sa.select(PERSON.c.collection_id, PERSON.c.id).where(PERSON.c.consent_until < today.isoformat())
    if collection_id is not None:
        query = query.where(PERSON.c.collection_id == collection_id)
    return tuple(
        (row.collection_id, row.id) for row in snapshot.connection.execute(query.order_by(PERSON.c.id))
    )


def dimensions(snapshot: Snapshot, collection: Collection) -> int | None:
    """How many numbers the templates of a collection have; None without a face."""
    query = (
        sa.select(FACE.c.id, FACE.c.person_id, PERSON.c.key, TEMPLATE.c.sealed)
        .join(TEMPLATE, TEMPLATE.c.face_id == FACE.c.id)
        .join(PERSON, PERSON.c.id == FACE.c.person_id)
        .where(FACE.c.collection_id == collection.id, TEMPLATE.c.space == collection.space)
        .limit(1)
    )
    row = snapshot.connection.execute(query).first()
    if row is None:
        return None
    return len(open_vector(_Seals(snapshot).of(row), row.id, collection.space, row.sealed))


def index_key(snapshot: Snapshot, collection_id: str) -> bytes:
    """The key of saved indexes of a collection; another one after somebody was forgotten.

    Raises:
        CollectionUnknown: The collection was deleted.
    """
    query = sa.select(COLLECTION.c.index_key).where(COLLECTION.c.id == collection_id)
    wrapped = snapshot.connection.execute(query).scalar()
    if wrapped is None:
        raise CollectionUnknown("The collection is not there any more.")
    return snapshot.ring.unwrap(wrapped, f"index|{collection_id}")


class _Seals:
    """Opened keys of the people of one answer, the latest of them kept: each takes a few kilobytes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._ring = snapshot.ring
        self._opened: dict[str, Seal] = {}

    def of(self, row: sa.Row[*tuple[Any, ...]]) -> Seal:
        seal = self._opened.get(row.person_id)
        if seal is None:
            if len(self._opened) >= _MOST_SEALS:
                self._opened.clear()
            seal = self._opened[row.person_id] = person_key(self._ring, row.person_id, row.key)
        return seal
