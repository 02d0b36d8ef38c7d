"""Single faces of a collection."""

from __future__ import annotations

from starlette.responses import Response

from mien.answers.people import OwnedFaceRow, PersonRow, owned_face_row, person_row
from mien.errors import FaceUnknown
from mien.gallery.store import reading
from mien.gallery.store.records import StoredFace
from mien.server.answers import json_answer, nothing, picture_answer
from mien.server.asking import Ask, Asking
from mien.server.doors import Door
from mien.server.plans import Plan
from mien.server.v1.people import Faces

door = Door(tags=["faces"], prefix="/collections/{collection}/faces")


@door.at("POST", "/move", Plan("enroll", PersonRow, body=Faces, repeatable=True))
async def move(collection: str, ask: Asking) -> Response:
    """Give faces to somebody else: who is known, or a new name; or somebody new without one."""
    told = await ask.body(Faces)
    done = await ask.do(lambda: ask.service.known(collection).move(told.faces, told.to))
    return json_answer(person_row(done), etag=f'"{done.version}"')


@door.at("GET", "/{face}", Plan("search", OwnedFaceRow))
async def face(collection: str, face: str, ask: Asking) -> Response:
    """Tell where a face came from, and whose it is."""
    return json_answer(owned_face_row(await ask.do(lambda: _face(ask, collection, face))))


@door.at("GET", "/{face}/picture", Plan("search", "image/jpeg"))
async def picture(collection: str, face: str, ask: Asking) -> Response:
    """Give the small picture that was kept of a face."""
    found = await ask.do(lambda: ask.service.known(collection).crop(face))
    if found is None:
        raise FaceUnknown("No picture of this face is kept.", hint="Enrol with keep_picture=true.")
    return picture_answer(found)


@door.at("DELETE", "/{face}", Plan("enroll", None, 204, repeatable=True))
async def drop(collection: str, face: str, ask: Asking) -> Response:
    """Delete a face; the person stays."""
    await ask.do(lambda: ask.service.known(collection).drop_faces([face]))
    return nothing()


def _face(ask: Ask, collection: str, face: str) -> StoredFace:
    known = ask.service.known(collection)
    with ask.service.store.writing(light=True) as writing:
        (found,) = reading.known_faces(writing, known.collection.id, [face])
        writing.note("saw", known.collection.id, face=face)
    return found
