"""Examples: the saved faces of subjects."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mien.core.analysis import Analysis, Failure
from mien.errors import BadRequest, FaceUnknown, NoFace, PersonUnknown
from mien.gallery.gallery import Gallery
from mien.gallery.store.records import NewFace, about
from mien.people.enrolling import Told, keep, new_faces
from mien.server.answers import json_answer, picture_answer
from mien.server.asking import Asking
from mien.server.compreface.kept import delete, face_at, no_face, page_of
from mien.server.compreface.looking import sure
from mien.server.compreface.reading import NotNegative, Threshold, options, upload
from mien.server.compreface.shapes import Deleted, Example, Examples
from mien.server.compreface.whose import look_after, to_enrol
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["CompreFace"], prefix="/recognition/faces")
_MOST_ON_A_PAGE = 2000


class NewExample(Threshold, frozen=True, kw_only=True):
    """Whose face it is; the subject is made if there is none of that name."""

    subject: Annotated[str, Meta(min_length=1, max_length=200)]


class WhichExamples(msgspec.Struct, frozen=True):
    """Which page of the faces, and of which subject; without one, of all."""

    page: NotNegative = 0
    size: Annotated[int, Meta(ge=1)] = 20
    subject: str | None = None


class WhoseExamples(msgspec.Struct, frozen=True):
    """Whose faces; without a subject, everybody's."""

    subject: str | None = None


@door.at("POST", "", Plan("enroll", Example, 201, photos=("file",), options=NewExample, repeatable=True))
async def save(ask: Asking) -> Response:
    """Save the only face of a photograph as an example of a subject.

    A photograph that is saved already is not saved again: the answer names the face that is there.
    """
    wanted, photo = await options(ask, NewExample), await upload(ask)
    told = Told(about(wanted.subject).name or "")
    gallery = await to_enrol(ask)
    keeping = ask.service.keeping("only")

    def seen(found: Analysis) -> tuple[list[NewFace], list[Failure]]:
        found = replace(found, faces=sure(found.faces, wanted.det_prob_threshold))
        if not len(found.faces):
            raise NoFace("No face is found in the given image.")
        return new_faces([found], keeping)

    faces, failures = await ask.make(keeping.columns, photo, seen)

    def saved() -> str:
        done = keep(gallery, told, faces, failures, gallery.rule.space)
        if done.face_ids:
            return done.face_ids[0]
        return face_at(gallery, done.person_id, faces[0].provenance.place)

    return json_answer(Example(await ask.do(saved), told.name), 201)


@door.at("GET", "", Plan("search", Examples, options=WhichExamples))
async def examples(ask: Asking) -> Response:
    """List saved faces, in pages of at most 2,000."""
    wanted = await options(ask, WhichExamples)
    page, size = wanted.page, min(wanted.size, _MOST_ON_A_PAGE)
    none = Examples([], page, size, 0, 0)
    found = await look_after(ask, lambda gallery: page_of(gallery, wanted.subject, page, size), none)
    return json_answer(found)


@door.at("DELETE", "", Plan("enroll", Deleted, options=WhoseExamples))
async def delete_all(ask: Asking) -> Response:
    """Forget a subject with all its faces, for good; without a subject, forget everybody."""
    given = ask.request.query_params
    if given and not given.get("subject", "").strip():
        # Nor must a parameter that is misspelt delete everybody.
        raise BadRequest("Whose faces is not said.", hint="Without any parameter, everybody's are deleted.")
    subject = (await options(ask, WhoseExamples)).subject

    def deleted(gallery: Gallery) -> int:
        try:
            who = [subject] if subject is not None else [person.id for person in gallery.people()]
            return gallery.forget(who).faces if who else 0
        except PersonUnknown:
            return 0

    return json_answer(Deleted(await look_after(ask, deleted, 0)))


@door.at("POST", "/delete", Plan("enroll", list[Example], body=list[str]))
async def delete_several(ask: Asking) -> Response:
    """Delete saved faces; those that are unknown are passed over."""
    wanted = await ask.body(list[str])
    none: list[Example] = []
    deleted = await look_after(ask, lambda gallery: delete(gallery, wanted, all_known=False), none)
    return json_answer(deleted)


@door.at("DELETE", "/{image_id}", Plan("enroll", Example))
async def delete_one(image_id: str, ask: Asking) -> Response:
    """Delete a saved face; its subject stays."""
    (deleted,) = await look_after(
        ask, lambda gallery: delete(gallery, [image_id], all_known=True), no_face(image_id)
    )
    return json_answer(deleted)


@door.at("GET", "/{image_id}/img", Plan("search", "image/jpeg"))
async def picture(image_id: str, ask: Asking) -> Response:
    """Give the small picture that was kept of a saved face."""
    found = await look_after(ask, lambda gallery: gallery.crop(image_id), no_face(image_id))
    if found is None:
        raise FaceUnknown(
            "No picture of this face is kept.", hint="Pictures are kept with MIEN_KEEP_CROPS=true."
        )
    return picture_answer(found)
