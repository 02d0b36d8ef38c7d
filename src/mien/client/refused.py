"""Errors that came as answers: of the same classes as on this machine, and with what the answer told."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from mien import errors
from mien.answers.service import ErrorAnswer, ErrorBody
from mien.client.call import Received
from mien.errors import (
    BodyTooLarge,
    MienError,
    Overloaded,
    RateLimited,
    ServerUnreachable,
    ServiceError,
    TimedOut,
)

_KINDS: dict[str, type[MienError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, MienError)
}
# What a proxy before the server says by its status alone.
_BY_STATUS: dict[int, type[MienError]] = {
    413: BodyTooLarge,
    429: RateLimited,
    503: Overloaded,
    504: TimedOut,
}
_MANY_CODES = 256  # codes are the server's choice; beyond, classes are made anew


class Refused(MienError):
    """An error that the server answered; beside this class it is of the class of its code.

        try:
            client.people.get("Ada")
        except PersonUnknown as error:       # as on this machine
            ...
        except Refused as error:             # whatever the server says
            print(error.code, error.status, error.request_id)

    Attributes:
        status: Of HTTP.
        request_id: By which the operator finds the request in the log; None: it did not come from Mien.
        details: More for programs, such as `{"fields": [{"field", "message"}]}`; None: nothing.
        retry_after_s: How long to wait before it is worth asking again; None: nobody says.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int = 0,
        request_id: str | None = None,
        details: dict[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request_id = request_id
        self.details = details
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[Callable[..., Refused], tuple[Any, ...]]:
        """Survive the way between processes, although the class is made when it is needed."""
        told = (self.message, self.hint, self.status, self.request_id, self.details, self.retry_after_s)
        return _again, (self.code, *told)


def refused(received: Received) -> Refused:
    """Make the error out of an answer that is none of success."""
    request_id = received.headers.get("x-request-id")
    try:
        answer = msgspec.json.decode(received.content, type=ErrorAnswer)
    except msgspec.DecodeError:
        body = _not_ours(received)
    else:
        body, request_id = answer.error, answer.request_id
    return _class_of(body.code)(
        body.message,
        hint=body.hint or None,
        status=received.status,
        request_id=request_id,
        details=body.details,
        retry_after_s=_retry_after_s(received),
    )


def _not_ours(received: Received) -> ErrorBody:
    kind = _BY_STATUS.get(received.status, ServerUnreachable)
    where = received.headers.get("location")
    more = f", and points to {where!r}" if where else ""
    return ErrorBody(kind.code, f"Something answered {received.status} that is not Mien{more}.")


@lru_cache(_MANY_CODES)
def _class_of(code: str) -> type[Refused]:
    kind = _KINDS.get(code, ServiceError)
    return type(
        kind.__name__, (Refused, kind), {"code": code, "__doc__": kind.__doc__, "__module__": __name__}
    )


def _again(code: str, message: str, hint: str, *told: Any) -> Refused:  # noqa: ANN401 - as __reduce__ has them
    names = ("status", "request_id", "details", "retry_after_s")
    return _class_of(code)(message, hint=hint, **dict(zip(names, told, strict=True)))


def _retry_after_s(received: Received) -> float | None:
    """Seconds; dates, which HTTP allows too, would want two clocks that agree."""
    text = received.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
