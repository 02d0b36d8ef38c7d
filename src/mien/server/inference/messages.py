"""What the Open Inference Protocol says: its field names, and how pictures become tensors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Parameters = dict[str, Any]


class AboutServer(msgspec.Struct, frozen=True):
    """What answers, and what it can beyond the protocol."""

    name: str
    version: str
    extensions: list[str]


class Live(msgspec.Struct, frozen=True):
    """Whether the process runs."""

    live: bool


class Ready(msgspec.Struct, frozen=True):
    """Whether networks are open, and the server is not about to stop."""

    ready: bool


class ModelReady(msgspec.Struct, frozen=True):
    """Whether a model can be run."""

    name: str
    ready: bool


class Models(msgspec.Struct, frozen=True):
    """Names of all models."""

    models: list[str]


class WhichModels(msgspec.Struct, frozen=True):
    """Whether only models that can be run are wanted."""

    ready: bool = False


class ModelState(msgspec.Struct, frozen=True):
    """A model, and whether it can be run."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str = ""


class AboutTensor(msgspec.Struct, frozen=True):
    """What a model takes or gives; -1 stands for any length."""

    name: str
    datatype: str
    shape: list[int]


class Preprocessing(msgspec.Struct, frozen=True):
    """How pixels, 0..255, become the input: `(pixel - mean) * scale`, for each channel in this order."""

    colour: str
    mean: list[float]
    scale: list[float]
    size_wh: tuple[int, int] | None


class Licence(msgspec.Struct, frozen=True):
    """What one may do with the weights."""

    id: str
    name: str
    url: str
    commercial: bool


class Facts(msgspec.Struct, frozen=True):
    """What the manifest of the pack says: where the network is from and how it wants to be used.

    `preprocessing` is null where code makes the input; `facts` are constants by which outputs are decoded;
    `space` and `threshold` are of embedders.
    """

    pack: str
    file: str
    sha256: str | None
    family: str
    gives: list[str]
    summary: str
    licence: Licence
    preprocessing: Preprocessing | None
    facts: dict[str, Any]
    space: str | None
    threshold: dict[str, Any] | None


class AboutModel(msgspec.Struct, frozen=True):
    """A model: its tensors, and what its manifest says."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[AboutTensor]
    outputs: list[AboutTensor]
    parameters: Facts


class RequestInput(msgspec.Struct, frozen=True):
    """A tensor: its numbers, nested or flat, row by row; or the size of its bytes behind the JSON."""

    name: str
    shape: Annotated[list[int], Meta(max_length=8)]
    datatype: str
    parameters: Parameters = {}
    data: msgspec.Raw | UnsetType = UNSET


class RequestOutput(msgspec.Struct, frozen=True):
    """An output that is wanted; `binary_data` asks for its bytes behind the JSON."""

    name: str
    parameters: Parameters = {}


class InferRequest(msgspec.Struct, frozen=True):
    """What a model is to run on, and which outputs are wanted; all, if none is named."""

    inputs: list[RequestInput]
    id: str = ""
    parameters: Parameters = {}
    outputs: list[RequestOutput] | None = None


class ResponseOutput(msgspec.Struct, frozen=True):
    """A tensor: its numbers, flat, row by row, null for what is no number; or the size of its bytes."""

    name: str
    datatype: str
    shape: list[int]
    parameters: Parameters | UnsetType = UNSET
    data: list[float | bool | None] | UnsetType = UNSET


class InferResponse(msgspec.Struct, frozen=True):
    """What a model gave."""

    model_name: str
    model_version: str
    outputs: list[ResponseOutput]
    id: str | UnsetType = UNSET
