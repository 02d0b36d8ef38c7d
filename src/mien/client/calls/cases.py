"""About cases of missing persons."""

from __future__ import annotations

from collections.abc import Iterable

from mien.answers.cases import CaseRow, ListedCaseRow
from mien.answers.service import Page
from mien.client.call import Call, Form, Picture, Repeat, json, page, pairs, path, picture, row
from mien.client.calls.people import forgotten
from mien.client.photographs import Photo, uploads
from mien.gallery.forgetting import Forgotten
from mien.people.cases import Says
from mien.pipeline.choosing import Choice


def listed(*, collection: str = "default") -> Call[Page[ListedCaseRow]]:
    """List the cases. Scope `search`."""
    return Call("GET", path("collections", collection, "cases"), page(ListedCaseRow))


def create(
    photos: Photo | Iterable[Photo],
    title: str | None = None,
    *,
    notes: str | None = None,
    tags: Iterable[str] = (),
    taken: Iterable[str] = (),
    face: Choice | None = None,
    collection: str = "default",
) -> Call[CaseRow]:
    """Open a case: photographs of somebody who is looked for in a collection. Scope `enroll`.

    Args:
        photos: One or several.
        title: What it is called.
        notes: Anything else.
        tags: Look only among people who have all of these.
        taken: For each photograph the year or day, ISO 8601; empty if unknown. Nothing: as the
            photographs say themselves.
        face: Which face of each photograph: `only`, which is what it is otherwise, or `largest`.
        collection: Where the person is looked for.
    """
    fields = pairs(title=title, notes=notes, tags=tags, taken=taken, face=face)
    body = Form(fields, tuple(("photo", one) for one in uploads(photos)))
    return Call("POST", path("collections", collection, "cases"), row(CaseRow), body=body, repeat="keyed")


def get(case: str, *, collection: str = "default") -> Call[CaseRow]:
    """A case, with what was found last and what was said about it. Scope `search`."""
    return Call("GET", _path(collection, case), row(CaseRow))


def run(case: str, *, version: int | None = None, collection: str = "default") -> Call[CaseRow]:
    """Look for the person of a case, among the people who are known now. Scope `search`.

    Args:
        case: Identifier.
        version: Refuse if the case is not of this version any more.
        collection: Where.
    """
    where = _path(collection, case, "run")
    return Call("POST", where, row(CaseRow), repeat=_repeat(version), if_match=version)


def review(
    case: str,
    person_id: str,
    says: Says,
    note: str = "",
    *,
    version: int | None = None,
    collection: str = "default",
) -> Call[CaseRow]:
    """Say whether a candidate is the person who is looked for. Scope `enroll`.

    Args:
        case: Identifier.
        person_id: Identifier of the candidate.
        says: `yes`, `no`, `unsure`.
        note: Anything else.
        version: Refuse if the case is not of this version any more.
        collection: Where.
    """
    where, body = _path(collection, case, "reviews", person_id), json(says=says, note=note)
    return Call("PUT", where, row(CaseRow), body=body, repeat=_repeat(version), if_match=version)


def forget(case: str, *, collection: str = "default") -> Call[Forgotten | None]:
    """Forget a case and its photographs for good. Scope `enroll`. See `people.forget`."""
    return Call("DELETE", _path(collection, case), forgotten, repeat="keyed")


def shown(case: str, name: str, *, collection: str = "default") -> Call[Picture]:
    """A picture of a case. Scope `search`.

    Args:
        case: Identifier.
        name: `probe-1.jpg` and so on, or `face-ID.jpg`.
        collection: Where.
    """
    return Call("GET", _path(collection, case, "pictures", name), picture)


def _path(collection: str, case: str, *more: str) -> str:
    return path("collections", collection, "cases", case, *more)


def _repeat(version: int | None) -> Repeat:
    """What was done for a version is refused the second time."""
    return "safe" if version is None else "never"
