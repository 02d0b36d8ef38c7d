"""Subjects: people of the collection that a key is for."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.responses import Response

from mien.errors import PersonExists, PersonUnknown
from mien.gallery.gallery import Gallery
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import about
from mien.gallery.vault.keyring import same_form
from mien.server.answers import json_answer
from mien.server.asking import Asking
from mien.server.compreface.shapes import Deleted, Subject, Subjects, Updated
from mien.server.compreface.whose import look_after, to_enrol
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["CompreFace"], prefix="/recognition/subjects")


class Named(msgspec.Struct, frozen=True):
    """What a subject is called."""

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


# CompreFace documents the address with a slash, and its clients ask without.
@door.at("GET", "", Plan("search", Subjects))
@door.at("GET", "/", Plan("search", Subjects))
async def subjects(ask: Asking) -> Response:
    """List the subjects."""
    none = Subjects([])
    found = await look_after(ask, lambda known: Subjects([one.name for one in known.people()]), none)
    return json_answer(found)


@door.at("POST", "", Plan("enroll", Subject, 201, body=Named, repeatable=True))
async def add(ask: Asking) -> Response:
    """Make a subject that has no face yet."""
    name = (await ask.body(Named)).subject
    told = about(name)
    gallery = await to_enrol(ask)

    def added() -> None:
        if _is_known(gallery, name):
            raise PersonExists("There is a subject of that name already.")
        gallery.enroll_many([Newcomer(told, [])], gallery.rule.space)

    await ask.do(added)
    return json_answer(Subject(name), 201)


@door.at("PUT", "/{subject}", Plan("enroll", Updated, body=Named))
async def rename(subject: str, ask: Asking) -> Response:
    """Rename a subject; if the new name is taken, its faces go to that subject."""
    name = (await ask.body(Named)).subject
    told = about(name)

    def renamed(gallery: Gallery) -> bool:
        person = gallery.person(subject)
        if person.about.name is not None and same_form(name) == same_form(person.about.name):
            return False
        if _is_known(gallery, name):
            gallery.merge(name, [person.id])
        else:
            gallery.edit(person.id, name=told.name)
        return True

    return json_answer(Updated(await look_after(ask, renamed, _nobody(subject))))


@door.at("DELETE", "/{subject}", Plan("enroll", Subject))
async def delete(subject: str, ask: Asking) -> Response:
    """Forget a subject with all its faces, for good."""

    def deleted(gallery: Gallery) -> str:
        person = gallery.person(subject)
        gallery.forget(person.id)
        return person.name

    return json_answer(Subject(await look_after(ask, deleted, _nobody(subject))))


@door.at("DELETE", "", Plan("enroll", Deleted))
async def delete_all(ask: Asking) -> Response:
    """Forget all subjects with all their faces, for good."""

    def deleted(gallery: Gallery) -> int:
        everybody = [person.id for person in gallery.people()]
        return len(gallery.forget(everybody).people) if everybody else 0

    return json_answer(Deleted(await look_after(ask, deleted, 0)))


def _nobody(subject: str) -> PersonUnknown:
    return PersonUnknown(f"There is no subject {subject!r}.")


def _is_known(gallery: Gallery, name: str) -> bool:
    try:
        gallery.person(name)
    except PersonUnknown:
        return False
    return True
