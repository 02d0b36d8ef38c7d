"""TensorFlow's operators, said with the layers of `mien.convert.building.channels_last`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mien.convert.building import channels_last_layers as layers
from mien.convert.building import channels_last_shapes as shapes
from mien.convert.building.channels_last import Network, Value
from mien.convert.building.channels_last_layers import Window
from mien.convert.building.graph import Array
from mien.convert.tensorflow.proto import Node
from mien.errors import ConversionFailed

_DTYPES = {1: np.float32, 3: np.int32, 9: np.int64, 10: np.bool_}


@dataclass(frozen=True)
class Step:
    """One node with its inputs."""

    network: Network
    node: Node
    inputs: list[Value]

    @property
    def x(self) -> Value:
        """The first input."""
        return self.inputs[0]

    def fail(self, why: str) -> ConversionFailed:
        """Make an error that names the node."""
        return ConversionFailed(f"The node {self.node.name!r} ({self.node.kind}) {why}.")

    def constant(self, i: int) -> NDArray[np.generic]:
        """An input that must be a constant."""
        found = self.inputs[i].constant
        if found is None:
            raise self.fail("has weights, axes or a shape that are computed from the picture")
        return found

    def weights(self, i: int) -> Array:
        """An input that must be constant weights, as float32."""
        return self.network.floats(self.constant(i))

    def integers(self, i: int) -> list[int]:
        """An input that must be constant integers."""
        return shapes.integers(self.constant(i))

    def hw(self, key: str) -> tuple[int, int]:
        """The rows and columns of an attribute such as `strides`, whose layout must be NHWC."""
        one, rows, columns, channels = self.node.integers(key, (1, 1, 1, 1))
        if (one, channels) != (1, 1):
            raise self.fail(f"steps over pictures or channels ({key})")
        return rows, columns

    def window(self, size: tuple[int, int] | None = None) -> Window:
        """The window of a convolution of that size, or of a pooling."""
        if self.node.text("data_format", "NHWC") != "NHWC":
            raise self.fail("is laid out as NCHW: freeze the network for a CPU")
        padding = self.node.text("padding")
        if padding not in ("SAME", "VALID"):
            raise self.fail(f"has the padding {padding!r}")
        return Window(size or self.hw("ksize"), self.hw("strides"), self.hw("dilations"), padding == "SAME")


def _same(step: Step) -> Value:
    return step.x


def _unary(name: str, *more: float) -> Callable[[Step], Value]:
    return lambda step: step.network.unary(name, step.x, *more)


def _binary(name: str) -> Callable[[Step], Value]:
    return lambda step: step.network.binary(name, step.x, step.inputs[1])


def _convolution(step: Step) -> Value:
    kernel = step.weights(1).transpose(3, 2, 0, 1)
    return layers.convolve(step.network, step.x, kernel, None, step.window(kernel.shape[2:]))


def _depthwise(step: Step) -> Value:
    kernel = step.weights(1)
    rows, columns, channels, times = kernel.shape
    if channels != step.x.shape[-1]:
        raise step.fail(f"has weights for {channels} channels")
    kernel = kernel.reshape(rows, columns, 1, channels * times).transpose(3, 2, 0, 1)
    return layers.convolve(step.network, step.x, kernel, None, step.window((rows, columns)))


def _bias(step: Step) -> Value:
    return step.network.affine(step.x, 1.0, step.weights(1))


def _normalisation(step: Step) -> Value:
    if step.node.flag("is_training", default=True):
        raise step.fail("computes its statistics from the batch: freeze the network for inference")
    gamma, beta, mean, variance = (step.weights(i) for i in range(1, 5))
    scale = gamma / np.sqrt(variance + step.node.real("epsilon", 1e-4))
    return step.network.affine(step.x, scale, beta - mean * scale)


def _pooling(step: Step, name: str) -> Value:
    return layers.pool(step.network, name, step.x, step.window())


def _matrix(step: Step) -> Value:
    if step.node.flag("transpose_a") or len(step.x.shape) != 2:
        raise step.fail("multiplies something other than rows")
    matrix = step.weights(1)
    return layers.dense(step.network, step.x, matrix.T if step.node.flag("transpose_b") else matrix, None)


def _sum_of_all(step: Step) -> Value:
    total = step.x
    for value in step.inputs[1:]:
        total = step.network.binary("Add", total, value)
    return total


def _reduce(step: Step, name: str) -> Value:
    return shapes.reduce(step.network, name, step.x, step.integers(1), keep=step.node.flag("keep_dims"))


def _shape(step: Step) -> Value:
    # A free length is -1, as in the shape to which most of these lead.
    return Value.of(np.array([-1 if each is None else each for each in step.x.shape], np.int32))


def _pack(step: Step) -> Value:
    parts = [step.constant(i) for i in range(len(step.inputs))]
    step.network.spend(sum(part.nbytes for part in parts))
    return Value.of(np.stack(parts, step.node.integer("axis")))


def _reshape(step: Step) -> Value:
    return shapes.reshape(step.network, step.x, step.integers(1))


def _squeeze(step: Step) -> Value:
    return shapes.squeeze(step.network, step.x, step.node.integers("squeeze_dims"))


def _expand(step: Step) -> Value:
    (axis,) = step.integers(1)
    shape = [-1 if each is None else each for each in step.x.shape]
    shape.insert(axis if axis >= 0 else len(shape) + 1 + axis, 1)
    if step.x.is_free and shape[0] == 1:
        raise step.fail("puts an axis before the batch")
    return shapes.reshape(step.network, step.x, shape)


def _concatenate(step: Step) -> Value:
    *values, axis = step.inputs
    if axis.constant is None:
        raise step.fail("joins along an axis that is computed")
    return shapes.concatenate(step.network, values, int(axis.constant.item()))


def _strided_slice(step: Step) -> Value:
    mask = step.node.integer
    if mask("ellipsis_mask") or mask("new_axis_mask"):
        raise step.fail("has an ellipsis or a new axis")
    begin, end, stride = (step.integers(i) for i in (1, 2, 3))
    masks = (mask("begin_mask"), mask("end_mask"), mask("shrink_axis_mask"))
    return shapes.strided_slice(step.network, step.x, shapes.Slices(begin, end, stride, *masks))


def _slice(step: Step) -> Value:
    begin, size = step.integers(1), step.integers(2)
    ends = [first + length for first, length in zip(begin, size, strict=True)]
    to_the_end = sum(1 << i for i, length in enumerate(size) if length == -1)
    return shapes.strided_slice(
        step.network, step.x, shapes.Slices(begin, ends, [1] * len(begin), end_mask=to_the_end)
    )


def _pad(step: Step) -> Value:
    pads = np.reshape(step.integers(1), (-1, 2)).tolist()
    value = float(step.weights(2).item()) if len(step.inputs) > 2 else 0.0
    return shapes.pad(step.network, step.x, [(before, after) for before, after in pads], value)


def _transpose(step: Step) -> Value:
    return shapes.transpose(step.network, step.x, step.integers(1))


def _resize(step: Step, mode: str) -> Value:
    rows, columns = step.integers(1)
    flag = step.node.flag
    return layers.resize(
        step.network, step.x, (rows, columns), mode,
        corners=flag("align_corners"), centres=flag("half_pixel_centers"),
    )  # fmt: skip


def _cast(step: Step) -> Value:
    code = step.node.integer("DstT")
    if step.x.constant is not None and code in _DTYPES:
        step.network.spend(8 * step.x.constant.size)
        return Value.of(step.x.constant.astype(_DTYPES[code]))
    if code != 1:
        raise step.fail("makes a tensor of another type than float32")
    return step.x


def _not(step: Step) -> Value:
    return Value.of(~step.constant(0).astype(np.bool_))


def _leaky_relu(step: Step) -> Value:
    return step.network.unary("LeakyRelu", step.x, alpha=step.node.real("alpha", 0.2))


def _rsqrt(step: Step) -> Value:
    return step.network.unary("Reciprocal", step.network.unary("Sqrt", step.x))


def _square(step: Step) -> Value:
    return step.network.binary("Mul", step.x, step.x)


def _squared_difference(step: Step) -> Value:
    difference = step.network.binary("Sub", step.x, step.inputs[1])
    return step.network.binary("Mul", difference, difference)


def _softmax(step: Step) -> Value:
    return layers.softmax(step.network, step.x)


OPERATORS: dict[str, Callable[[Step], Value]] = {
    "Abs": _unary("Abs"),
    "Add": _binary("Add"),
    "AddN": _sum_of_all,
    "AddV2": _binary("Add"),
    "AvgPool": partial(_pooling, name="AveragePool"),
    "BiasAdd": _bias,
    "Cast": _cast,
    "CheckNumerics": _same,
    "ConcatV2": _concatenate,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "Div": _binary("Div"),
    "Elu": _unary("Elu"),
    "Exp": _unary("Exp"),
    "ExpandDims": _expand,
    "FusedBatchNorm": _normalisation,
    "FusedBatchNormV2": _normalisation,
    "FusedBatchNormV3": _normalisation,
    "Identity": _same,
    "LeakyRelu": _leaky_relu,
    "Log": _unary("Log"),
    "LogicalNot": _not,
    "MatMul": _matrix,
    "Max": partial(_reduce, name="ReduceMax"),
    "MaxPool": partial(_pooling, name="MaxPool"),
    "Maximum": _binary("Max"),
    "Mean": partial(_reduce, name="ReduceMean"),
    "Minimum": _binary("Min"),
    "Mul": _binary("Mul"),
    "Neg": _unary("Neg"),
    "Pack": _pack,
    "Pad": _pad,
    "PadV2": _pad,
    "PlaceholderWithDefault": _same,
    "Pow": _binary("Pow"),
    "Prod": partial(_reduce, name="ReduceProd"),
    "RealDiv": _binary("Div"),
    "Relu": _unary("Relu"),
    "Relu6": _unary("Clip", 0.0, 6.0),
    "Reshape": _reshape,
    "ResizeBilinear": partial(_resize, mode="linear"),
    "ResizeNearestNeighbor": partial(_resize, mode="nearest"),
    "Rsqrt": _rsqrt,
    "Selu": _unary("Selu"),
    "Shape": _shape,
    "Sigmoid": _unary("Sigmoid"),
    "Slice": _slice,
    "Softmax": _softmax,
    "Softplus": _unary("Softplus"),
    "Sqrt": _unary("Sqrt"),
    "Square": _square,
    "SquaredDifference": _squared_difference,
    "Squeeze": _squeeze,
    "StopGradient": _same,
    "StridedSlice": _strided_slice,
    "Sub": _binary("Sub"),
    "Sum": partial(_reduce, name="ReduceSum"),
    "Tanh": _unary("Tanh"),
    "Transpose": _transpose,
}
