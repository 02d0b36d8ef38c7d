"""People of a collection: enrol, look, change, forget."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from mien.answers.people import (
    EnrolRow,
    PersonRow,
    PersonVerifyRow,
    StoredFaceRow,
    enrol_row,
    person_row,
    person_verify_row,
    stored_face_row,
)
from mien.answers.service import Page
from mien.core.analysis import Failure
from mien.errors import BadRequest
from mien.gallery.forgetting import Forgotten
from mien.gallery.gallery import Gallery
from mien.gallery.store.records import NewFace, Person, about
from mien.looker import embedding_of
from mien.people.enrolling import Told, keep, new_faces
from mien.pipeline.stages import DETECTION
from mien.server.answers import json_answer
from mien.server.asking import Ask, Asking, failures_of
from mien.server.cursors import Part, after, cut, page
from mien.server.doors import Door
from mien.server.plans import PHOTO, Plan
from mien.server.uploads import shown_failure
from mien.server.v1.collections import forgotten_answer
from mien.server.v1.pictures import VerifyOptions, Which, chosen
from mien.settings import Gate

door = Door(tags=["people"], prefix="/collections/{collection}/people")


class WhichPeople(Part, frozen=True):
    """Which people are listed: with all of these tags, of this name, or with this in their name."""

    tag: tuple[str, ...] = ()
    name: str | None = None
    q: str | None = None


class FaceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How faces are enrolled; what is not given is as the server's settings say.

    Which face of a photograph, how good it has to be, whether a small picture of it is kept, encrypted.
    """

    face: Which = "only"
    gate: Gate | None = None
    keep_picture: bool | None = None


class NewPerson(FaceOptions, frozen=True, kw_only=True):
    """Somebody to be enrolled; who is known by that name already gets the faces."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] | None = None
    consent_note: str = ""
    consent_until: date | None = None


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change about somebody; what is not given stays."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    consent_note: str | UnsetType = UNSET
    consent_until: date | UnsetType | None = UNSET


class Others(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is the same person, by name or identifier."""

    others: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=1000)]


class Faces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Faces by identifier, and whose they are: a name or identifier; null: somebody new without a name."""

    faces: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=10_000)]
    to: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None


@door.at("GET", "", Plan("search", Page[PersonRow], options=WhichPeople))
async def people(collection: str, ask: Asking) -> Response:
    """List the people of a collection, in the order of their enrolment."""
    wanted = await ask.options(WhichPeople)
    found = await ask.do(lambda: _wanted(ask.service.known(collection), wanted))
    return json_answer(page(found, wanted.limit, lambda one: one.id, person_row))


@door.at(
    "POST",
    "",
    Plan("enroll", EnrolRow, 201, photos=PHOTO, several=True, options=NewPerson, repeatable=True),
)
async def enrol(collection: str, ask: Asking) -> Response:
    """Enrol somebody by one or several photographs.

    Photographs that give no face are told of; if none gives one, nobody is enrolled and the error is that of
    the first.
    """
    told = await ask.options(NewPerson)
    about(told.name, told.tags, told.metadata, told.consent_note)  # before anything is looked at
    who = Told(told.name, told.tags, told.metadata or {}, told.consent_note, told.consent_until)
    return await _enrolled(ask, collection, who, told)


@door.at("GET", "/{person}", Plan("search", PersonRow, etag=True))
async def person(collection: str, person: str, ask: Asking) -> Response:
    """Tell what is known about somebody."""
    return _versioned(await ask.do(lambda: ask.service.known(collection).person(person)))


@door.at("PATCH", "/{person}", Plan("enroll", PersonRow, body=Changes, etag=True))
async def change(collection: str, person: str, ask: Asking) -> Response:
    """Change what is known about somebody; with `If-Match`, only if nobody else has meanwhile."""
    told = await ask.body(Changes)
    changes = {name: getattr(told, name) for name in told.__struct_fields__}
    changes = {name: value for name, value in changes.items() if value is not UNSET}
    version = ask.version_wanted()
    done = await ask.do(lambda: ask.service.known(collection).edit(person, version=version, **changes))
    return _versioned(done)


@door.at("DELETE", "/{person}", Plan("enroll", None, 204, others={200: Forgotten}, repeatable=True))
async def forget(collection: str, person: str, ask: Asking) -> Response:
    """Forget somebody for good: the key that seals all that is known is destroyed, in backups too.

    200 tells that there is a backup that could not be reached, which still holds this person.
    """
    return forgotten_answer(await ask.do(lambda: ask.service.known(collection).forget(person)))


@door.at("GET", "/{person}/faces", Plan("search", Page[StoredFaceRow], options=Part))
async def faces(collection: str, person: str, ask: Asking) -> Response:
    """List the faces of somebody, and where they came from."""
    part = await ask.options(Part)
    found = await ask.do(lambda: ask.service.known(collection).faces(person))
    return json_answer(cut(found, part, lambda one: one.id, stored_face_row))


@door.at(
    "POST",
    "/{person}/faces",
    Plan("enroll", EnrolRow, 201, photos=PHOTO, several=True, options=FaceOptions, repeatable=True),
)
async def add_faces(collection: str, person: str, ask: Asking) -> Response:
    """Add faces to somebody who is enrolled."""
    options = await ask.options(FaceOptions)
    known = await ask.do(lambda: ask.service.known(collection).person(person))
    if known.about.name is None:
        raise BadRequest("Somebody without a name gets faces by moving them.", hint="Name the person first.")
    return await _enrolled(ask, collection, Told(known.about.name), options)


@door.at("POST", "/{person}/merge", Plan("enroll", PersonRow, body=Others, repeatable=True))
async def merge(collection: str, person: str, ask: Asking) -> Response:
    """Make others and this person one: their faces and tags go over."""
    others = (await ask.body(Others)).others
    return _versioned(await ask.do(lambda: ask.service.known(collection).merge(person, others)))


@door.at("POST", "/{person}/split", Plan("enroll", PersonRow, body=Faces, repeatable=True))
async def split(collection: str, person: str, ask: Asking) -> Response:
    """Make two people of one: some of the faces go to somebody else."""
    told = await ask.body(Faces)
    done = await ask.do(lambda: ask.service.known(collection).split(person, told.faces, told.to))
    return _versioned(done)


@door.at("POST", "/{person}/verify", Plan("verify", PersonVerifyRow, photos=PHOTO, options=VerifyOptions))
async def verify_person(collection: str, person: str, ask: Asking) -> Response:
    """Decide whether a photograph shows somebody who is enrolled, whatever others look like."""
    (photo,) = await ask.photographs()
    options = await ask.options(VerifyOptions)
    gallery = await ask.gallery(collection)
    face = chosen(await ask.look((*DETECTION, "embedding"), photo), options.face)
    match = await ask.do(lambda: gallery.compare(person, *embedding_of(face))[0][0])
    return json_answer(person_verify_row(match, gallery.rule))


async def _enrolled(ask: Ask, collection: str, who: Told, options: FaceOptions) -> Response:
    gallery = await ask.gallery(collection)
    keeping = ask.service.keeping(options.face, options.gate, crops=options.keep_picture)
    photos = await ask.photographs()
    results = await ask.make_all(keeping.columns, photos, lambda found: new_faces([found], keeping))
    faces: list[NewFace] = []
    failures: list[Failure] = []
    for one in results:
        kept, failed = ([], [one]) if isinstance(one, Failure) else one
        faces += kept
        failures += [shown_failure(each) for each in failed]
    if not faces:
        raise failures_of(failures[0].error, failures)
    done = await ask.do(lambda: keep(gallery, who, faces, failures, gallery.rule.space))
    return json_answer(enrol_row(who.name, done), 201)


def _wanted(known: Gallery, wanted: WhichPeople) -> list[Person]:
    """Those who are left of the list, in order; if all are wanted, no more of them than are given."""
    start = after(wanted.cursor)
    if not (wanted.tag or wanted.name or wanted.q):
        return list(known.people(after=start, limit=wanted.limit + 1))
    sought = (wanted.q or "").casefold()
    names = {wanted.name} if wanted.name is not None else None
    return [
        one
        for one in known.people(wanted.tag, after=start)
        if sought in (one.about.name or "").casefold() and (names is None or one.about.name in names)
    ]


def _versioned(found: Person) -> Response:
    return json_answer(person_row(found), etag=f'"{found.version}"')
