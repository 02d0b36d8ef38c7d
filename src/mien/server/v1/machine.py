"""Who asks, what runs here, and which packs there are."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib.metadata import version

from starlette.responses import Response

from mien.answers.calibration import decision_row
from mien.answers.service import (
    DecisionRow,
    LimitsRow,
    MeRow,
    PackRow,
    Page,
    QueueRow,
    StoreRow,
    SystemRow,
)
from mien.errors import MienError
from mien.gallery.overview import overview
from mien.kit import Mien
from mien.runtime.session import available_cores, runtime_version
from mien.server.answers import json_answer
from mien.server.asking import Ask, Asking
from mien.server.doors import Door
from mien.server.plans import Plan
from mien.server.service import LIVE, Service

door = Door(tags=["machine"])


@door.at("GET", "/me", Plan("anybody", MeRow))
async def me(ask: Asking) -> Response:
    """Tell who asks: the key, and what it may do."""
    who = ask.caller
    names = None if who.collections is None else list(who.collections)
    return json_answer(MeRow(who.key_id, who.name, list(who.scopes), names, who.key_id is None))


@door.at("GET", "/system", Plan("anybody", SystemRow))
async def system(ask: Asking) -> Response:
    """Tell what runs here: versions, networks, limits, and how faces are told apart."""
    return json_answer(await ask.do(lambda: _system(ask)))


@door.at("GET", "/packs", Plan("anybody", Page[PackRow]))
async def packs(ask: Asking) -> Response:
    """List the packs that there are, installed or not."""
    return json_answer(Page(await ask.do(lambda: _packs(ask.service.kit))))


def _system(ask: Ask) -> SystemRow:
    service = ask.service
    kit, serving = service.kit, service.serving
    available = kit.available()  # reads every manifest
    return SystemRow(
        version=version("mien"),
        python=platform.python_version(),
        onnxruntime=runtime_version(),
        machine=f"{platform.system()} {platform.machine()}, {available_cores()} cores",
        device=kit.settings.device,
        uptime_s=round(time.monotonic() - service.started, 1),
        workers=serving.workers,
        columns=_givers(kit, available),
        available=list(available),
        decision=_decision(kit),
        queue=QueueRow(service.batcher.waiting, service.batcher.limits.waiting),
        limits=LimitsRow(
            serving.max_body_bytes, serving.max_pixels, serving.max_photographs, serving.timeout_s
        ),
        thresholds={"live": LIVE},
        networks={
            f"{one.path.parent.name}/{one.path.name}": list(one.providers) for one in kit.runtime.opened()
        },
        store=_store(service) if ask.caller.may("admin") and ask.caller.collections is None else None,
    )


def _decision(kit: Mien) -> DecisionRow | None:
    """How faces are told apart; None while no embedder is installed."""
    try:
        return decision_row(kit.rule())
    except MienError:
        return None


def _store(service: Service) -> StoreRow:
    found = overview(service.store)
    people, faces = (sum(getattr(one, what) for one in found.collections) for what in ("people", "faces"))
    return StoreRow(found.store, len(found.collections), people, faces)


def _givers(kit: Mien, available: Sequence[str]) -> dict[str, str]:
    """The pack that gives each column; what a detector gives with its boxes is taken from it."""
    detected = kit.stages.manifest_for("box").gives
    givers = {column: kit.stages.giver("box" if column in detected else column) for column in available}
    return {
        column: name
        for column, name in givers.items()
        if column in detected or kit.packs.state(name) != "not installed"
    }


def _packs(kit: Mien) -> list[PackRow]:
    chosen: dict[str, list[str]] = {}
    for column, giver in _givers(kit, kit.available()).items():
        chosen.setdefault(giver, []).append(column)
    return [
        PackRow(
            name,
            str(one.version),
            one.summary,
            kit.packs.state(name),
            sorted(one.gives),
            one.licence.id,
            one.licence.commercial,
            chosen.get(name, []),
        )
        for name, one in sorted(kit.packs.manifests().items())
    ]
