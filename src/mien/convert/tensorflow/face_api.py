"""TensorFlow.js weights, and the two networks of face-api.js that come as such, as ONNX.

A manifest (JSON) names tensors and how they are packed; one or more shards hold their bytes, one
after the other. The format has no graph: what the networks compute is in face-api.js
(github.com/justadudewhohacks/face-api.js, kept alive as vladmandic/face-api), MIT.

Both networks take NCHW RGB, 112x112, padded with black to a square before resizing. The mean of
every pixel, padding included, is taken off, `[122.782, 117.001, 104.298]`, and the rest divided by
255 for expressions, by 256 for age and gender.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.convert.building.blocks import conv, same_pads
from mien.convert.building.graph import Graph
from mien.errors import ConversionFailed

Array = NDArray[np.float32]

_SIZE = 112
_TYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "int32": np.dtype("<i4"),
    "uint16": np.dtype("<u2"),
    "uint8": np.dtype("<u1"),
    "bool": np.dtype("<u1"),
}
_Length = Annotated[int, msgspec.Meta(ge=0)]


class _Quantization(msgspec.Struct, frozen=True):
    """How stored numbers become values: `stored * scale + min`; float16 is only cast."""

    dtype: str
    scale: float = 1.0
    min: float = 0.0


class _Weight(msgspec.Struct, frozen=True):
    name: str
    shape: tuple[_Length, ...]
    dtype: str
    quantization: _Quantization | None = None


class _Group(msgspec.Struct, frozen=True):
    paths: tuple[str, ...]
    weights: tuple[_Weight, ...]


def arrays(manifest: bytes, *shards: bytes) -> dict[str, Array]:
    """Read the tensors of a TensorFlow.js model.

    Args:
        manifest: A weights manifest: JSON, a list of groups of weights.
        shards: The files that it names, in its order.

    Returns:
        Every tensor as float32, in TensorFlow's layout (kernels `(h, w, in, out)`).

    Raises:
        ConversionFailed: The manifest is damaged, or does not fit the shards.
    """
    try:
        groups = msgspec.json.decode(manifest, type=tuple[_Group, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConversionFailed(f"Not a TensorFlow.js weights manifest: {error}.") from error
    count = sum(len(group.paths) for group in groups)
    if count != len(shards):
        raise ConversionFailed(f"The manifest names {count} files of weights; there are {len(shards)}.")
    found: dict[str, Array] = {}
    left = iter(shards)
    for group in groups:
        data = b"".join(next(left) for _ in group.paths)
        for weight, array in _unpack(group, data):
            if weight.name in found:
                raise ConversionFailed(f"Two tensors are called {weight.name}.")
            found[weight.name] = array
    return found


def _unpack(group: _Group, data: bytes) -> Iterator[tuple[_Weight, Array]]:
    at = 0
    for weight in group.weights:
        coded = weight.quantization
        dtype = _TYPES.get(coded.dtype if coded else weight.dtype)
        if dtype is None or weight.dtype not in _TYPES:
            raise ConversionFailed(f"{weight.name} is of type {coded.dtype if coded else weight.dtype}.")
        count = math.prod(weight.shape)
        if at + count * dtype.itemsize > len(data):
            raise ConversionFailed(f"The weights end within {weight.name}.")
        stored = np.frombuffer(data, dtype, count, at)
        at += count * dtype.itemsize
        with np.errstate(all="ignore"):
            # In double precision, as JavaScript does it.
            plain = stored * np.float64(coded.scale) + coded.min if coded else stored
            array = plain.astype(np.float32).reshape(weight.shape)
        if not np.isfinite(array).all():
            raise ConversionFailed(f"{weight.name} has values that are not finite.")
        yield weight, array
    if at != len(data):
        raise ConversionFailed(f"{len(data) - at} bytes follow the last tensor.")


def face_api_expression(manifest: bytes, shard: bytes) -> bytes:
    """Convert face-api's `face_expression_model`: four blocks of separable convolutions.

    Returns:
        ONNX bytes; input `image` `(n, 3, 112, 112)`, output `expression` `(n, 7)`: probabilities of
        neutral, happy, sad, angry, fearful, disgusted, surprised.
    """
    net = _Net("face-api expression", arrays(manifest, shard))
    graph, x = net.graph, net.image
    for block, (before, width) in enumerate(pairwise((3, 32, 64, 128, 256))):
        first = net.conv if block == 0 else net.separable
        total = x = graph.add("Relu", first(x, f"dense{block}/conv0", before, width, 2))
        for i in range(1, 4):
            # Each convolution sees the sum of all before it.
            total = graph.add("Add", total, net.separable(x, f"dense{block}/conv{i}", width, width))
            x = graph.add("Relu", total)
    chances = net.softmax(net.dense(net.pooled(x), "fc", 256, 7))
    net.finished()
    return graph.finish({"expression": chances}, {"expression": ("n", 7)})


def face_api_age_gender(manifest: bytes, shard: bytes) -> bytes:
    """Convert face-api's `age_gender_model`: a small Xception.

    Returns:
        ONNX bytes; input `image` `(n, 3, 112, 112)`, outputs `age` `(n, 1)` in years and `gender`
        `(n, 2)`: probabilities of male, female.
    """
    net = _Net("face-api age and gender", arrays(manifest, shard))
    graph = net.graph
    x = graph.add("Relu", net.conv(net.image, "entry_flow/conv_in", 3, 32, 2))
    x = _reduction(net, x, x, "entry_flow/reduction_block_0", 32)
    x = _reduction(net, x, graph.add("Relu", x), "entry_flow/reduction_block_1", 64)
    for block in range(2):
        inner = x
        for i in range(3):
            name = f"middle_flow/main_block_{block}/separable_conv{i}"
            inner = net.separable(graph.add("Relu", inner), name, 128, 128)
        x = graph.add("Add", inner, x)
    x = _reduction(net, x, graph.add("Relu", x), "exit_flow/reduction_block", 128)
    x = net.pooled(graph.add("Relu", net.separable(x, "exit_flow/separable_conv", 256, 512)))
    age = net.dense(x, "fc/age", 512, 1)
    gender = net.softmax(net.dense(x, "fc/gender", 512, 2))
    net.finished()
    return graph.finish({"age": age, "gender": gender}, {"age": ("n", 1), "gender": ("n", 2)})


def _reduction(net: _Net, x: str, activated: str, name: str, width: int) -> str:
    """Two convolutions and a pool, beside a 1x1 convolution: halves the plane, doubles the channels."""
    inner = net.separable(activated, f"{name}/separable_conv0", width, 2 * width)
    inner = net.separable(net.graph.add("Relu", inner), f"{name}/separable_conv1", 2 * width, 2 * width)
    beside = net.conv(x, f"{name}/expansion_conv", width, 2 * width, 2, size=1)
    return net.graph.add("Add", net.max_pool(inner), beside)


class _Net:
    """A network under construction from named tensors; `same` padding throughout."""

    def __init__(self, name: str, found: dict[str, Array]) -> None:
        self.graph = Graph(name)
        self.image = self.graph.input("image", ("n", 3, _SIZE, _SIZE))
        self._name = name
        self._left = found

    def conv(self, x: str, name: str, before: int, width: int, stride: int = 1, size: int = 3) -> str:
        kernel = self._take(f"{name}/filters", size, size, before, width).transpose(3, 2, 0, 1)
        return self._conv(x, kernel, self._take(f"{name}/bias", width), stride)

    def separable(self, x: str, name: str, before: int, width: int, stride: int = 1) -> str:
        """A filter for each channel, then a 1x1 convolution over all."""
        each = self._take(f"{name}/depthwise_filter", 3, 3, before, 1).transpose(2, 3, 0, 1)
        over = self._take(f"{name}/pointwise_filter", 1, 1, before, width).transpose(3, 2, 0, 1)
        x = self._conv(x, each, np.zeros(before, np.float32), stride, group=before)
        return self._conv(x, over, self._take(f"{name}/bias", width))

    def max_pool(self, x: str) -> str:
        """The maximum of 3x3 windows, two apart."""
        return self.graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=_pads(3, 2))

    def pooled(self, x: str) -> str:
        """The mean of each channel: the networks end with planes of 7x7."""
        return self.graph.add("Flatten", self.graph.add("GlobalAveragePool", x))

    def dense(self, x: str, name: str, before: int, width: int) -> str:
        matrix = self._take(f"{name}/weights", before, width)
        return self.graph.gemm(x, matrix, self._take(f"{name}/bias", width))

    def softmax(self, x: str) -> str:
        return self.graph.add("Softmax", x, axis=1)

    def finished(self) -> None:
        """Check that every tensor found its place."""
        if self._left:
            raise self._foreign(f"{len(self._left)} tensors have no place, such as {min(self._left)}")

    def _conv(self, x: str, kernel: Array, bias: Array, stride: int = 1, group: int = 1) -> str:
        pads = _pads(kernel.shape[2], stride)
        return conv(self.graph, x, kernel, bias, strides=(stride, stride), pads=pads, group=group)

    def _take(self, name: str, *shape: int) -> Array:
        try:
            array = self._left.pop(name)
        except KeyError:
            raise self._foreign(f"there is no {name}") from None
        if array.shape != shape:
            raise self._foreign(f"{name} has the shape {array.shape}, not {shape}")
        return array

    def _foreign(self, why: str) -> ConversionFailed:
        return ConversionFailed(f"Not the network {self._name}: {why}.")


def _pads(kernel: int, stride: int) -> tuple[int, int, int, int]:
    # All planes that are halved (112, 56, 28, 14) are even, for which the padding is the same.
    before, after = same_pads(_SIZE, kernel, stride)
    return before, before, after, after
