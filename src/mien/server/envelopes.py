"""How errors are told: each of the APIs that the server speaks has its own words for them.

Below the prefixes of APIs that others defined, errors have the shape that their clients know; everywhere else
they are `ErrorAnswer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mien.answers.service import ErrorAnswer, ErrorBody


class CompreFaceError(msgspec.Struct, frozen=True):
    """An error as CompreFace tells it: what happened, and a number that its clients know."""

    message: str
    code: int


class OpenInferenceError(msgspec.Struct, frozen=True):
    """An error as the Open Inference Protocol tells it."""

    error: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """How an API tells of errors.

    Attributes:
        shape: Of the answer.
        wrap: Makes the answer of an error and the identifier of the request.
        statuses: By error code, where its clients expect another status than ours.
    """

    shape: type[Any]
    wrap: Callable[[ErrorBody, str], Any]
    statuses: Mapping[str, int] = field(default_factory=dict)


# https://github.com/exadel-inc/CompreFace, CommonExceptionCode. What has no number of its own there is 0.
_NUMBERS = {
    "api_key_unknown": 10,
    "bad_request": 26,
    "face_refused": 28,
    "face_unknown": 44,
    "forbidden": 1,
    "image_too_large": 21,
    "many_faces": 31,
    "media_type_unsupported": 21,
    "no_face": 28,
    "person_exists": 43,
    "person_unknown": 42,
    "request_in_progress": 27,
    "store_read_only": 32,
    "unauthenticated": 20,
    "unreadable_image": 21,
}


def _compreface(error: ErrorBody, _request_id: str) -> CompreFaceError:
    return CompreFaceError(_sentence(error), _NUMBERS.get(error.code, 0))


def _inference(error: ErrorBody, _request_id: str) -> OpenInferenceError:
    return OpenInferenceError(_sentence(error))


def _sentence(error: ErrorBody) -> str:
    """What happened and what to do, for APIs that have one text for both."""
    return f"{error.message} {error.hint}".strip()


_OURS = Envelope(ErrorAnswer, ErrorAnswer)
_OTHERS = {
    "/api/v1": Envelope(
        CompreFaceError,
        _compreface,
        dict.fromkeys(("no_face", "many_faces", "face_refused", "unreadable_image", "person_exists"), 400),
    ),
    "/v2": Envelope(OpenInferenceError, _inference, {"pack_missing": 404}),
}
SHAPES = (_OURS.shape, *(one.shape for one in _OTHERS.values()))


def envelope_of(path: str) -> Envelope:
    """How errors at a path are told."""
    return next((one for prefix, one in _OTHERS.items() if f"{path}/".startswith(f"{prefix}/")), _OURS)
