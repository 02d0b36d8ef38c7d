"""The groups of an album as a reviewer sees them, and what a reviewer decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.gallery import people
from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store import reading
from mien.gallery.store.editing import move_faces
from mien.gallery.store.records import Person, StoredFace
from mien.gallery.store.store import Writing
from mien.ops.vectors import l2_normalise


@dataclass(frozen=True, slots=True)
class Member:
    """A face of a group.

    Attributes:
        face: Where it is from.
        distance: Root mean square of its distances to the other faces, in the metric of the embedder; 0 if
            there are none.
        sure: Whether that is within the threshold of one person, or somebody said whose face it is.
    """

    face: StoredFace
    distance: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Faces that are taken for one person's.

    Attributes:
        person: Who; mostly without a name.
        members: The faces, those that are most like the others first.
    """

    person: Person
    members: tuple[Member, ...] = field(repr=False)


def groups(album: Gallery) -> tuple[Group, ...]:
    """Everybody in an album, those with most faces first."""
    with album.store.reading() as snapshot:
        everybody = reading.people(snapshot, album.collection.id)
        faces = {face.id: face for face in reading.faces(snapshot, album.collection.id)}
        found = reading.templates(snapshot, album.collection)
    with album.store.writing(light=True) as writing:
        writing.note("listed", album.collection.id, people=len(everybody), faces=len(faces))
    rows: dict[str, list[int]] = {person.id: [] for person in everybody}
    for row, owner in enumerate(found.person):
        rows[owner.decode()].append(row)
    made = [
        Group(
            person,
            _members(
                [faces[found.face[row].decode()] for row in rows[person.id]],
                found.vectors[rows[person.id]],
                album.rule,
            ),
        )
        for person in everybody
    ]
    return tuple(sorted(made, key=lambda one: (-len(one.members), one.person.id)))


def _members(
    faces: Sequence[StoredFace], vectors: NDArray[np.float32], rule: DecisionRule
) -> tuple[Member, ...]:
    distance = typical_distances(vectors, rule)
    return tuple(
        Member(faces[i], float(distance[i]), bool(faces[i].by_hand or distance[i] <= rule.distance))
        for i in np.argsort(distance, kind="stable")
    )


def typical_distances(vectors: NDArray[np.float32], rule: DecisionRule) -> NDArray[np.float64]:
    """Root mean square of the distances of each vector `(n, d)` to the n - 1 others; `(n,)`.

    With cosine distance, which is half a squared distance of vectors of length one, it is the mean.
    """
    count = len(vectors)
    if count < 2:
        return np.zeros(count)
    exact = vectors.astype(np.float64)
    points = l2_normalise(exact) if rule.metric == "cosine" else exact - exact.mean(axis=0)
    square = (points**2).sum(axis=1)
    # The mean over the others, without a table of all pairs; a face's distance to itself adds nothing.
    sums = count * square + square.sum() - 2 * points @ points.sum(axis=0)
    mean: NDArray[np.float64] = np.clip(sums / (count - 1), 0, None)
    return mean / 2 if rule.metric == "cosine" else np.sqrt(mean)


def move(album: Gallery, face_ids: Sequence[str], to: str | None = None) -> Person:
    """Say that faces are of somebody else than the group they are in, so that they never come back to it.

    Args:
        album: The album.
        face_ids: The faces.
        to: Whose they are: a group, by identifier or name; None: of somebody new.

    Returns:
        Whose they are now.

    Raises:
        FaceUnknown: A face is not in the album.
        PersonUnknown: There is no such group.
        BadRequest: No face is given.
    """
    here = album.collection
    with album.store.writing() as writing:
        moved = reading.known_faces(writing, here.id, face_ids)
        # A slip of the pen must not make somebody new of that name.
        known = None if to is None else reading.person_id(writing, here.id, to)
        target = people.move(writing, here, moved, known)
        for left in sorted({face.person_id for face in moved} - {target}):
            _decide(writing, album, left)
        writing.note("moved", here.id, faces=[face.id for face in moved], person=target)
        (person,) = reading.people(writing, here.id, ids=[target])
    album.nearby.follow()
    return person


def _decide(writing: Writing, album: Gallery, person: str) -> None:
    """Keep a group apart from what was taken out of it: a face that stays was seen, and is the group's."""
    stay = reading.faces(writing, album.collection.id, person=person)
    if stay and not any(face.by_hand for face in stay):
        move_faces(writing, album.collection, stay[:1], person, album.collection)


def name(album: Gallery, who: str, called: str, gallery: Gallery | None = None) -> Person:
    """Give a group a name.

    Args:
        album: The album.
        who: The group, by identifier or name.
        called: The name.
        gallery: A collection that takes the group over, so that its person is found there from now on; who
            has the name there already gets the faces. None: the group stays in the album.

    Raises:
        PersonUnknown: There is no such group.
        PersonExists: Another group of the album has the name.
        BadRequest: It is no name.
        SpaceMismatch: The collection is of another embedder.
    """
    if gallery is None or gallery.collection == album.collection:
        return album.edit(who, name=called)
    if not called.strip():
        raise BadRequest("A person needs a name.")
    return gallery.adopt(album, who, called)
