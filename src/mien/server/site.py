"""What is neither of an API: the page for people, the document for programs, the numbers for Prometheus."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from mien.server.answers import json_answer
from mien.server.asking import Asking
from mien.server.doors import Door
from mien.server.metrics import MEDIA_TYPE
from mien.server.plans import Plan

CONSOLE = Path(__file__).parent / "console"
numbers = Door(tags=["machine"])


@numbers.at("GET", "/metrics", Plan("anybody", MEDIA_TYPE))
async def metrics(ask: Asking) -> Response:
    """Counts and durations for Prometheus, of all workers."""
    return Response(ask.service.metrics.text(), media_type=MEDIA_TYPE)


class _Fresh(StaticFiles):
    """Files that a browser asks for again whenever they have changed, and not more often."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "no-cache"
        return answer


def serve_files(app: FastAPI) -> None:
    """Serve what the pages consist of below `/console`."""
    mimetypes.add_type("text/javascript", ".js")  # some systems say otherwise, and browsers insist
    app.mount("/console", _Fresh(directory=CONSOLE))


def serve_console(app: FastAPI) -> None:
    """Serve the page for people at `/`."""
    app.add_api_route("/", _page("index.html"), include_in_schema=False)


def serve_document(app: FastAPI, document: dict[str, Any]) -> None:
    """Serve the OpenAPI document, and a page that shows it."""

    async def openapi() -> Response:
        return json_answer(document)

    app.add_api_route("/openapi.json", openapi, include_in_schema=False)
    app.add_api_route("/docs", _page("docs.html"), include_in_schema=False)


def _page(name: str) -> Callable[[], Awaitable[Response]]:
    async def page() -> Response:
        return FileResponse(CONSOLE / name, headers={"cache-control": "no-cache"})

    return page
