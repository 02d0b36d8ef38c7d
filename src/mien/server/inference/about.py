"""What answers, whether it does, and which models there are."""

from __future__ import annotations

from importlib.metadata import version as version_of

import msgspec
from fastapi import Request
from starlette.responses import Response

from mien.packs.manifest import Input, Manifest, space
from mien.runtime.session import Network, Signature
from mien.server.answers import json_answer
from mien.server.asking import Ask, Asking, service_of
from mien.server.doors import Door
from mien.server.inference.messages import (
    AboutModel,
    AboutServer,
    AboutTensor,
    Facts,
    Licence,
    Live,
    ModelReady,
    Models,
    ModelState,
    Preprocessing,
    Ready,
    WhichModels,
)
from mien.server.inference.models import Model, installed, model_named
from mien.server.inference.tensors import datatype_of
from mien.server.plans import Plan

door = Door(tags=["Open Inference Protocol"])


@door.at("GET", "", Plan("anybody", AboutServer))
@door.at("GET", "/", Plan("anybody", AboutServer))
async def server(ask: Asking) -> Response:  # noqa: ARG001 - asking checks the key
    """Tell what answers."""
    return json_answer(
        AboutServer("mien", version_of("mien"), ["binary_tensor_data", "model_repository(index)"])
    )


@door.at("GET", "/health/live", Plan("nobody", Live))
async def live() -> Response:
    """Tell that the process runs."""
    return json_answer(Live(live=True))


@door.at("GET", "/health/ready", Plan("nobody", Ready, others={503: Ready}))
async def ready(request: Request) -> Response:
    """Tell whether requests are answered."""
    found = service_of(request).state == "ready"
    return json_answer(Ready(found), 200 if found else 503)


@door.at("GET", "/models", Plan("detect", Models))
async def models(ask: Asking) -> Response:
    """List all models by name: each network of each installed pack."""
    packs = ask.service.kit.packs
    found = await ask.do(lambda: [model.name for _, many in installed(packs) for model in many or ()])
    return json_answer(Models(found))


@door.at("POST", "/repository/index", Plan("detect", list[ModelState], body=WhichModels))
async def index(ask: Asking) -> Response:
    """List all models with their states; packs that are damaged are listed as unavailable."""
    wanted = await ask.body(WhichModels) if await ask.request.body() else WhichModels()
    packs = ask.service.kit.packs

    def states() -> list[ModelState]:
        return [one for name, many in installed(packs) for one in _states(name, many)]

    found = await ask.do(states)
    return json_answer([one for one in found if one.state == "READY" or not wanted.ready])


@door.at("GET", "/models/{model}", Plan("detect", AboutModel))
async def about(model: str, ask: Asking) -> Response:
    """Tell what a model takes and gives, and what its manifest says about it."""
    return await _about(ask, model)


@door.at("GET", "/models/{model}/versions/{version}", Plan("detect", AboutModel))
async def about_version(model: str, version: str, ask: Asking) -> Response:
    """Tell what a model of a version takes and gives."""
    return await _about(ask, model, version)


@door.at("GET", "/models/{model}/ready", Plan("detect", ModelReady))
async def model_ready(model: str, ask: Asking) -> Response:
    """Tell whether a model can be run."""
    return await _model_ready(ask, model)


@door.at("GET", "/models/{model}/versions/{version}/ready", Plan("detect", ModelReady))
async def model_ready_version(model: str, version: str, ask: Asking) -> Response:
    """Tell whether a model of a version can be run."""
    return await _model_ready(ask, model, version)


async def _about(ask: Ask, name: str, version: str | None = None) -> Response:
    model, network = await ask.do(lambda: _opened(ask, name, version))
    inputs, outputs = ([_tensor(one) for one in many] for many in (network.inputs, network.outputs))
    return json_answer(AboutModel(model.name, [model.version], "onnx_onnxv1", inputs, outputs, _facts(model)))


async def _model_ready(ask: Ask, name: str, version: str | None = None) -> Response:
    model, _ = await ask.do(lambda: _opened(ask, name, version))
    return json_answer(ModelReady(model.name, ready=True))


def _opened(ask: Ask, name: str, version: str | None) -> tuple[Model, Network]:
    """A model and its network. Raises PackError."""
    model = model_named(ask.service.kit.packs, name, version)
    return model, ask.service.kit.runtime.network(model.pack.file(model.file))


def _states(pack: str, many: tuple[Model, ...] | None) -> list[ModelState]:
    if many is None:
        return [ModelState(pack, "", "UNAVAILABLE", "The pack is damaged.")]
    return [ModelState(model.name, model.version, "READY") for model in many]


def _tensor(one: Signature) -> AboutTensor:
    return AboutTensor(one.name, datatype_of(one), [-1 if side is None else side for side in one.shape])


def _facts(model: Model) -> Facts:
    told = model.pack.manifest
    return Facts(
        pack=told.name,
        file=model.file,
        sha256=model.sha256,
        family=told.family,
        gives=list(told.gives),
        summary=told.summary,
        licence=Licence(told.licence.id, told.licence.name, told.licence.url, told.licence.commercial),
        preprocessing=None if told.input is None else _preprocessing(told.input),
        facts=told.facts,
        space=space(told) if model.gives_templates else None,
        threshold=_threshold(told),
    )


def _preprocessing(told: Input) -> Preprocessing:
    scale = told.scale if isinstance(told.scale, tuple) else (told.scale,) * len(told.mean)
    return Preprocessing(told.colour, list(told.mean), list(scale), told.size_wh)


def _threshold(told: Manifest) -> dict[str, object] | None:
    found: dict[str, object] | None = msgspec.to_builtins(told.threshold)
    return found
