"""Errors as answers: one envelope, never a traceback."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match, Route

from mien import errors as e
from mien.answers.pictures import encodable
from mien.answers.service import ErrorBody
from mien.server.answers import json_answer
from mien.server.envelopes import envelope_of
from mien.server.status import status_of
from mien.server.uploads import shown_text

# What Starlette says by status alone.
_BY_STATUS: dict[int, tuple[type[e.MienError], str]] = {
    404: (e.RouteUnknown, "There is nothing at this address."),
    405: (e.MethodRefused, "This address is not asked in this way."),
}
_SLASHED = "A name with a slash cannot be part of an address: use the identifier."
# What passes by itself, and after how many seconds it may be worth to ask again.
_AGAIN_S: dict[type[e.MienError], float] = {e.StoreLocked: 1, e.StoreUnreachable: 5, e.OutOfMemory: 5}
_OF_THE_STORE = (
    *(e.StoreLocked, e.StoreNewer, e.StoreCorrupt, e.StoreFull, e.StoreReadOnly, e.StoreUnreachable),
    *(e.KeyWrong, e.KeyMissing),
)
# Nobody reads it; for the log.
_GONE = 499
DEFECT = ErrorBody("defect", "Mien made a mistake.", "The log of the server says more, by the request id.")


def request_id_of(scope: Mapping[str, object]) -> str:
    """The identifier of a request, as `mien.server.telling` made it."""
    state = scope.get("state")
    return str(state.get("request_id", "")) if isinstance(state, dict) else ""


def error_answer(error: e.MienError, scope: Mapping[str, Any]) -> Response:
    """An error in the envelope of the API that was asked, with its status and when to come again."""
    headers = {}
    again_s = error.retry_after_s if isinstance(error, e.ServiceError) else _AGAIN_S.get(type(error))
    if again_s is not None:
        headers["retry_after"] = str(max(1, math.ceil(again_s)))
    if isinstance(error, e.Unauthenticated):
        headers["www_authenticate"] = "Bearer"
    message = shown_text(encodable(error.message))
    if isinstance(error, _OF_THE_STORE):
        message = (type(error).__doc__ or "").strip()  # the message itself says where the store is
    # That there is no such collection is said with the names of those that there are: not to every key.
    hint = "Yours: GET /v1/collections" if isinstance(error, e.CollectionUnknown) else encodable(error.hint)
    body = ErrorBody(error.code, message, hint, error.details)
    envelope = envelope_of(scope["path"])
    status = envelope.statuses.get(error.code) or status_of(error)
    return json_answer(envelope.wrap(body, request_id_of(scope)), status, **headers)


def defect_answer(scope: Mapping[str, Any]) -> Response:
    """What is said about a mistake of ours."""
    return json_answer(envelope_of(scope["path"]).wrap(DEFECT, request_id_of(scope)), 500)


def answer_errors(app: FastAPI) -> None:
    """Make an application answer all its errors like this."""

    async def deliberate(request: Request, error: Exception) -> Response:
        assert isinstance(error, e.MienError)  # noqa: S101 - registered for these
        request.scope["state"]["error"] = error
        return error_answer(error, request.scope)

    async def unfitting(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for these
        places = ", ".join(".".join(str(part) for part in one["loc"]) for one in error.errors())
        return await deliberate(request, e.BadRequest(f"This does not fit: {places}."))

    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for these
        kind, said = _BY_STATUS.get(error.status_code, (e.BadRequest, error.detail))
        slashed = b"%2f" in request.scope.get("raw_path", b"").lower()
        answer = await deliberate(request, kind(said, hint=_SLASHED if slashed else None))
        answer.headers.update(error.headers or {})
        if kind is e.MethodRefused:
            answer.headers["allow"] = ", ".join(_methods(app, request))
        return answer

    async def mistaken(request: Request, _error: Exception) -> Response:
        return defect_answer(request.scope)

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=_GONE)

    app.add_exception_handler(Exception, mistaken)  # it is raised all the same, and told of by `Telling`
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(e.MienError, deliberate)
    app.add_exception_handler(RequestValidationError, unfitting)
    app.add_exception_handler(HTTPException, unknown)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """What may be done at an address; Starlette knows of the first route only."""
    routes = [one for one in app.routes if isinstance(one, Route)]
    return sorted(
        {
            method
            for route in routes
            if route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
    )
