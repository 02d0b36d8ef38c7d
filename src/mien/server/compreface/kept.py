"""Saved faces of a collection, one by one or in pages; nothing is opened that is not asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest, ConsentExpired, FaceUnknown, PersonUnknown
from mien.gallery.gallery import Gallery, Vectors
from mien.gallery.store import audit, reading
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.records import StoredFace
from mien.ops.vectors import DISTANCES
from mien.server.compreface.shapes import Example, Examples


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """How far probes are from a saved face.

    Attributes:
        subject: Whose the face is.
        distance: `(n,)`, by the rule of the gallery.
    """

    subject: str = field(repr=False)
    distance: NDArray[np.floating[Any]]


def page_of(gallery: Gallery, subject: str | None, page: int, size: int) -> Examples:
    """Faces of everybody, or of one subject, in the order in which they were saved."""
    here = gallery.collection.id
    with gallery.store.writing(light=True) as writing:
        try:
            person = None if subject is None else reading.person_id(writing, here, subject)
            ids = sorted(reading.ids_of_faces(writing, here, person=person))
        except PersonUnknown:
            ids = []
        wanted = ids[page * size : (page + 1) * size]
        found = _examples(writing, here, reading.faces(writing, here, ids=wanted))
        writing.note("listed", here, faces=len(found))
    return Examples(found, page, size, -(-len(ids) // size), len(ids))


def apart(gallery: Gallery, image_id: str, probes: Vectors) -> Apart:
    """Compare probes `(n, d)` with a saved face.

    Raises:
        FaceUnknown: There is none.
        ConsentExpired: The consent of its person has run out.
        BadRequest: Probes are of another length.
    """
    collection = gallery.collection
    with gallery.store.writing(light=True) as writing:
        found = reading.known_faces(writing, collection.id, [image_id])
        person = found[0].person_id
        if (collection.id, person) in reading.expired(writing, audit.today(), collection.id):
            raise ConsentExpired("The consent of the person of this face has run out.")
        (example,) = _examples(writing, collection.id, found)
        own = reading.templates(writing, collection, face_ids=[image_id]).vectors
        if probes.shape[1] != own.shape[1]:
            raise BadRequest(f"An embedding wants {own.shape[1]} numbers, got {probes.shape[1]}.")
        writing.note("compared", collection.id, probes=len(probes), person=person, face=image_id)
    return Apart(example.subject, DISTANCES[gallery.rule.metric](probes, own)[:, 0])


def delete(gallery: Gallery, image_ids: Sequence[str], *, all_known: bool) -> list[Example]:
    """Delete faces; their subjects stay.

    Args:
        gallery: Of the collection.
        image_ids: Which.
        all_known: Whether an unknown one is an error.

    Raises:
        FaceUnknown: One of them is unknown.
    """
    here = gallery.collection.id
    with gallery.store.reading() as snapshot:
        look_up = reading.known_faces if all_known else _those_known
        faces = look_up(snapshot, here, image_ids)
        found = _examples(snapshot, here, faces)
    if faces:
        gallery.drop_faces([face.id for face in faces])
    return found


def face_at(gallery: Gallery, person: str, place: str) -> str:
    """The face of somebody from a place of a photograph, which is saved once however often it is sent.

    Raises:
        PersonUnknown: There is nobody like that.
        FaceUnknown: The face was deleted meanwhile.
    """
    faces = [face.id for face in gallery.faces(person) if face.provenance.place == place]
    if not faces:
        raise FaceUnknown("The face was deleted while it was saved again.", hint="Send it again.")
    return faces[-1]


def no_face(image_id: str) -> FaceUnknown:
    """What is said about a face where there is none yet."""
    return FaceUnknown(f"There is no face {image_id!r}.")


def _those_known(snapshot: Snapshot, collection_id: str, ids: Sequence[str]) -> tuple[StoredFace, ...]:
    return reading.faces(
        snapshot, collection_id, ids=sorted(reading.ids_of_faces(snapshot, collection_id, ids))
    )


def _examples(snapshot: Snapshot, collection_id: str, faces: Sequence[StoredFace]) -> list[Example]:
    people = reading.people(snapshot, collection_id, ids=sorted({face.person_id for face in faces}))
    names = {person.id: person.name for person in people}
    return [Example(face.id, names[face.person_id]) for face in faces]
