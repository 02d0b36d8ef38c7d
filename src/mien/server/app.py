"""The application: rings around doors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from mien.server.compreface import DOORS as COMPREFACE
from mien.server.failing import answer_errors
from mien.server.guarding import Guarding
from mien.server.inference import DOORS as INFERENCE
from mien.server.logs import say, write_log
from mien.server.openapi import describe
from mien.server.service import Service, running
from mien.server.site import numbers, serve_console, serve_document, serve_files
from mien.server.stopping import told_to_stop
from mien.server.telling import Telling
from mien.server.tracing import Tracing
from mien.server.v1 import DOORS as V1
from mien.settings import Settings

_APIS = {"/v1": V1, "/api/v1": COMPREFACE, "/v2": INFERENCE}
# How the settings reach processes that uvicorn starts.
IN_ENVIRON = "MIEN_SERVER_SETTINGS_JSON"


class Application:
    """What uvicorn runs: rings around a FastAPI application.

    Attributes:
        api: The application within.
    """

    def __init__(self, settings: Settings) -> None:
        self.api = _api(settings)
        self._settings = settings
        self._ringed: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live from the beginning to the end."""
        if scope["type"] == "lifespan":
            await self.api(scope, receive, send)
            return
        if self._ringed is None:
            service: Service = self.api.state.service
            guarded = Guarding(self.api, self._settings.server)
            self._ringed = Telling(guarded, service.metrics, self.api.state.tracing)
        await self._ringed(scope, receive, send)


def make_app(settings: Settings) -> Application:
    """The application for these settings; it opens the store and the networks when it is started."""
    return Application(settings)


def from_environ() -> Application:
    """The application of a worker."""
    write_log()
    return make_app(
        msgspec.json.decode(os.environ[IN_ENVIRON], type=Settings, dec_hook=lambda kind, one: kind(one))
    )


def _api(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tracing = Tracing(settings.server.trace)
        with running(settings) as service, told_to_stop(service.stopping):
            app.state.service, app.state.tracing = service, tracing
            say("started", workers=settings.server.workers)
            yield
            service.stopping.set()
            # What is left in work belongs to requests that are being answered.
            await asyncio.to_thread(service.batcher.close)
        tracing.close()
        say("stopped")

    app = FastAPI(title="Mien", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    answer_errors(app)
    for prefix, doors in _APIS.items():
        for door in doors:
            door.open(app, prefix)
    numbers.open(app)
    document = describe(app)
    app.openapi = lambda: document  # type: ignore[method-assign]
    serve_files(app)
    serve_document(app, document)
    if settings.server.console:
        serve_console(app)
    return app
