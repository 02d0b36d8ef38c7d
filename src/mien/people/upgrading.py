"""Bring a collection over to another embedder, without enrolling anybody again.

Every face is found again in its kept crop, or in the photograph it came from if that is still there and
unchanged, and embedded by the new network. Old templates stay in use until all faces have new ones; then the
collection changes over, in one transaction. It may be interrupted at any time and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.errors import BadRequest, FaceUnknown, MienError, NoFace
from mien.gallery.sql.schema import COLLECTION, FACE, PERSON, TEMPLATE
from mien.gallery.store import reading
from mien.gallery.store.records import Collection, StoredFace
from mien.gallery.store.sealed import person_key, seal_vector
from mien.gallery.store.store import Store, Writing
from mien.gallery.vault.sealing import new_key
from mien.media.expanding import Source
from mien.ops.boxes import iou
from mien.people.enrolling import SENT, Analyze, photograph_digest

_PORTION = 64
# The same face, found by another detector.
_SAME_BOX = 0.3


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What came of an upgrade.

    Attributes:
        faces: How many have a template in the new space now.
        lost: Faces that could not be embedded again, and why.
        done: Whether the collection is in the new space; if not, everything still is as it was.
    """

    faces: int
    lost: tuple[Failure, ...]
    done: bool


def upgrade(
    store: Store,
    name: str,
    space: str,
    analyze: Analyze,
    *,
    leave_behind: bool = False,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> Upgraded:
    """Bring a collection over to another embedding space.

    Args:
        store: Where it is.
        name: Of the collection.
        space: The new embedding space, whose embedder `analyze` uses.
        analyze: As `Mien.analyze`.
        leave_behind: Change over even if faces are lost. These keep their old templates, are not found any
            more, and are tried again by the next upgrade.
        tell: Told how many faces are done, of how many.

    Raises:
        CollectionUnknown: There is no such collection.
        BadRequest: It is in that space already.
    """
    collection = _begun(store, name, space)
    lost: dict[str, Failure] = {}
    while left := [face for face in _lacking(store, collection, space) if face.id not in lost]:
        total = len(left)
        for start in range(0, total, _PORTION):
            lost |= _portion(store, collection, space, left[start : start + _PORTION], analyze)
            tell(min(start + _PORTION, total), total)
    done = not lost or leave_behind
    with store.reading() as snapshot:
        faces = len(reading.embedded_faces(snapshot, collection, space))
    if done and not _changed_over(store, collection, space, set(lost)):
        # Somebody enrolled meanwhile, with the old embedder.
        return upgrade(store, name, space, analyze, leave_behind=leave_behind, tell=tell)
    return Upgraded(faces, tuple(lost.values()), done)


def _begun(store: Store, name: str, space: str) -> Collection:
    with store.writing() as writing:
        collection = reading.collection_named(writing, name)
        if collection.space == space:
            raise BadRequest(f"The collection {name!r} is in the space {space} already.")
        if collection.next_space != space:
            _drop_templates(writing, collection, keep=collection.space)
            change = COLLECTION.update().where(COLLECTION.c.id == collection.id)
            writing.connection.execute(change.values(next_space=space))
            writing.note("began upgrade", collection.id, space=space)
        return collection


def _drop_templates(writing: Writing, collection: Collection, *, keep: str) -> None:
    """Drop templates of an upgrade to yet another space that was never finished."""
    faces = sa.select(FACE.c.id).where(FACE.c.collection_id == collection.id)
    stale = collection.next_space
    if stale is not None and stale != keep:
        writing.connection.execute(
            TEMPLATE.delete().where(TEMPLATE.c.face_id.in_(faces), TEMPLATE.c.space == stale)
        )


def _lacking(store: Store, collection: Collection, space: str) -> tuple[StoredFace, ...]:
    """Faces without a template in the new space."""
    with store.reading() as snapshot:
        have = reading.embedded_faces(snapshot, collection, space)
        return tuple(face for face in reading.faces(snapshot, collection.id) if face.id not in have)


def _portion(
    store: Store, collection: Collection, space: str, faces: Sequence[StoredFace], analyze: Analyze
) -> dict[str, Failure]:
    """Embed some faces anew and keep their templates; those that are lost, by identifier."""
    made: dict[str, NDArray[np.float32]] = {}
    lost: dict[str, Failure] = {}
    for face, found in zip(faces, _looked_at(store, collection, faces, analyze), strict=True):
        try:
            made[face.id] = _same_face(face, found)
        except MienError as error:
            lost[face.id] = Failure(face.provenance.source or face.id, error)
    with store.writing() as writing:
        query = sa.select(FACE.c.id, FACE.c.person_id, PERSON.c.key).join(PERSON)
        rows = writing.connection.execute(query.where(FACE.c.id.in_(list(made)))).all()
        values = [
            {
                "face_id": row.id,
                "space": space,
                "sealed": seal_vector(
                    person_key(writing.ring, row.person_id, row.key), row.id, space, made[row.id]
                ),
            }
            for row in rows
        ]
        if values:
            writing.connection.execute(TEMPLATE.insert(), values)
    return lost


def _looked_at(
    store: Store, collection: Collection, faces: Sequence[StoredFace], analyze: Analyze
) -> Iterator[Analysis | Failure]:
    """What is seen of each face: in its crop, or in its photograph."""
    crops: list[Source] = []
    with store.writing(light=True) as writing:
        for face in faces:
            crop = reading.crop(writing, collection.id, face.id) if face.has_crop else None
            # What was sent over a network is nowhere but here.
            crops.append(crop or ("" if face.provenance.source.startswith(SENT) else face.provenance.source))
        writing.note("saw", collection.id, faces=len(faces))
    columns = ("box", "score", "points", "embedding")
    for face, source in zip(faces, crops, strict=True):
        if not source:
            error = FaceUnknown(f"Of face {face.id} neither a picture nor a photograph is known.")
            yield Failure(face.id, error)
            continue
        yield next(analyze([source], columns))


def _same_face(face: StoredFace, seen: Analysis | Failure) -> NDArray[np.float32]:
    """The embedding of the face that was enrolled, among those that are seen.

    Raises:
        NoFace: It is not seen.
        BadRequest: The photograph is another than it was.
    """
    if isinstance(seen, Failure):
        raise seen.error
    found: Faces = seen.faces
    if not len(found):
        raise NoFace(f"No face was found in {seen.source}.")
    assert found.embedding is not None  # noqa: S101 - it was asked for
    if face.has_crop:
        width, height = found.size_wh
        middle = (found.box[:, :2] + found.box[:, 2:]) / 2 - np.array([width, height]) / 2
        nearest: NDArray[np.float32] = found.embedding[int(np.argmin(np.linalg.norm(middle, axis=1)))]
        return nearest
    provenance = face.provenance
    if provenance.digest != photograph_digest(seen.image):
        raise BadRequest(f"{seen.source} is not the photograph that was enrolled.")
    overlap = iou(np.array([provenance.box], np.float32), found.box)[0]
    if overlap.max() < _SAME_BOX:
        raise NoFace(f"The face that was enrolled was not found again in {seen.source}.")
    same: NDArray[np.float32] = found.embedding[int(np.argmax(overlap))]
    return same


def _changed_over(store: Store, collection: Collection, space: str, lost: set[str]) -> bool:
    """Change the collection over, unless faces came meanwhile that have no new template."""
    with store.writing() as writing:
        have = reading.embedded_faces(writing, collection, space)
        everybody = reading.ids_of_faces(writing, collection.id)
        if everybody - have - lost:
            return False
        for portion in reading.in_portions(sorted(have)):
            writing.connection.execute(
                TEMPLATE.delete().where(TEMPLATE.c.face_id.in_(portion), TEMPLATE.c.space != space)
            )
        change = COLLECTION.update().where(COLLECTION.c.id == collection.id)
        embedder = space.partition(":")[0]
        key = writing.ring.wrap(new_key(), f"index|{collection.id}")
        writing.connection.execute(
            change.values(space=space, embedder=embedder, next_space=None, index_key=key)
        )
        writing.note("upgraded", collection.id, space=space, lost=sorted(lost))
    return True
