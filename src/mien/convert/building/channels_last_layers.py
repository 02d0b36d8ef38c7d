"""Layers of networks that lie channels last: what has weights, windows or an activation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.convert.building.channels_last import NCHW_AXIS, TO_NCHW, Convolution, Network, Value
from mien.convert.building.channels_last_shapes import axis_of
from mien.convert.building.graph import Array
from mien.errors import ConversionFailed

_LARGEST_STEP = 4096


@dataclass(frozen=True)
class Window:
    """How a convolution or pooling moves: `(rows, columns)` each; `same` pads as TensorFlow does."""

    size: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    same: bool = False

    def __post_init__(self) -> None:
        steps = (*self.size, *self.stride, *self.dilation)
        if not all(1 <= step <= _LARGEST_STEP for step in steps):
            raise ConversionFailed(f"A window of size, stride and dilation {steps} makes no sense.")

    def over(self, x: Value) -> tuple[tuple[int | None, int | None], dict[str, object]]:
        """Return the size `(rows, columns)` of what comes out, and the attributes that ONNX wants.

        TensorFlow pads so that `ceil(length / stride)` windows fit, the odd one out at the end.
        """
        attributes: dict[str, object] = {"kernel_shape": self.size, "strides": self.stride}
        if self.dilation != (1, 1):
            attributes["dilations"] = self.dilation
        sizes: list[int | None] = []
        begin, end = [0, 0], [0, 0]
        for i, length in enumerate(x.shape[1:3]):
            reach = (self.size[i] - 1) * self.dilation[i] + 1
            if length is None:
                sizes.append(None)
            elif self.same:
                sizes.append(-(-length // self.stride[i]))
                total = max((-(-length // self.stride[i]) - 1) * self.stride[i] + reach - length, 0)
                begin[i], end[i] = total // 2, total - total // 2
            elif length < reach:
                raise ConversionFailed(f"A window of {reach} does not fit into a map of {length}.")
            else:
                sizes.append((length - reach) // self.stride[i] + 1)
        if self.same and None in sizes:
            attributes["auto_pad"] = "SAME_UPPER"
        else:
            attributes["pads"] = [*begin, *end]
        return (sizes[0], sizes[1]), attributes


def convolve(network: Network, x: Value, kernel: Array, bias: Array | None, window: Window) -> Value:
    """Convolution; kernel `(out, in / groups, rows, columns)`, bias `(out,)` or none."""
    channels = _channels(x)
    out, depth = kernel.shape[:2]
    if channels % depth or out % (channels // depth):
        raise ConversionFailed(f"A kernel of shape {kernel.shape} does not fit {channels} channels.")
    if bias is None:
        bias = np.zeros(out, np.float32)
    if bias.shape != (out,):
        raise ConversionFailed(f"A bias of shape {bias.shape} does not fit {out} channels.")
    size, attributes = window.over(x)
    pending = Convolution(network.name(x), kernel, bias, attributes | {"group": channels // depth})
    return Value((x.shape[0], *size, out), convolution=pending)


def pool(network: Network, operator: str, x: Value, window: Window) -> Value:
    """MaxPool, or AveragePool, which counts no padding."""
    channels = _channels(x)
    size, attributes = window.over(x)
    return Value((x.shape[0], *size, channels), name=network.add(operator, network.name(x), **attributes))


def dense(network: Network, x: Value, matrix: Array, bias: Array | None) -> Value:
    """Fully connected over the last axis; matrix `(in, out)`, bias `(out,)` or none."""
    if x.shape[-1] != matrix.shape[0] or (bias is not None and bias.shape != matrix.shape[1:]):
        raise ConversionFailed(f"A matrix of shape {matrix.shape} does not fit its layer.")
    shape = (*x.shape[:-1], matrix.shape[1])
    if len(x.shape) == 2:
        weights = [network.weight(matrix)] + ([] if bias is None else [network.weight(bias)])
        return Value(shape, name=network.add("Gemm", network.name(x), *weights))
    if len(x.shape) == 4:
        return convolve(network, x, matrix.T[:, :, None, None], bias, Window((1, 1)))
    name = network.add("MatMul", network.name(x), network.weight(matrix))
    product = Value(shape, name=name)
    return product if bias is None else network.binary("Add", product, Value.of(bias))


def prelu(network: Network, x: Value, slope: Array) -> Value:
    """PReLU.

    One slope per channel is said as in `mien.convert.building.blocks`, which is three times as fast as ONNX
    Runtime's own operator: `a * x + (1 - a) * relu(x)`, the scaling as depthwise convolutions.
    """
    if len(x.shape) != 4 or slope.size not in (1, x.shape[3]) or slope.shape[-1:] != (slope.size,):
        laid = _raised(slope, x)
        return Value(x.shape, name=network.add("PRelu", network.name(x), network.weight(laid)))
    channels = _channels(x)
    kernel = np.broadcast_to(slope.reshape(-1, 1, 1, 1), (channels, 1, 1, 1))
    name = network.name(x)
    negative = network.add("Conv", name, network.weight(kernel), group=channels)
    relu = network.add("Relu", name)
    positive = network.add("Conv", relu, network.weight(1 - kernel), group=channels)
    return Value(x.shape, name=network.add("Add", negative, positive))


def _raised(slope: Array, x: Value) -> Array:
    if len(x.shape) != 4:
        return slope
    raised = slope.reshape((1,) * (4 - slope.ndim) + slope.shape)
    return raised.transpose(TO_NCHW)


def softmax(network: Network, x: Value, axis: int = -1) -> Value:
    """Softmax along an axis."""
    along = axis_of(x, axis)
    along = NCHW_AXIS[along] if len(x.shape) == 4 else along
    return Value(x.shape, name=network.add("Softmax", network.name(x), axis=along))


def unit_length(network: Network, x: Value, floor: float) -> Value:
    """Divide by the Euclidean length along the last axis, at least the root of `floor`."""
    axis = 1 if len(x.shape) == 4 else len(x.shape) - 1
    length = network.add("ReduceL2", network.name(x), axes=[axis], keepdims=1)
    smallest = network.weight(np.array(np.sqrt(floor), np.float32))
    return Value(x.shape, name=network.add("Div", network.name(x), network.add("Max", length, smallest)))


def resize(
    network: Network, x: Value, size: tuple[int, int], mode: str, *, corners: bool, centres: bool
) -> Value:
    """Resize maps to `(rows, columns)`; `mode` is linear or nearest.

    TensorFlow rounds a source coordinate down for the nearest neighbour, which after ONNX's shift
    by half a pixel is rounding half up.
    """
    channels = _channels(x)
    if not all(1 <= length <= _LARGEST_STEP for length in size):
        raise ConversionFailed(f"A map is resized to {size}.")
    where = "align_corners" if corners else "half_pixel" if centres else "asymmetric"
    rounding = "floor" if where == "asymmetric" else "round_prefer_ceil"
    name = network.name(x)
    batch = network.add("Shape", name, start=0, end=1)
    sizes = network.add("Concat", batch, network.integers([channels, *size]), axis=0)
    name = network.add(
        "Resize", name, "", "", sizes,
        mode=mode, coordinate_transformation_mode=where, nearest_mode=rounding,
    )  # fmt: skip
    return Value((x.shape[0], *size, channels), name=name)


def _channels(x: Value) -> int:
    channels = x.shape[3] if len(x.shape) == 4 else None
    if channels is None:
        raise ConversionFailed("A layer for pictures is given something else.")
    return channels
