"""Requests that carry an idempotency key are done once, however often they are sent."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.responses import Response

from mien.access.answers_given import GivenAnswer, abandon, begin, finish
from mien.errors import GalleryError
from mien.server.asking import Ask

HEADER = "idempotency-key"
# On top of what photographs may take.
_BESIDES_S = 60
# What a client needs of an answer besides its body.
_KEPT = ("etag", "location")

Handler = Callable[..., Awaitable[Response]]


def once(handler: Handler) -> Handler:
    """Wrap a handler that writes; it takes its request as `ask`."""

    @functools.wraps(handler)
    async def done_once(*args: Any, ask: Ask, **kwargs: Any) -> Response:  # noqa: ANN401 - the handler's
        key = ask.request.headers.get(HEADER)
        if key is None:
            return await handler(*args, ask=ask, **kwargs)
        digest, actor, store = await _digest(ask), ask.caller.actor, ask.service.store
        serving, batch = ask.service.serving, ask.service.settings.batch
        longest_s = _BESIDES_S + serving.timeout_s * math.ceil(serving.max_photographs / batch)
        turn = await ask.do(lambda: begin(store, actor, key, digest, working_s=longest_s))
        if isinstance(turn, GivenAnswer):
            headers = {**dict(turn.headers), "idempotent-replayed": "true"}
            return Response(turn.body, turn.status, headers, media_type=turn.content_type)
        try:
            answer = await handler(*args, ask=ask, **kwargs)
        except Exception:
            # What fails has changed nothing, and may be tried again. Of what is cancelled nobody knows.
            with suppress(GalleryError):
                await ask.do(lambda: abandon(store, turn))
            raise
        headers_kept = tuple((name, answer.headers[name]) for name in _KEPT if name in answer.headers)
        given = GivenAnswer(answer.status_code, answer.media_type or "", bytes(answer.body), headers_kept)
        with suppress(GalleryError):  # it is done, which has to be said, even if that cannot be noted
            await ask.do(lambda: finish(store, turn, given))
        return answer

    return done_once


async def _digest(ask: Ask) -> str:
    """Of what is asked for: the same however a form is wrapped."""
    request = ask.request
    found = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}|".encode())
    found.update((await ask.given()).digest.encode() if ask.plan.photos else await request.body())
    return found.hexdigest()
