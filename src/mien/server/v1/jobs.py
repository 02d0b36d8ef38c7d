"""Jobs: long work on many photographs, which goes on while nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.responses import Response, StreamingResponse

from mien.answers.jobs import JobRow
from mien.answers.service import Page
from mien.errors import BadRequest, MienError
from mien.jobs import desk
from mien.jobs.job import ENDED, KeptJob, job_row
from mien.jobs.kinds import KINDS, kind_of
from mien.jobs.photographs import Sent
from mien.jobs.results import results
from mien.server.answers import encoded, json_answer, nothing
from mien.server.asking import Ask, Asking, key_of
from mien.server.cursors import Part, after, page
from mien.server.doors import Door
from mien.server.plans import PHOTO, Plan
from mien.server.uploads import Upload

door = Door(tags=["jobs"], prefix="/jobs")

_POLL_S = 0.3
# Something between may close a connection on which nothing is said.
_WORD_S = 15.0


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job: its kind, the collection it is about, and what is wished, which depends on the kind.

    `folder` is one of the server's, below one that its operator allows. Unless `start` is false, the job is
    started at once; until then photographs may be added.
    """

    kind: Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(KINDS)})$")]
    collection: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    options: dict[str, Any] | None = None
    folder: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None
    start: bool = True


@door.at(
    "POST",
    "",
    Plan("anybody", JobRow, 202, photos=PHOTO, least=0, several=True, options=NewJob, repeatable=True),
)
async def make(ask: Asking) -> Response:
    """Make a job of the kind `analyze`, `identify`, `enroll` or `cluster`.

    The key needs the scope of the kind: `detect`, `search`, `enroll`, `enroll`; for a folder of the server
    `admin`. A job that enrols takes who it is from the option `person`, or from the folder in the name of
    each photograph: `Ada/1.jpg`.
    """
    told = await ask.options(NewJob)
    options = dict(told.options or {})
    if told.kind == "analyze":
        options.setdefault("columns", list(ask.service.usual))
    folder = None if told.folder is None else Path(told.folder)
    wanted = desk.Wanted(told.kind, told.collection, options, folder)
    sent = _sent(await ask.photographs())
    kept = await ask.do(lambda: desk.order(ask.service.kit, ask.caller, wanted, sent, start=told.start))
    ask.service.jobs.wake()
    return json_answer(job_row(kept), 202, location=f"/v1/jobs/{kept.id}")


@door.at("GET", "", Plan("anybody", Page[JobRow], options=Part))
async def listed(ask: Asking) -> Response:
    """List one's own jobs, or everybody's for admins, the newest first."""
    part = await ask.options(Part)
    start = after(part.cursor) or None
    found = await ask.do(lambda: desk.jobs(ask.service.store, ask.caller, after=start, limit=part.limit + 1))
    return json_answer(page(found, part.limit, lambda one: one.id, job_row))


@door.at("GET", "/{job}", Plan("anybody", JobRow))
async def job(job: str, ask: Asking) -> Response:
    """Tell how far a job is."""
    return json_answer(job_row(await _look_up(ask, job)))


@door.at(
    "POST",
    "/{job}/photographs",
    Plan("anybody", JobRow, photos=PHOTO, several=True, repeatable=True),
)
async def add(job: str, ask: Asking) -> Response:
    """Add photographs to a job that was not started."""
    sent = _sent(await ask.photographs())
    kept = await ask.do(lambda: desk.add(ask.service.store, ask.caller, job, sent))
    return json_answer(job_row(kept))


@door.at("POST", "/{job}/start", Plan("anybody", JobRow, 202))
async def start(job: str, ask: Asking) -> Response:
    """Start a job; one that was started already goes on as it is."""
    kept = await ask.do(lambda: desk.start(ask.service.store, ask.caller, job))
    ask.service.jobs.wake()
    return json_answer(job_row(kept), 202)


@door.at("POST", "/{job}/cancel", Plan("anybody", JobRow))
async def cancel(job: str, ask: Asking) -> Response:
    """Cancel a job; one that runs ends after the photographs that are being looked at, and results stay."""
    return json_answer(job_row(await ask.do(lambda: desk.cancel(ask.service.store, ask.caller, job))))


@door.at("GET", "/{job}/results", Plan("anybody", Page[dict[str, Any]], options=Part))
async def given(job: str, ask: Asking) -> Response:
    """List what came of each photograph, as far as it was worked on.

    Entries are as the kind of the job gives them for single photographs: of `analyze` as `/v1/analyze`, of
    `identify` as the command line does, of `enroll` and `cluster` with the name of the photograph. Names of
    people are those of today; who was forgotten is not in them.
    """
    part = await ask.options(Part)
    place = _place(part.cursor)
    kept = await _look_up(ask, job)
    ask.caller.demand(kind_of(kept.job.kind).needs)
    found = await ask.do(lambda: results(ask.service.store, kept, after=place, limit=part.limit + 1))
    return json_answer(page(found, part.limit, lambda one: str(one.place), lambda one: one.row))


@door.at("GET", "/{job}/events", Plan("anybody", "text/event-stream"))
async def events(job: str, ask: Asking) -> Response:
    """Tell how far a job is as it goes on: events `progress`, and `end` with the last.

    The data of each is what `GET /v1/jobs/{job}` answers.
    """
    kept = await _look_up(ask, job)
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(_progress(ask, kept), media_type="text/event-stream", headers=headers)


@door.at("DELETE", "/{job}", Plan("anybody", None, 204, repeatable=True))
async def delete(job: str, ask: Asking) -> Response:
    """Delete a job with its photographs and results for good; one that runs ends."""
    await ask.do(lambda: desk.delete(ask.service.store, ask.caller, job))
    return nothing()


async def _progress(ask: Ask, kept: KeptJob) -> AsyncIterator[bytes]:
    said, said_at = b"", time.monotonic()
    while True:
        ended = kept.state in ENDED
        row = encoded(job_row(kept))
        if ended or row != said:
            yield b"event: %s\ndata: %s\n\n" % (b"end" if ended else b"progress", row)
            said, said_at = row, time.monotonic()
        elif time.monotonic() - said_at > _WORD_S:
            yield b": still there\n\n"
            said_at = time.monotonic()
        if ended or ask.service.stopping.is_set():
            return
        await asyncio.sleep(_POLL_S)
        try:
            await ask.service.caller_of(key_of(ask.request))  # it may have been revoked
            kept = await _look_up(ask, kept.id)
        except MienError:
            return  # asking again says why


async def _look_up(ask: Ask, job_id: str) -> KeptJob:
    return await ask.do(lambda: desk.look_up(ask.service.store, ask.caller, job_id))


def _sent(photographs: tuple[Upload, ...]) -> list[Sent]:
    return [Sent(one.name, one.content, one.folder) for one in photographs]


def _place(cursor: str | None) -> int:
    text = after(cursor) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequest("The cursor is none that was given out.")
    return int(text)
