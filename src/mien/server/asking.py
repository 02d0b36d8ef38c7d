"""A request as handlers see it: who asks, what is given, and what they may use to answer.

There is no other way from a handler to the service, so that no route can forget to ask for a key.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Request
from fastapi.routing import APIRoute

from mien.access.grants import Caller
from mien.answers.pictures import failure_row
from mien.core.analysis import Analysis, Failure
from mien.errors import BadRequest, BodyTooLarge, Forbidden, MienError, ServiceError, VersionStale
from mien.gallery.gallery import Gallery
from mien.server.batching import Then, without_pixels
from mien.server.plans import Plan, plan_of
from mien.server.service import Service
from mien.server.uploads import (
    MOST_TEXT_BYTES,
    Given,
    Upload,
    given_values,
    read_given,
    shown_failure,
    texts_of,
)

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
# Who asks through a proxy need not be on this machine.
_PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_MORE = "Many photographs at once are a job: POST /v1/jobs. "
_VERSION = re.compile(r'"(\d{1,9})"')


class Ask:
    """A request, after its key was checked.

    Attributes:
        request: For what is not below.
        service: What requests share.
        caller: Who asks.
        plan: Of the route.
    """

    def __init__(self, request: Request, service: Service, caller: Caller, plan: Plan) -> None:
        self.request, self.service, self.caller, self.plan = request, service, caller, plan
        self._given: Given | None = None

    async def given(self) -> Given:
        """Photographs and parameters. Raises BadRequest, MediaTypeUnsupported."""
        if self._given is None:
            plan, most = self.plan, self.service.serving.max_photographs
            self._given = await read_given(self.request, plan.photos, most)
            count = len(self._given.uploads)
            if count < plan.least or (count > plan.least and not plan.several):
                wanted = f"{plan.least} or more" if plan.several else str(plan.least)
                raise BadRequest(
                    f"Photographs that are wanted: {wanted}; that were sent: {count}.",
                    hint=f"{_MORE if count > plan.least else ''}Send them as {' or '.join(plan.photos)}.",
                )
        return self._given

    async def photographs(self) -> tuple[Upload, ...]:
        """The photographs that were sent. Raises BadRequest, MediaTypeUnsupported."""
        return tuple(upload for _, upload in (await self.given()).uploads)

    async def options(self, kind: type[S]) -> S:
        """Parameters of the query, the form or the JSON beside photographs. Raises BadRequest."""
        values = (
            (await self.given()).values
            if self.plan.photos
            else texts_of(self.request.query_params.multi_items())
        )
        return fitted(given_values(values, kind), kind)

    async def body(self, kind: type[T]) -> T:
        """The JSON that was sent. Raises BadRequest."""
        body = await self.request.body()
        if len(body) > MOST_TEXT_BYTES:
            raise BodyTooLarge(f"JSON without photographs has at most {MOST_TEXT_BYTES:,} bytes.")
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise BadRequest(f"The body does not fit: {error}.", hint="What it may hold: /docs") from error

    async def look(self, columns: Sequence[str], upload: Upload) -> Analysis:
        """Look at a photograph; what is found in it, without its pixels. Raises as `Service.look`."""
        return await self.service.look(upload, tuple(columns), without_pixels)

    async def make(self, columns: Sequence[str], upload: Upload, then: Then[T]) -> T:
        """Look at a photograph, and make something of it and its pixels; see `Batcher.look`."""
        return await self.service.look(upload, tuple(columns), then)

    async def look_at_all(
        self, columns: Sequence[str], uploads: Sequence[Upload]
    ) -> list[Analysis | Failure]:
        """As `look`, for photographs: results in order, failures beside results."""
        return await self.make_all(columns, uploads, without_pixels)

    async def make_all(
        self, columns: Sequence[str], uploads: Sequence[Upload], then: Then[T]
    ) -> list[T | Failure]:
        """As `make`, for photographs: results in order, failures beside results.

        Raises:
            ServiceError: The server has too much to do; nothing of the request is done then.
        """
        together = asyncio.Semaphore(self.service.settings.batch)

        async def result(upload: Upload) -> T | Failure:
            async with together:
                try:
                    return await self.make(columns, upload, then)
                except ServiceError:
                    raise
                except MienError as error:
                    return Failure(upload.name, error)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(result(upload)) for upload in uploads]
        except* ServiceError as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def do(self, work: Callable[[], T]) -> T:
        """Do something with the store; see `Service.do`."""
        return await self.service.do(self.caller, work)

    async def gallery(self, name: str) -> Gallery:
        """The people of a collection, to search them. Raises CollectionUnknown, SpaceMismatch."""
        return await self.do(lambda: self.service.gallery(name))

    async def known(self, name: str) -> Gallery:
        """The people of a collection, to look after them. Raises CollectionUnknown."""
        return await self.do(lambda: self.service.known(name))

    def version_wanted(self) -> int | None:
        """The version that `If-Match` names; None: any. Raises VersionStale of what is no version of ours."""
        text = self.request.headers.get("if-match", "*").strip()
        if text == "*":
            return None
        found = _VERSION.fullmatch(text.removeprefix("W/"))
        if found is None:
            raise VersionStale("If-Match names no version that was given out.")
        return int(found[1])


def fitted(values: dict[str, Any], kind: type[S]) -> S:
    """Values as a struct. Raises BadRequest naming the one that does not fit."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"A parameter does not fit: {error}.", hint="What there is: /docs") from error


def failures_of(error: MienError, failures: Sequence[Failure]) -> MienError:
    """An error that tells of each photograph that led to it."""
    rows = [failure_row(shown_failure(one)) for one in failures]
    error.details = {"failures": msgspec.to_builtins(rows)}
    return error


def service_of(request: Request) -> Service:
    """What requests of this application share."""
    found: Service = request.app.state.service
    return found


def key_of(request: Request) -> str | None:
    """The key that was sent, as bearer or in a header of its own."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" and key.strip() else request.headers.get("x-api-key")


async def asked(request: Request) -> Ask:
    """Check the key for the route.

    Raises:
        Unauthenticated: A key is needed.
        Forbidden: It is not for this, or not for this collection.
        RateLimited: It was used too often.
        Overloaded: Photographs are to come, and too many wait already.
    """
    service, route = service_of(request), request.scope["route"]
    assert isinstance(route, APIRoute)  # noqa: S101 - handlers that ask are of doors
    plan = plan_of(route)
    proxied = any(name in request.headers for name in _PROXIED)
    caller = await service.caller_of(key_of(request), proxied=proxied)
    request.scope["state"]["actor"] = caller.actor
    service.rates.take(caller)
    if plan.needs not in {"anybody", "nobody"}:
        caller.demand(plan.needs)  # type: ignore[arg-type]  # the other two were excluded
    if "collection" in request.path_params:
        caller.demand_collection(request.path_params["collection"])
    elif plan.needs == "admin" and caller.collections is not None:
        raise Forbidden(
            "This key administers some collections, not the server.",
            hint="Ask for a key without collections.",
        )
    if plan.photos:
        await service.batcher.admit()  # before the photographs are read
    return Ask(request, service, caller, plan)


Asking = Annotated[Ask, Depends(asked)]
