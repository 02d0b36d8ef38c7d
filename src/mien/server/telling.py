"""The outermost ring of the application: every request gets an identifier, a line in the log and a count.

What was raised by mistake ends here too: the sender is told so, the log says where.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.errors import MienError
from mien.server.failing import DEFECT, defect_answer
from mien.server.logs import say
from mien.server.metrics import Metrics
from mien.server.tracing import Tracing

_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SILENT = frozenset({"/v1/health/live", "/v1/health/ready", "/metrics"})


@dataclass(slots=True)
class _Told:
    """What a request came to."""

    status: int = 0
    started_s: float = 0.0


class Telling:
    """Wraps an application; see above."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing) -> None:
        self._app, self._metrics, self._tracing = app, metrics, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = _identifier(scope)
        told = _Told()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.status, told.started_s = message["status"], time.perf_counter() - begun
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", state["request_id"].encode()),
                ]
            await send(message)

        with self._tracing.request(scope) as traced:
            try:
                await self._app(scope, receive, sending)
            except Exception as error:  # noqa: BLE001 - the last place that can tell
                state["defect"] = error
                if not told.status:
                    await defect_answer(scope)(scope, receive, sending)
            traced(told.status)
        self._tell(scope, told, time.perf_counter() - begun)

    def _tell(self, scope: Scope, told: _Told, seconds: float) -> None:
        state = scope["state"]
        # Files of the console are below a mount, which is no route.
        route = getattr(scope.get("route"), "path", "") or scope.get("root_path") or "(unknown)"
        defect, error = state.get("defect"), state.get("error")
        code = DEFECT.code if defect else error.code if isinstance(error, MienError) else None
        self._metrics.requests.labels(route, scope["method"], told.status).inc()
        self._metrics.seconds.labels(route).observe(told.started_s)
        if code:
            self._metrics.errors.labels(code).inc()
        if route in _SILENT and told.status < 400:
            return
        fields = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "route": route,
            "status": told.status,
            "seconds": round(seconds, 4),
            "actor": state.get("actor"),
            "code": code,
        }
        level = logging.ERROR if defect else logging.INFO
        say(
            "request",
            level=level,
            error=defect,
            **{name: one for name, one in fields.items() if one is not None},
        )


def _identifier(scope: Scope) -> str:
    """The sender's, if it is a plain word; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN.fullmatch(text := value.decode("latin-1")):
            return str(text)
    return uuid.uuid4().hex
