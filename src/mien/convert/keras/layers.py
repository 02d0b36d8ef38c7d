"""Keras' layers, said with the layers of `mien.convert.building.channels_last`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Annotated, Any

import msgspec
import numpy as np

from mien.convert.building import channels_last_layers as layers
from mien.convert.building import channels_last_shapes as shapes
from mien.convert.building.blocks import batch_norm
from mien.convert.building.channels_last import Network, Value
from mien.convert.building.channels_last_layers import Window
from mien.convert.building.graph import Array
from mien.errors import ConversionFailed

_LONGEST = 1 << 15  # side of a picture or border; longer ones are a mistake or an attack

_Length = Annotated[int, msgspec.Meta(ge=1, le=_LONGEST)]
# One number for both sides, or rows and columns; `_pair` checks them, since msgspec 0.22 confuses a
# bound on the number with the length of a tuple in such a union.
_Sides = int | list[int]

_KERAS1_OPTIONS = {
    "subsample": "strides",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "bias": "use_bias",
    "atrous_rate": "dilation_rate",
    "concat_axis": "axis",
}
_KERAS1_LAYERS = {
    "Convolution2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
}
_KERAS1_MERGES = {"sum": "Add", "mul": "Multiply", "concat": "Concatenate"}


class _Options(msgspec.Struct, frozen=True):
    """What layers can be told, in the words of Keras 2; a layer uses some of it."""

    activation: str | dict[str, Any] | None = None
    alpha: float | None = None
    axis: int | list[int] = -1
    batch_input_shape: list[_Length | None] | None = None
    batch_shape: list[_Length | None] | None = None
    center: bool = True
    data_format: str | None = None
    dilation_rate: _Sides = 1
    epsilon: float = 1e-3
    groups: _Length = 1
    interpolation: str = "nearest"
    keepdims: bool = False
    max_value: float | None = None
    negative_slope: float | None = None
    padding: Any = "valid"
    pool_size: _Sides = 2
    scale: bool = True
    size: _Sides = 2
    strides: _Sides | None = None
    target_shape: list[Annotated[int, msgspec.Meta(ge=-1)]] = []
    threshold: float | None = 0.0
    use_bias: bool = True


@dataclass(frozen=True)
class _Step:
    """A layer with its options, its weights and what goes into it."""

    network: Network
    name: str
    options: _Options
    weights: tuple[Array, ...]
    inputs: list[Value]

    @property
    def x(self) -> Value:
        """The only input."""
        if len(self.inputs) != 1:
            raise ConversionFailed(f"it takes one input and is given {len(self.inputs)}.")
        return self.inputs[0]

    @property
    def channels(self) -> int:
        """The channels of the only input, which must be a map."""
        channels = self.x.shape[-1]
        if len(self.x.shape) != 4 or channels is None:
            raise ConversionFailed("it is made for maps and given something else.")
        return channels

    def arrays(self, *ranks: int, biased: bool = False) -> tuple[Array, ...]:
        """The weights, which must be of these ranks; `biased` adds a bias if the options say so."""
        wanted = (*ranks, 1) if biased and self.options.use_bias else ranks
        found = tuple(array.ndim for array in self.weights)
        if found != wanted:
            raise ConversionFailed(f"it needs weights of ranks {wanted}; the file has {found}.")
        return self.weights

    def window(self, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> Window:
        """How a kernel moves."""
        if self.options.padding not in ("same", "valid"):
            raise ConversionFailed(f"it has a padding {self.options.padding!r}.")
        return Window(size, stride, dilation, same=self.options.padding == "same")

    def convolve(self, x: Value, kernel: Array, bias: Array | None) -> Value:
        """Convolution with the layer's strides; kernel `(out, in / groups, rows, columns)`."""
        stride, dilation = _pair(self.options.strides or 1), _pair(self.options.dilation_rate)
        rows, columns = kernel.shape[2:]
        return layers.convolve(self.network, x, kernel, bias, self.window((rows, columns), stride, dilation))


def unsupported(kind: str, config: Mapping[str, Any]) -> Iterator[str]:
    """Name what a layer needs and we lack: its kind, its activation."""
    if _kind(kind, config) not in _LAYERS:
        yield f"Merge by {config.get('mode')}" if kind == "Merge" else kind
    activation = config.get("activation")
    if activation is not None and (not isinstance(activation, str) or activation not in _ACTIVATIONS):
        name = activation.get("class_name") if isinstance(activation, dict) else activation
        yield f"activation {name}"


def write(
    kind: str, config: Mapping[str, Any], network: Network, weights: tuple[Array, ...], inputs: list[Value]
) -> Value:
    """Write one layer, its activation included.

    Args:
        kind: The layer's class, in the words of Keras 1, 2 or 3.
        config: Its options, likewise.
        network: Where it is written.
        weights: Its arrays, in Keras' order.
        inputs: What goes into it.

    Raises:
        ConversionFailed: Its options, weights and inputs do not fit each other.
    """
    options = msgspec.convert(
        {_KERAS1_OPTIONS.get(name, name): value for name, value in config.items()}, _Options
    )
    if options.data_format in ("channels_first", "th"):
        raise ConversionFailed("it wants channels first, which is not supported.")
    layer = _Step(network, str(config.get("name")), options, weights, inputs)
    value = _LAYERS[_kind(kind, config)](layer)
    return _ACTIVATIONS[str(options.activation or "linear")](network, value)


def _kind(kind: str, config: Mapping[str, Any]) -> str:
    if kind == "Merge":
        return _KERAS1_MERGES.get(str(config.get("mode")), kind)
    return _KERAS1_LAYERS.get(kind, kind)


def _pair(sides: int | Sequence[int], least: int = 1) -> tuple[int, int]:
    both = (sides, sides) if isinstance(sides, int) else tuple(sides)
    if len(both) != 2 or not all(least <= side <= _LONGEST for side in both):
        raise ConversionFailed(f"{sides} is no size for a window, a stride or a border.")
    return both


def _input(layer: _Step) -> Value:
    shape = layer.options.batch_shape or layer.options.batch_input_shape
    if shape is None or len(shape) < 2:
        raise ConversionFailed("the file does not say the shape of the input.")
    return layer.network.input(layer.name, (None, *shape[1:]))


def _same(layer: _Step) -> Value:
    return layer.x


def _conv(layer: _Step) -> Value:
    kernel, *bias = layer.arrays(4, biased=True)
    if kernel.shape[2] * layer.options.groups != layer.channels:
        raise ConversionFailed(f"a kernel of shape {kernel.shape} does not fit {layer.channels} channels.")
    return layer.convolve(layer.x, kernel.transpose(3, 2, 0, 1), bias[0] if bias else None)


def _depthwise(layer: _Step) -> Value:
    kernel, *bias = layer.arrays(4, biased=True)
    return layer.convolve(layer.x, _per_channel(layer, kernel), bias[0] if bias else None)


def _separable(layer: _Step) -> Value:
    each, over, *bias = layer.arrays(4, 4, biased=True)
    x = layer.convolve(layer.x, _per_channel(layer, each), None)
    if over.shape[:3] != (1, 1, x.shape[3]):
        raise ConversionFailed(f"a kernel of shape {over.shape} does not fit {x.shape[3]} channels.")
    return layers.convolve(
        layer.network, x, over.transpose(3, 2, 0, 1), bias[0] if bias else None, Window((1, 1))
    )


def _per_channel(layer: _Step, kernel: Array) -> Array:
    """`(rows, columns, channels, times)` to `(channels * times, 1, rows, columns)`."""
    rows, columns, channels, times = kernel.shape
    if channels != layer.channels:
        raise ConversionFailed(f"a kernel of shape {kernel.shape} does not fit {layer.channels} channels.")
    return kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, rows, columns)


def _dense(layer: _Step) -> Value:
    matrix, *bias = layer.arrays(2, biased=True)
    return layers.dense(layer.network, layer.x, matrix, bias[0] if bias else None)


def _batch_norm(layer: _Step) -> Value:
    options, last = layer.options, len(layer.x.shape) - 1
    if options.axis not in (-1, last, [-1], [last]):
        raise ConversionFailed(f"it normalises along the axis {options.axis}, not the channels.")
    arrays = list(layer.arrays(*[1] * (2 + options.scale + options.center)))
    ones = np.ones_like(arrays[-1])
    gamma = arrays.pop(0) if options.scale else ones
    beta = arrays.pop(0) if options.center else 0 * ones
    mean, variance = arrays
    scale, shift = batch_norm(gamma, beta, mean, variance, options.epsilon)
    return layer.network.affine(layer.x, scale, shift)


def _relu(layer: _Step) -> Value:
    highest, slope = layer.options.max_value, layer.options.negative_slope or 0.0
    if layer.options.threshold or (slope and highest is not None):
        raise ConversionFailed(
            "a ReLU with a threshold, or with both a slope and a maximum, is not supported."
        )
    if highest is not None:
        return layer.network.unary("Clip", layer.x, 0.0, highest)
    return _leaky(layer.network, layer.x, slope) if slope else layer.network.unary("Relu", layer.x)


def _leaky_relu(layer: _Step) -> Value:
    given = (layer.options.negative_slope, layer.options.alpha, 0.3)
    return _leaky(layer.network, layer.x, next(slope for slope in given if slope is not None))


def _leaky(network: Network, x: Value, slope: float) -> Value:
    return network.unary("LeakyRelu", x, alpha=slope)


def _prelu(layer: _Step) -> Value:
    shape = layer.x.shape[1:]
    (slope,) = layer.arrays(len(shape))
    if any(n not in (1, m) for n, m in zip(slope.shape, shape, strict=True)):
        raise ConversionFailed(f"slopes of shape {slope.shape} do not fit.")
    return layers.prelu(layer.network, layer.x, slope)


def _softmax(layer: _Step) -> Value:
    axis = layer.options.axis
    if not isinstance(axis, int) or axis == 0:
        raise ConversionFailed(f"a softmax along the axis {axis} is not supported.")
    return layers.softmax(layer.network, layer.x, axis)


def _pool(operator: str, layer: _Step) -> Value:
    size = _pair(layer.options.pool_size)
    window = layer.window(size, _pair(layer.options.strides or size), (1, 1))
    return layers.pool(layer.network, operator, layer.x, window)


def _pool_all(operator: str, layer: _Step) -> Value:
    channels = layer.channels
    x = Value((None, 1, 1, channels), name=layer.network.add(operator, layer.network.name(layer.x)))
    return x if layer.options.keepdims else shapes.reshape(layer.network, x, (-1, channels))


def _merge(operator: str, layer: _Step) -> Value:
    if len(layer.inputs) < 2:
        raise ConversionFailed("it merges fewer than two inputs.")
    return reduce(partial(layer.network.binary, operator), layer.inputs)


def _concatenate(layer: _Step) -> Value:
    if not isinstance(layer.options.axis, int):
        raise ConversionFailed(f"it joins along the axes {layer.options.axis}.")
    return shapes.concatenate(layer.network, layer.inputs, layer.options.axis)


def _flatten(layer: _Step) -> Value:
    return shapes.reshape(layer.network, layer.x, (-1, math.prod(layer.x.known)))


def _reshape(layer: _Step) -> Value:
    return shapes.reshape(layer.network, layer.x, (-1, *layer.options.target_shape))


def _zero_padding(layer: _Step) -> Value:
    padding = layer.options.padding
    edges = padding if isinstance(padding, list) else [padding] * 2
    if len(edges) == 4:  # Keras 1: top, bottom, left, right
        edges = [edges[:2], edges[2:]]
    rows, columns = (_pair(edge, 0) for edge in msgspec.convert(edges, tuple[_Sides, _Sides]))
    return shapes.pad(layer.network, layer.x, [(0, 0), rows, columns, (0, 0)])


def _up_sampling(layer: _Step) -> Value:
    if layer.options.interpolation != "nearest":
        # Keras' bilinear depends on the version of TensorFlow below it.
        raise ConversionFailed(f"interpolation {layer.options.interpolation} is not supported.")
    network, (rows, columns) = layer.network, _pair(layer.options.size)
    name, channels = network.name(layer.x), layer.channels
    scales = network.weight(np.array([1, 1, rows, columns], np.float32))
    name = network.add(
        "Resize", name, "", scales, coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )
    height, width = layer.x.shape[1:3]
    return Value((None, height and height * rows, width and width * columns, channels), name=name)


def _swish(network: Network, x: Value) -> Value:
    return network.binary("Mul", x, network.unary("Sigmoid", x))


def _unary(operator: str) -> Callable[[Network, Value], Value]:
    return lambda network, x: network.unary(operator, x)


_ACTIVATIONS: dict[str, Callable[[Network, Value], Value]] = {
    "linear": lambda _, x: x,
    "relu": _unary("Relu"),
    "relu6": lambda network, x: network.unary("Clip", x, 0.0, 6.0),
    "sigmoid": _unary("Sigmoid"),
    "tanh": _unary("Tanh"),
    "elu": _unary("Elu"),
    "softplus": _unary("Softplus"),
    "softsign": _unary("Softsign"),
    "swish": _swish,
    "silu": _swish,
    "softmax": layers.softmax,
}

_LAYERS: dict[str, Callable[[_Step], Value]] = {
    "InputLayer": _input,
    "Conv2D": _conv,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Dense": _dense,
    "BatchNormalization": _batch_norm,
    "Activation": _same,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "PReLU": _prelu,
    "Softmax": _softmax,
    "MaxPooling2D": partial(_pool, "MaxPool"),
    "AveragePooling2D": partial(_pool, "AveragePool"),
    "GlobalMaxPooling2D": partial(_pool_all, "GlobalMaxPool"),
    "GlobalAveragePooling2D": partial(_pool_all, "GlobalAveragePool"),
    "Add": partial(_merge, "Add"),
    "Multiply": partial(_merge, "Mul"),
    "Concatenate": _concatenate,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Dropout": _same,
    "SpatialDropout2D": _same,
    "ZeroPadding2D": _zero_padding,
    "UpSampling2D": _up_sampling,
}
