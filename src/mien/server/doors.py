"""Doors: routes with plans, to be opened in an application below a prefix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.responses import Response

from mien.server.once import once
from mien.server.plans import Method, Plan

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Door:
    """Routes with plans, to be opened in an application.

    Args:
        tags: Under which the document lists them.
        prefix: Of all their paths.
    """

    def __init__(self, *, tags: Sequence[str] = (), prefix: str = "") -> None:
        self._tags, self._prefix = tags, prefix
        self._routes: list[tuple[Method, str, Callable[..., Any], Plan]] = []

    def at(self, method: Method, path: str, plan: Plan) -> Callable[[Handler], Handler]:
        """Answer at a path; the first line of the handler's docstring is what the document says."""

        def added(handler: Handler) -> Handler:
            answering = once(handler) if plan.repeatable else handler
            answering.__dict__["plan"] = plan
            self._routes.append((method, self._prefix + path, answering, plan))
            return handler

        return added

    def open(self, app: FastAPI, prefix: str = "") -> None:
        """Answer in an application, below a prefix."""
        for method, path, handler, plan in self._routes:
            app.add_api_route(
                prefix + path,
                handler,
                methods=[method],
                status_code=plan.status,
                response_class=Response,
                response_model=None,
                tags=list(self._tags),
            )
