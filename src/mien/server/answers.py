"""Answers as bytes."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

_ENCODER = msgspec.json.Encoder(enc_hook=str)


def encoded(value: Any) -> bytes:  # noqa: ANN401 - any struct of mien.answers
    """A struct as JSON; paths as text."""
    return _ENCODER.encode(value)


def json_answer(value: Any, status: int = 200, **headers: str) -> Response:  # noqa: ANN401 - as above
    """Answer with a struct; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(encoded(value), status, named, media_type="application/json")


def nothing() -> Response:
    """Answer that it is done, and that there is nothing to say."""
    return Response(status_code=204)


def picture_answer(content: bytes, media_type: str = "image/jpeg") -> Response:
    """Answer with a picture."""
    return Response(content, media_type=media_type)
