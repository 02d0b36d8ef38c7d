"""About people who are known, and their faces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from msgspec import UNSET, UnsetType

from mien.answers.people import EnrolRow, PersonRow, PersonVerifyRow, StoredFaceRow
from mien.answers.service import Page
from mien.client.call import Call, Form, Received, json, page, pairs, path, row
from mien.client.photographs import Photo, uploads
from mien.gallery.forgetting import Forgotten
from mien.pipeline.choosing import Choice
from mien.settings import Gate


def listed(
    *,
    tags: Iterable[str] = (),
    name: str | None = None,
    containing: str | None = None,
    collection: str = "default",
) -> Call[Page[PersonRow]]:
    """List the people of a collection. Scope `search`.

    Args:
        tags: Only who has all of these.
        name: Only who is called exactly so.
        containing: Only whose name contains this.
        collection: Where.
    """
    query = pairs(tag=tags, name=name, q=containing)
    return Call("GET", path("collections", collection, "people"), page(PersonRow), query)


def enroll(
    photos: Photo | Iterable[Photo],
    name: str,
    *,
    tags: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    consent_note: str | None = None,
    consent_until: date | None = None,
    face: Choice | None = None,
    gate: Gate | None = None,
    keep_picture: bool | None = None,
    collection: str = "default",
) -> Call[EnrolRow]:
    """Make a person known by one or several photographs. Scope `enroll`.

    Args:
        photos: One or several.
        name: To be given back by `identify`. If somebody is called so, the faces are added.
        tags: Words to filter by.
        metadata: Anything else that is JSON.
        consent_note: On what the consent, or another ground, rests.
        consent_until: Last day of the consent.
        face: Which face of each: `only`, which is what it is otherwise, or `largest`.
        gate: How good a face has to be. None: as the server has it.
        keep_picture: Keep a small picture of each face, encrypted. None: as the server has it.
        collection: Where.

    Raises:
        InputError: No photograph gave a face; the error of the first, with all in `details`.
    """
    fields = pairs(
        name=name,
        tags=tags,
        metadata=metadata,
        consent_note=consent_note,
        consent_until=consent_until,
        face=face,
        gate=gate,
        keep_picture=keep_picture,
    )
    where = path("collections", collection, "people")
    return Call("POST", where, row(EnrolRow), body=_form(photos, fields), repeat="keyed")


def get(person: str, *, collection: str = "default") -> Call[PersonRow]:
    """Somebody, by identifier or name. Scope `search`.

    Raises:
        PersonUnknown: Nobody is called so.
    """
    return Call("GET", _path(collection, person), row(PersonRow))


def edit(
    person: str,
    *,
    name: str | UnsetType = UNSET,
    tags: Iterable[str] | UnsetType = UNSET,
    metadata: Mapping[str, Any] | UnsetType = UNSET,
    consent_note: str | UnsetType = UNSET,
    consent_until: date | UnsetType | None = UNSET,
    version: int | None = None,
    collection: str = "default",
) -> Call[PersonRow]:
    """Change what is known about somebody; what is not given stays. Scope `enroll`.

    Args:
        person: Identifier or name.
        name: The new one.
        tags: All of them.
        metadata: All of it.
        consent_note: See `enroll`.
        consent_until: The last day; None: without end.
        version: Refuse if the person is not of this version any more.
        collection: Where.

    Raises:
        VersionStale: Somebody has changed the person since.
        PersonExists: Somebody else has the new name.
    """
    body = json(
        name=name,
        tags=tags if isinstance(tags, UnsetType) else list(tags),
        metadata=metadata,
        consent_note=consent_note,
        consent_until=consent_until,
    )
    where = _path(collection, person)
    return Call("PATCH", where, row(PersonRow), body=body, repeat="never", if_match=version)


def forget(person: str, *, collection: str = "default") -> Call[Forgotten | None]:
    """Forget somebody for good, in backups too. Scope `enroll`.

    Returns:
        None; or what was forgotten, if there is a backup that could not be reached.
    """
    return Call("DELETE", _path(collection, person), forgotten, repeat="keyed")


def faces(person: str, *, collection: str = "default") -> Call[Page[StoredFaceRow]]:
    """List the faces of somebody. Scope `search`."""
    return Call("GET", _path(collection, person, "faces"), page(StoredFaceRow))


def add(
    person: str,
    photos: Photo | Iterable[Photo],
    *,
    face: Choice | None = None,
    gate: Gate | None = None,
    keep_picture: bool | None = None,
    collection: str = "default",
) -> Call[EnrolRow]:
    """Add faces of somebody who is known. Scope `enroll`. See `enroll`."""
    body = _form(photos, pairs(face=face, gate=gate, keep_picture=keep_picture))
    return Call("POST", _path(collection, person, "faces"), row(EnrolRow), body=body, repeat="keyed")


def merge(person: str, others: Iterable[str], *, collection: str = "default") -> Call[PersonRow]:
    """Make several people one: faces of the others go over to the first. Scope `enroll`."""
    body = json(others=list(others))
    return Call("POST", _path(collection, person, "merge"), row(PersonRow), body=body, repeat="keyed")


def split(
    person: str, faces: Iterable[str], to: str | None = None, *, collection: str = "default"
) -> Call[PersonRow]:
    """Make another person of some faces of somebody. Scope `enroll`.

    Args:
        person: Whose faces they are.
        faces: Identifiers.
        to: Name of the new person; None: none.
        collection: Where.
    """
    body = json(faces=list(faces), to=to)
    return Call("POST", _path(collection, person, "split"), row(PersonRow), body=body, repeat="keyed")


def verify(
    person: str, photo: Photo, *, face: Choice | None = None, collection: str = "default"
) -> Call[PersonVerifyRow]:
    """Ask whether a photograph shows somebody who is known. Scope `verify`."""
    body = _form(photo, pairs(face=face))
    return Call("POST", _path(collection, person, "verify"), row(PersonVerifyRow), body=body)


def forgotten(received: Received) -> Forgotten | None:
    """Read what was forgotten; nothing is said if nothing is left to say."""
    return row(Forgotten)(received) if received.content else None


def _path(collection: str, person: str, *more: str) -> str:
    return path("collections", collection, "people", person, *more)


def _form(photos: Photo | Iterable[Photo], fields: tuple[tuple[str, str], ...]) -> Form:
    return Form(fields, tuple(("photo", one) for one in uploads(photos)))
