"""Cases of missing persons: photographs of somebody who is looked for among those who are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from starlette.responses import Response

from mien.answers.cases import CaseRow, ListedCaseRow, case_row, listed_case_row
from mien.answers.service import Page
from mien.core.analysis import Analysis, Failure
from mien.errors import BadRequest
from mien.gallery.forgetting import Forgotten
from mien.media.taken import day_taken
from mien.people import kept_cases
from mien.people.cases import Says, check_told
from mien.people.kept_cases import KeptCase, Shown, Told
from mien.people.probes import Looked, looked_at
from mien.pipeline.choosing import Choice
from mien.pipeline.stages import DETECTION
from mien.server.answers import json_answer, picture_answer
from mien.server.asking import Ask, Asking, failures_of
from mien.server.cursors import Part, after, page
from mien.server.doors import Door
from mien.server.plans import PHOTO, Plan
from mien.server.uploads import Upload
from mien.server.v1.collections import forgotten_answer
from mien.server.v1.pictures import Which

door = Door(tags=["missing persons"], prefix="/collections/{collection}/cases")


class NewCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case: what it is called, among whom to look, and when the photographs were taken.

    `taken` is given once for each photograph, in order: a year or a day, or nothing if the photograph says it
    or nobody knows.
    """

    title: Annotated[str, msgspec.Meta(max_length=200)] = ""
    notes: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    tags: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    face: Which = "only"


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person who looked at a candidate says: whether it is the one who is looked for."""

    says: Says
    note: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


@door.at("GET", "", Plan("search", Page[ListedCaseRow], options=Part))
async def cases(collection: str, ask: Asking) -> Response:
    """List the cases of a collection, the newest first."""
    part = await ask.options(Part)
    people, start = await ask.known(collection), after(part.cursor) or None
    found = await ask.do(lambda: kept_cases.cases(people, after=start, limit=part.limit + 1))
    return json_answer(page(found, part.limit, lambda one: one.id, listed_case_row))


@door.at(
    "POST",
    "",
    Plan("enroll", CaseRow, 201, photos=PHOTO, several=True, options=NewCase, repeatable=True, etag=True),
)
async def begin(collection: str, ask: Asking) -> Response:
    """Begin a case; every photograph has to show the person who is looked for."""
    told = await ask.options(NewCase)
    check_told(told.title, told.notes)
    uploads = await ask.photographs()
    if len(told.taken) > len(uploads):
        raise BadRequest(f"{len(uploads)} photographs were not taken at {len(told.taken)} times.")
    people = await ask.gallery(collection)
    looked = await _looked(ask, uploads, [told.face] * len(uploads))
    shown = [
        Shown(upload.name, upload.content, one, said, day_taken(upload.content))
        for upload, one, said in zip(
            uploads, looked, [*told.taken, *[""] * (len(uploads) - len(told.taken))], strict=True
        )
    ]
    about = Told(told.title, told.notes, told.tags, told.face)
    return _answer(await ask.do(lambda: kept_cases.begin(people, about, shown)), 201)


@door.at("GET", "/{case}", Plan("search", CaseRow, etag=True))
async def case(collection: str, case: str, ask: Asking) -> Response:
    """Tell whom to look for, what was found last and what was said about it."""
    people = await ask.known(collection)
    return _answer(await ask.do(lambda: kept_cases.case(people, case)))


@door.at("POST", "/{case}/run", Plan("search", CaseRow, etag=True))
async def run(collection: str, case: str, ask: Asking) -> Response:
    """Look for the person of a case among those who are known now."""
    people, version = await ask.gallery(collection), ask.version_wanted()
    found, contents = await ask.do(lambda: kept_cases.photographs(people, case))
    uploads = [Upload(probe.photograph, one) for probe, one in zip(found.probes, contents, strict=True)]
    looked = await _looked(ask, uploads, [probe.face for probe in found.probes])
    return _answer(await ask.do(lambda: kept_cases.run(people, case, looked, version=version)))


@door.at("PUT", "/{case}/reviews/{person}", Plan("enroll", CaseRow, body=Said, etag=True))
async def review(collection: str, case: str, person: str, ask: Asking) -> Response:
    """Keep what somebody says about a candidate, by the identifier of the person."""
    said = await ask.body(Said)
    people, version = await ask.known(collection), ask.version_wanted()
    done = await ask.do(
        lambda: kept_cases.review(people, case, person, said.says, said.note, version=version)
    )
    return _answer(done)


@door.at("DELETE", "/{case}", Plan("enroll", None, 204, others={200: Forgotten}, repeatable=True))
async def delete(collection: str, case: str, ask: Asking) -> Response:
    """Delete a case for good, with its photographs.

    200 tells that there is a backup that could not be reached, which still holds it.
    """
    people, version = await ask.known(collection), ask.version_wanted()
    return forgotten_answer(await ask.do(lambda: kept_cases.delete(people, case, version=version)))


@door.at("GET", "/{case}/pictures/{name}", Plan("search", "image/jpeg"))
async def picture(collection: str, case: str, name: str, ask: Asking) -> Response:
    """Give a picture of a face of a case: `probe-1.jpg` and so on, or `face-ID.jpg`."""
    people = await ask.known(collection)
    return picture_answer(await ask.do(lambda: kept_cases.picture(people, case, name)))


async def _looked(ask: Ask, uploads: Sequence[Upload], faces: Sequence[Choice]) -> list[Looked]:
    """The faces that are meant, of all photographs; else the error of the first that lacks it, with all."""
    faces_by_photograph = dict(zip((one.digest for one in uploads), faces, strict=True))

    def cut_out(found: Analysis) -> Looked:
        return looked_at(found, faces_by_photograph[found.image.digest or ""])

    found = await ask.make_all((*DETECTION, "embedding"), uploads, cut_out)
    failures = [one for one in found if isinstance(one, Failure)]
    if failures:
        raise failures_of(failures[0].error, failures)
    return [one for one in found if isinstance(one, Looked)]


def _answer(kept: KeptCase, status: int = 200) -> Response:
    return json_answer(case_row(kept), status, etag=f'"{kept.version}"')
