"""Running a model on tensors."""

from __future__ import annotations

from functools import partial

import msgspec
from starlette.responses import Response

from mien.errors import BadRequest, InferenceError, MediaTypeUnsupported
from mien.media.opening import name_of
from mien.runtime.session import Network
from mien.server.answers import encoded
from mien.server.asking import Ask, Asking
from mien.server.doors import Door
from mien.server.inference.messages import InferRequest, InferResponse
from mien.server.inference.models import Model, model_named
from mien.server.inference.tensors import Array, arrays, flag, names_wanted, written
from mien.server.inference.turns import turns_of
from mien.server.plans import Plan

door = Door(tags=["Open Inference Protocol"], prefix="/models")
_LENGTH = "inference-header-content-length"


@door.at("POST", "/{model}/infer", Plan("detect", InferResponse, body=InferRequest))
async def infer(model: str, ask: Asking) -> Response:
    """Run a model on tensors.

    Networks that give templates are for keys that may also verify. Tensors may follow the JSON as bytes, as
    the extension `binary_tensor_data` has it.
    """
    return await _infer(ask, model)


@door.at("POST", "/{model}/versions/{version}/infer", Plan("detect", InferResponse, body=InferRequest))
async def infer_version(model: str, version: str, ask: Asking) -> Response:
    """Run a model of a version on tensors."""
    return await _infer(ask, model, version)


async def _infer(ask: Ask, name: str, version: str | None = None) -> Response:
    service = ask.service
    model = await ask.do(lambda: model_named(service.kit.packs, name, version))
    if model.gives_templates:
        ask.caller.demand("verify")
    if (coding := ask.request.headers.get("content-encoding", "identity")) != "identity":
        raise MediaTypeUnsupported(
            f"A body in {name_of(coding)} is not understood.", hint="Send it as it is."
        )

    def answer(body: bytes) -> Response:
        request, binary = _parted(body, ask.request.headers.get(_LENGTH))
        network = service.kit.runtime.network(model.pack.file(model.file))
        given = arrays(request.inputs, binary, network.inputs, service.serving.max_body_bytes)
        return _answer(model, request, network, given)

    turns = turns_of(ask)
    async with turns.place():
        return await turns.do(partial(answer, await ask.request.body()))


def _parted(body: bytes, length: str | None) -> tuple[InferRequest, bytes]:
    """The JSON of a request, and the bytes that follow it. Raises BadRequest."""
    if length is not None and not (length.isascii() and length.isdigit() and 0 < int(length) <= len(body)):
        raise BadRequest(f"{_LENGTH} is the number of bytes of the JSON, with which the body begins.")
    end = len(body) if length is None else int(length)
    try:
        return msgspec.json.decode(body[:end], type=InferRequest), body[end:]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body does not fit: {error}.", hint="What it may hold: /docs") from error


def _answer(model: Model, request: InferRequest, network: Network, given: dict[str, Array]) -> Response:
    every = flag(request.parameters, "binary_data_output", default=False)
    asked = {one.name: one.parameters for one in request.outputs or ()}
    names_wanted(asked, network.output_names)
    binary = {name: flag(asked.get(name, {}), "binary_data", default=every) for name in network.output_names}
    found = _run(network, given)
    outputs = [written(name, found[name], binary=binary[name]) for name in (asked or network.output_names)]
    told = InferResponse(model.name, model.version, [row for row, _ in outputs], request.id or msgspec.UNSET)
    head = encoded(told)
    if not any(binary[row.name] for row, _ in outputs):
        return Response(head, media_type="application/json")
    content = b"".join((head, *(content for _, content in outputs)))
    return Response(content, headers={_LENGTH: str(len(head))}, media_type="application/octet-stream")


def _run(network: Network, given: dict[str, Array]) -> dict[str, Array]:
    try:
        return dict(network.run(given))
    except InferenceError as error:
        if type(error) is not InferenceError:
            raise  # of the machine, not of what was sent
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in given.items())
        raise BadRequest(
            f"The network cannot be run on {shapes}.", hint="Some networks take only multiples of 32 pixels."
        ) from error
