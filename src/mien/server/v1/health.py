"""Whether the server runs, and whether it answers."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from mien.answers.service import AliveRow
from mien.server.answers import json_answer
from mien.server.asking import service_of
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["health"])


@door.at("GET", "/health/live", Plan("nobody", AliveRow))
async def live() -> Response:
    """Tell that the process runs."""
    return json_answer(AliveRow("live"))


@door.at("GET", "/health/ready", Plan("nobody", AliveRow, others={503: AliveRow}))
async def ready(request: Request) -> Response:
    """Tell whether requests are answered: networks are open, and the server is not about to stop."""
    state = service_of(request).state
    return json_answer(AliveRow(state), 200 if state == "ready" else 503)
