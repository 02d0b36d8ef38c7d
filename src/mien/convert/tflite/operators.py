"""TFLite's operators, said with the layers of `mien.convert.building.channels_last`.

Options are numbered as in TensorFlow's schema.fbs.
"""

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
from mien.convert.tflite.flatbuffer import damaged
from mien.convert.tflite.model import Operator
from mien.errors import ConversionFailed

# The schema also knows a fused tanh (4), which TFLite's own kernels ignore: it is refused.
_ACTIVATIONS: dict[int, tuple[str, tuple[float, ...]]] = {
    1: ("Relu", ()),
    2: ("Clip", (-1.0, 1.0)),
    3: ("Clip", (0.0, 6.0)),
}


@dataclass(frozen=True)
class Step:
    """One operator with its inputs, and the shape that the file claims for its result."""

    network: Network
    operator: Operator
    inputs: list[Value | None]
    claimed: tuple[int, ...]

    @property
    def x(self) -> Value:
        """The first input."""
        return self.value(0)

    def value(self, i: int) -> Value:
        """An input that must be there."""
        found = self.inputs[i] if i < len(self.inputs) else None
        if found is None:
            raise damaged(f"an operator {self.operator.kind} lacks an input")
        return found

    def constant(self, i: int) -> NDArray[np.generic]:
        """An input that must be a constant."""
        found = self.value(i).constant
        if found is None:
            raise ConversionFailed(f"An operator {self.operator.kind} whose weights or axes are computed.")
        return found

    def weights(self, i: int) -> Array:
        """An input that must be constant weights, as float32."""
        return self.network.floats(self.constant(i))

    def bias(self, i: int) -> Array | None:
        """A bias, which may be absent."""
        return self.weights(i) if i < len(self.inputs) and self.inputs[i] is not None else None

    def integers(self, i: int) -> list[int]:
        """An input that must be constant integers."""
        return shapes.integers(self.constant(i))

    def activated(self, value: Value, field: int) -> Value:
        """Apply the activation that an option names."""
        number = self.operator.option(field, "b")
        if number == 0:
            return value
        if number not in _ACTIVATIONS:
            raise ConversionFailed(f"A TFLite activation of number {number} is not supported.")
        name, more = _ACTIVATIONS[number]
        return self.network.unary(name, value, *more)

    def window(self, size: tuple[int, int], dilation: int | None = None) -> Window:
        """The window of a convolution or pooling; `dilation` is the option of its columns."""
        option = self.operator.option
        across = (1, 1) if dilation is None else (option(dilation + 1, "i", 1), option(dilation, "i", 1))
        return Window(size, (option(2), option(1)), across, same=option(0, "b") == 0)


def _unary(name: str, *more: float) -> Callable[[Step], Value]:
    return lambda step: step.network.unary(name, step.x, *more)


def _binary(name: str, activation: int | None = None) -> Callable[[Step], Value]:
    def apply(step: Step) -> Value:
        value = step.network.binary(name, step.x, step.value(1))
        return value if activation is None else step.activated(value, activation)

    return apply


def _convolution(step: Step) -> Value:
    kernel = step.weights(1).transpose(0, 3, 1, 2)
    value = layers.convolve(step.network, step.x, kernel, step.bias(2), step.window(kernel.shape[2:], 4))
    return step.activated(value, 3)


def _depthwise(step: Step) -> Value:
    kernel = step.weights(1).transpose(3, 0, 1, 2)
    value = layers.convolve(step.network, step.x, kernel, step.bias(2), step.window(kernel.shape[2:], 5))
    return step.activated(value, 4)


def _pooling(step: Step, name: str) -> Value:
    option = step.operator.option
    window = step.window((option(4), option(3)))
    return step.activated(layers.pool(step.network, name, step.x, window), 5)


def _dense(step: Step) -> Value:
    matrix, x = step.weights(1).T, step.x
    if not step.operator.option(2, "b"):
        x = shapes.reshape(step.network, x, (-1, len(matrix)))
    return step.activated(layers.dense(step.network, x, matrix, step.bias(2)), 0)


def _dequantize(step: Step) -> Value:
    return Value.of(step.weights(0))


def _concatenation(step: Step) -> Value:
    values = [step.value(i) for i in range(len(step.inputs))]
    return step.activated(shapes.concatenate(step.network, values, step.operator.option(0)), 1)


def _reshape(step: Step) -> Value:
    # Whether the file says the shape as an option or as an input, the result claims the same.
    return shapes.reshape(step.network, step.x, step.claimed)


def _transpose(step: Step) -> Value:
    return shapes.transpose(step.network, step.x, step.integers(1))


def _reduce(step: Step, name: str) -> Value:
    keep = bool(step.operator.option(0, "b"))
    return shapes.reduce(step.network, name, step.x, step.integers(1), keep=keep)


def _strided_slice(step: Step) -> Value:
    option = step.operator.option
    if option(2) or option(3) or option(5, "b"):
        raise ConversionFailed("A STRIDED_SLICE with an ellipsis, a new axis or an offset is not supported.")
    begin, end, stride = (step.integers(i) for i in (1, 2, 3))
    return shapes.strided_slice(
        step.network, step.x, shapes.Slices(begin, end, stride, option(0), option(1), option(4))
    )


def _pad(step: Step) -> Value:
    pads = np.reshape(step.integers(1), (-1, 2)).tolist()
    return shapes.pad(step.network, step.x, [(before, after) for before, after in pads])


def _resize(step: Step, mode: str, field: int) -> Value:
    rows, columns = step.integers(1)
    option = step.operator.option
    return layers.resize(
        step.network, step.x, (rows, columns), mode,
        corners=bool(option(field, "b")), centres=bool(option(field + 1, "b")),
    )  # fmt: skip


def _softmax(step: Step) -> Value:
    if step.operator.real(0, 1.0) != 1.0:
        raise ConversionFailed("A SOFTMAX with a temperature is not supported.")
    return layers.softmax(step.network, step.x)


def _prelu(step: Step) -> Value:
    return layers.prelu(step.network, step.x, step.weights(1))


def _leaky_relu(step: Step) -> Value:
    return step.network.unary("LeakyRelu", step.x, alpha=step.operator.real(0, 0.0))


def _rsqrt(step: Step) -> Value:
    return step.network.unary("Reciprocal", step.network.unary("Sqrt", step.x))


def _square(step: Step) -> Value:
    return step.network.binary("Mul", step.x, step.x)


def _squared_difference(step: Step) -> Value:
    difference = step.network.binary("Sub", step.x, step.value(1))
    return step.network.binary("Mul", difference, difference)


def _unit_length(step: Step) -> Value:
    return step.activated(layers.unit_length(step.network, step.x, 1e-6), 0)


OPERATORS: dict[str, Callable[[Step], Value]] = {
    "ABS": _unary("Abs"),
    "ADD": _binary("Add", 0),
    "AVERAGE_POOL_2D": partial(_pooling, name="AveragePool"),
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEQUANTIZE": _dequantize,
    "DIV": _binary("Div", 0),
    "ELU": _unary("Elu"),
    "EXP": _unary("Exp"),
    "EXPAND_DIMS": _reshape,
    "FULLY_CONNECTED": _dense,
    "HARD_SWISH": _unary("HardSwish"),
    "L2_NORMALIZATION": _unit_length,
    "LEAKY_RELU": _leaky_relu,
    "LOG": _unary("Log"),
    "LOGISTIC": _unary("Sigmoid"),
    "MAXIMUM": _binary("Max"),
    "MAX_POOL_2D": partial(_pooling, name="MaxPool"),
    "MEAN": partial(_reduce, name="ReduceMean"),
    "MINIMUM": _binary("Min"),
    "MUL": _binary("Mul", 0),
    "NEG": _unary("Neg"),
    "PAD": _pad,
    "PRELU": _prelu,
    "REDUCE_MAX": partial(_reduce, name="ReduceMax"),
    "RELU": _unary("Relu"),
    "RELU6": _unary("Clip", 0.0, 6.0),
    "RELU_N1_TO_1": _unary("Clip", -1.0, 1.0),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": partial(_resize, mode="linear", field=2),
    "RESIZE_NEAREST_NEIGHBOR": partial(_resize, mode="nearest", field=0),
    "RSQRT": _rsqrt,
    "SOFTMAX": _softmax,
    "SQRT": _unary("Sqrt"),
    "SQUARE": _square,
    "SQUARED_DIFFERENCE": _squared_difference,
    "SQUEEZE": _reshape,
    "STRIDED_SLICE": _strided_slice,
    "SUB": _binary("Sub", 0),
    "SUM": partial(_reduce, name="ReduceSum"),
    "TANH": _unary("Tanh"),
    "TRANSPOSE": _transpose,
}
