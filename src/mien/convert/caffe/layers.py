"""The layers of a Caffe network, of either version, as the test phase has them, with their weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.convert.building.sketch import Array, Value, as_float32
from mien.convert.building.sketch_shapes import LONGEST
from mien.convert.caffe.proto import parse_description, parse_weights
from mien.errors import ConversionFailed

# What the first version of the format calls by a number, where it is not the same word in capitals.
_V1_NAMES = {
    "ABSVAL": "AbsVal",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "RELU": "ReLU",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "TANH": "TanH",
}


@dataclass(frozen=True, slots=True)
class Input:
    """A blob that is given, with the shape that the description declares."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer.

    Attributes:
        name: What errors call it.
        type: As the second version of the format writes it, for example "InnerProduct".
        bottoms: Names of the blobs that it reads.
        tops: Names of the blobs that it makes; the same name as a bottom's means in place.
        message: Its parameters, for example `message.relu_param.negative_slope`.
        blobs: Its weights.
    """

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    message: Any
    blobs: tuple[Array, ...]

    def blob(self, number: int) -> Array:
        """One array of weights."""
        if number >= len(self.blobs):
            raise ConversionFailed(f"the caffemodel has {len(self.blobs)} arrays for it, too few")
        return self.blobs[number]

    def vector(self, number: int, length: int | None) -> Array:
        """An array of weights as one row, which old files write with four axes."""
        row = self.blob(number).reshape(-1)
        if length is not None and row.size != length:
            raise ConversionFailed(f"{row.size} weights where {length} belong")
        return row

    def __str__(self) -> str:
        return f"Layer {self.name[:60]!r} ({self.type[:40]})"


@dataclass(frozen=True, slots=True)
class Description:
    """A network: what it is given, and its layers in the order of their computation."""

    name: str
    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]


def only(inputs: Sequence[Value]) -> Value:
    """The one input of a layer."""
    if len(inputs) != 1:
        raise ConversionFailed(f"it has {len(inputs)} inputs instead of one")
    return inputs[0]


def read_layers(prototxt: bytes, caffemodel: bytes) -> Description:
    """Read a description and its weights.

    Raises:
        ConversionFailed: Damaged, without an input of declared shape, or with weights of wrong size.
        ExtraMissing: The package protobuf is not installed.
    """
    network = parse_description(prototxt)
    if network.layer and network.layers:
        raise ConversionFailed("The prototxt mixes both versions of the format, layer and layers.")
    weights = _read_weights(parse_weights(caffemodel))
    layers = [
        _layer(message, weights) for message in network.layer or network.layers if _is_for_test(message)
    ]
    inputs = [*_declared(network)]
    for layer in layers:
        if layer.type == "Input":
            inputs += _named(layer.tops, [shape.dim for shape in layer.message.input_param.shape])
    if not inputs:
        raise ConversionFailed(
            "The prototxt declares no input.",
            hint="Take the one for deployment, often deploy.prototxt: it has input_dim, input_shape or an "
            "Input layer where the one for training has data layers.",
        )
    return Description(
        network.name or "caffe", tuple(inputs), tuple(layer for layer in layers if layer.type != "Input")
    )


def _layer(message: Any, weights: dict[str, tuple[Array, ...]]) -> Layer:  # noqa: ANN401 - a message
    kind = message.type
    if isinstance(kind, int):
        word = message.DESCRIPTOR.fields_by_name["type"].enum_type.values[kind].name
        kind = _V1_NAMES.get(word, "".join(part.capitalize() for part in word.split("_")))
    return Layer(
        message.name,
        kind,
        tuple(message.bottom),
        tuple(message.top),
        message,
        weights.get(message.name, ()),
    )


def _declared(network: Any) -> Iterator[Input]:  # noqa: ANN401 - a message
    if network.input_shape:
        return _named(network.input, [shape.dim for shape in network.input_shape])
    lengths = list(network.input_dim)
    return _named(network.input, [lengths[i : i + 4] for i in range(0, len(lengths), 4)])


def _named(names: Iterable[str], shapes: list[Any]) -> Iterator[Input]:
    """Pair inputs with shapes; one shape alone is that of all."""
    names = list(names)
    if len(shapes) == 1:
        shapes = shapes * len(names)
    if len(shapes) != len(names):
        raise ConversionFailed(f"The prototxt names {len(names)} inputs and {len(shapes)} shapes.")
    for name, lengths in zip(names, shapes, strict=True):
        shape = tuple(int(n) for n in lengths)
        if not 1 <= len(shape) <= 8 or not all(1 <= n <= LONGEST for n in shape):
            raise ConversionFailed(f"The input {name[:60]!r} has no sensible shape: {shape}.")
        yield Input(name, shape)


def _is_for_test(message: Any) -> bool:  # noqa: ANN401 - a message
    """Whether a layer belongs to the network of the test phase, in no particular stage."""
    rules = message.DESCRIPTOR.fields_by_name["include"].message_type.fields_by_name
    test = rules["phase"].enum_type.values_by_name["TEST"].number

    def holds(rule: Any) -> bool:  # noqa: ANN401 - a message
        return not rule.stage and (not rule.HasField("phase") or rule.phase == test)

    if message.include:
        return any(holds(rule) for rule in message.include)
    return not any(holds(rule) for rule in message.exclude)


def _read_weights(network: Any) -> dict[str, tuple[Array, ...]]:  # noqa: ANN401 - a message
    found: dict[str, tuple[Array, ...]] = {}
    for layer in [*network.layers, *network.layer]:
        if layer.blobs:
            found[layer.name] = tuple(_array(layer.name, blob) for blob in layer.blobs)
    return found


def _array(layer: str, blob: Any) -> Array:  # noqa: ANN401 - a message
    parts, dtype = (blob.data, "<f4") if blob.data else (blob.double_data, "<f8")
    raw = parts[0] if len(parts) == 1 else b"".join(parts)
    old = (blob.num, blob.channels, blob.height, blob.width)
    shape = tuple(blob.shape.dim) if blob.HasField("shape") else old
    if min(shape, default=0) < 0 or len(raw) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise ConversionFailed(
            f"The weights of layer {layer[:60]!r} have {len(raw)} bytes, which do not make the shape {shape}."
        )
    return as_float32(np.frombuffer(raw, dtype).reshape(shape))
