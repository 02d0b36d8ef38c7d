"""Reading the layers of a dlib network (`dlib/dnn/core.h`, `dlib/dnn/layers.h`).

dlib writes a network from its loss inwards: every layer opens with a version number, then comes
the layer below it, then its own details. So the version numbers stand in a row at the front and
tell what each layer is (2 computes, 1 is a tag or a skip, 3 is the innermost), and the details
follow in the order of computation. That is the order in which `read_layers` returns them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.convert.dlib.stream import Stream

Array = NDArray[np.float32]

_COMPUTES, _MARKS, _INNERMOST = 2, 1, 3
_DEEPEST = 10_000


@dataclass(frozen=True, slots=True)
class Conv:
    """Convolution; kernel `(out, in, h, w)`, bias `(out,)`."""

    kernel: Array
    bias: Array
    stride: int
    pad: int


@dataclass(frozen=True, slots=True)
class Affine:
    """Scale and shift per channel: batch normalisation at rest."""

    gamma: Array
    beta: Array


@dataclass(frozen=True, slots=True)
class Dense:
    """Fully connected, without bias; matrix `(in, out)`."""

    matrix: Array


@dataclass(frozen=True, slots=True)
class Pool:
    """Maximum or mean over windows; size 0 means the whole plane."""

    kind: str
    size: int
    stride: int
    pad: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A tag or a skip; the file does not say which, the topology does."""


@dataclass(frozen=True, slots=True)
class Relu:
    """Rectifier."""


@dataclass(frozen=True, slots=True)
class AddPrevious:
    """Adds an earlier, tagged layer; the smaller of the two is padded with zeros."""


Layer = Conv | Affine | Dense | Pool | Mark | Relu | AddPrevious


def read_layers(stream: Stream, read_input: Callable[[Stream], None]) -> list[Layer]:
    """Read everything below the loss, first computed first.

    Args:
        stream: Standing at the outermost layer.
        read_input: Reads the input layer, which differs between networks.

    Raises:
        ConversionFailed: Damaged file or a layer that we do not know.
    """
    kinds: list[int] = []
    while not kinds or kinds[-1] != _INNERMOST:
        kinds.append(stream.version(_COMPUTES, _MARKS, _INNERMOST))
        if len(kinds) > _DEEPEST:
            raise stream.broken("the network is too deep")
    read_input(stream)
    layers: list[Layer] = []
    for kind in reversed(kinds):
        if kind == _MARKS:
            layers.append(Mark())
            continue
        layers.append(_details(stream))
        for _ in range(3):
            stream.flag()
        for _ in range(3):
            stream.tensor()  # gradients and a cached output: of no use to us
        if kind == _INNERMOST:
            stream.integer()  # sample expansion factor
    return layers


def _details(stream: Stream) -> Layer:
    name = stream.string()
    reader = _READERS.get(name)
    if reader is None:
        raise stream.broken(f"unknown layer {name[:40]!r}")
    return reader(stream, name)


def _conv(stream: Stream, name: str) -> Conv:
    params = stream.tensor().ravel()
    stream.count()  # filters, said again by the shape
    rows, columns, stride_y, stride_x, pad_y, pad_x = (stream.count() for _ in range(6))
    shape, bias_shape = stream.alias(), stream.alias()
    for _ in range(4):
        stream.real()  # learning-rate multipliers
    has_bias = stream.flag() if name != "con_4" else True
    if name == "con_6":
        stream.flag()
    size = math.prod(shape)
    if (
        stride_y < 1
        or (stride_y, pad_y) != (stride_x, pad_x)
        or shape[2:] != (rows, columns)
        or size > params.size
    ):
        raise stream.broken("a convolution contradicts itself")
    bias = params[size:] if has_bias else np.zeros(shape[0], np.float32)
    if bias.size != shape[0] or math.prod(bias_shape) not in (0, shape[0]):
        raise stream.broken("a convolution contradicts itself")
    return Conv(params[:size].reshape(shape), bias, stride_y, pad_y)


def _affine(stream: Stream, name: str) -> Affine:
    params = stream.tensor().ravel()
    stream.alias()
    stream.alias()
    stream.integer()  # per channel or per value
    if name == "affine_2":
        stream.flag()
    return Affine(*_halves(stream, params))


def _batch_norm(stream: Stream, name: str) -> Affine:  # noqa: ARG001 - all readers are called alike
    gamma, beta = _halves(stream, stream.tensor().ravel())
    stream.alias()
    stream.alias()
    stream.tensor()  # means and inverse deviations of the last batch
    stream.tensor()
    means, variances = stream.tensor().ravel(), stream.tensor().ravel()
    stream.count()
    stream.count()
    for _ in range(4):
        stream.real()
    epsilon = stream.real()
    if not means.size == variances.size == gamma.size:
        raise stream.broken("a normalisation contradicts itself")
    scale = gamma / np.sqrt(variances.astype(np.float64) + epsilon)
    return Affine(scale.astype(np.float32), (beta - scale * means).astype(np.float32))


def _dense(stream: Stream, name: str) -> Dense:
    stream.count()
    stream.count()
    params = stream.tensor()
    shape = stream.alias()
    stream.alias()
    no_bias = stream.integer() == 1
    for _ in range(4):
        stream.real()
    if name == "fc_3":
        stream.flag()
    if not no_bias or params.size != shape[0] * shape[1] * shape[2] * shape[3]:
        raise stream.broken("expected a fully connected layer without bias")
    return Dense(params.reshape(shape[0], -1))


def _pool(stream: Stream, name: str) -> Pool:
    rows, columns, stride_y, stride_x, pad_y, pad_x = (stream.count() for _ in range(6))
    if stride_y < 1 or (rows, stride_y, pad_y) != (columns, stride_x, pad_x):
        raise stream.broken("a pooling window is not square, or stands still")
    return Pool(name.split("_", maxsplit=1)[0], rows, stride_y, pad_y)


def _relu(stream: Stream, name: str) -> Relu:
    if name == "relu_2":
        stream.flag()
    return Relu()


def _add_previous(_: Stream, __: str) -> AddPrevious:
    return AddPrevious()


def _halves(stream: Stream, params: Array) -> tuple[Array, Array]:
    if params.size % 2 or params.size == 0:
        raise stream.broken("a normalisation contradicts itself")
    half = params.size // 2
    return params[:half], params[half:]


_READERS: dict[str, Callable[[Stream, str], Layer]] = {
    "con_4": _conv,
    "con_5": _conv,
    "con_6": _conv,
    "affine_": _affine,
    "affine_2": _affine,
    "bn_con2": _batch_norm,
    "fc_2": _dense,
    "fc_3": _dense,
    "max_pool_2": _pool,
    "avg_pool_2": _pool,
    "relu_": _relu,
    "relu_2": _relu,
    "add_prev_": _add_previous,
}
