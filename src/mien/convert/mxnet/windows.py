"""Those of MXNet's operators whose windows slide over planes, and those that have weights for channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.convert.building import planes
from mien.convert.building.planes import Pair, Window
from mien.convert.building.sketch import Array, Sketch, Value, as_float32
from mien.convert.building.sketch_shapes import flatten
from mien.convert.mxnet.symbol import Attributes, Node
from mien.errors import ConversionFailed

Operand = Value | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Call:
    """One operator to be added to a sketch.

    Attributes:
        sketch: The network.
        node: What to add.
        operands: Its inputs, computed ones and weights.
        params: All weights by name: old symbols do not list the means and variances of a BatchNorm.
    """

    sketch: Sketch
    node: Node
    operands: Sequence[Operand]
    params: Mapping[str, Array]

    @property
    def given(self) -> Attributes:
        """The operator's parameters."""
        return self.node.attributes

    def value(self, number: int = 0) -> Value:
        """An input that is computed."""
        found = self.operands[number] if number < len(self.operands) else None
        if not isinstance(found, Value):
            raise ConversionFailed(f"its input {number} is not computed")
        return found

    def weight(self, number: int, name: str) -> Array:
        """An input that the file of weights holds."""
        if number < len(self.operands):
            found = self.operands[number]
        else:
            found = self.params.get(f"{self.node.name}_{name}", self.value())
        if isinstance(found, Value):
            raise ConversionFailed(f"the .params file lacks its {name}")
        return found


def convolution(call: Call) -> Value:
    """Convolution."""
    kernel, bias, window, group = _weights(call, no_bias=False)
    return planes.convolution(call.sketch, call.value(), kernel, bias, window, group)


def deconvolution(call: Call) -> Value:
    """Deconvolution, which has no bias unless it says so."""
    if any(call.given.integers("target_shape")):
        raise ConversionFailed("target_shape is not supported")
    kernel, bias, window, group = _weights(call, no_bias=True)
    more = _pair(call.given, "adj", 0)
    return planes.deconvolution(call.sketch, call.value(), kernel, bias, window, group, more)


def _weights(call: Call, *, no_bias: bool) -> tuple[Array, Array | None, Window, int]:
    given = call.given
    if given.text("layout", "NCHW") != "NCHW":
        raise ConversionFailed("only the layout NCHW is supported")
    window = Window(
        _pair(given, "kernel", 0),
        _pair(given, "stride", 1),
        _pair(given, "pad", 0),
        _pair(given, "dilate", 1),
    )
    bias = None if given.flag("no_bias", default=no_bias) else call.weight(2, "bias")
    return call.weight(1, "weight"), bias, window, given.integer("num_group", 1)


def _pair(given: Attributes, name: str, default: int) -> Pair:
    """Rows and columns of a window."""
    numbers = given.integers(name) or (default, default)
    if len(numbers) != 2:
        raise ConversionFailed(f"only windows over planes are supported, not {name} = {numbers}")
    return numbers[0], numbers[1]


def pooling(call: Call) -> Value:
    """Pooling of maxima or means."""
    given = call.given
    kinds, conventions = {"max": "max", "avg": "mean"}, {"valid": False, "full": True}
    kind = kinds.get(given.text("pool_type", "max"))
    if kind is None:
        raise ConversionFailed(f"pool_type {given.text('pool_type', '')[:40]!r} is not supported")
    if given.flag("global_pool", default=False):
        return planes.global_pool(call.sketch, call.value(), kind)
    ceil = conventions.get(given.text("pooling_convention", "valid"))
    if ceil is None or given.text("layout", "NCHW") != "NCHW":
        raise ConversionFailed("only the conventions valid and full, and the layout NCHW, are supported")
    window = Window(_pair(given, "kernel", 0), _pair(given, "stride", 1), _pair(given, "pad", 0))
    count_padding = given.flag("count_include_pad", default=True)
    return planes.pool(call.sketch, call.value(), window, kind, ceil=ceil, count_padding=count_padding)


def upsampling(call: Call) -> Value:
    """UpSampling by repetition."""
    if call.given.text("sample_type", "") != "nearest" or len(call.operands) != 1:
        raise ConversionFailed("only the sample_type nearest of one input is supported")
    return planes.enlarge(call.sketch, call.value(), call.given.integer("scale", 0))


def fully_connected(call: Call) -> Value:
    """FullyConnected, over all axes but the batch or over the last one."""
    given, x, matrix = call.given, call.value(), call.weight(1, "weight")
    bias = None if given.flag("no_bias", default=False) else call.weight(2, "bias")
    if len(x.shape) > 2 and not given.flag("flatten", default=True):
        raise ConversionFailed("a matrix for the last axis alone (flatten = False) is not supported")
    return planes.dense(call.sketch, flatten(call.sketch, x), matrix, bias)


def batch_norm(call: Call) -> Value:
    """BatchNorm at rest; `fix_gamma`, which is the default, means that the stored gamma is not used."""
    if call.given.integer("axis", 1) != 1:
        raise ConversionFailed("only normalisation of channels, axis 1, is supported")
    names = ("gamma", "beta", "moving_mean", "moving_var")
    arrays = [call.weight(i, name) for i, name in enumerate(names, start=1)]
    if len({array.shape for array in arrays}) != 1:
        raise ConversionFailed("its arrays differ in length")
    with np.errstate(all="ignore"):  # what is not finite is refused in the end
        gamma, beta, mean, variance = (array.astype(np.float64) for array in arrays)
        if call.given.flag("fix_gamma", default=True):
            gamma = np.ones_like(gamma)
        scale = gamma / np.sqrt(variance + call.given.real("eps", 1e-3))
        return call.sketch.affine(call.value(), scale, beta - mean * scale)


def leaky_relu(call: Call) -> Value:
    """LeakyReLU of the kinds leaky, prelu, elu and, at rest, rrelu."""
    given, x = call.given, call.value()
    kind, slope = given.text("act_type", "leaky"), given.real("slope", 0.25)
    if kind == "prelu":
        return call.sketch.prelu(x, call.weight(1, "gamma").reshape(-1))
    if kind == "rrelu":
        slope = (given.real("lower_bound", 0.125) + given.real("upper_bound", 0.334)) / 2
    operator = {"leaky": "LeakyRelu", "rrelu": "LeakyRelu", "elu": "Elu"}.get(kind)
    if operator is None:
        raise ConversionFailed(f"act_type {kind[:40]!r} is not supported")
    return call.sketch.add(operator, x.shape, x, alpha=slope)


def l2_normalization(call: Call) -> Value:
    """L2Normalization of an image, of each channel, or across the channels of each pixel."""
    x, rank = call.value(), len(call.value().shape)
    axes = {"instance": range(1, rank), "channel": range(1, 2), "spatial": range(2, rank)}
    mode = call.given.text("mode", "instance")
    if not axes.get(mode):
        raise ConversionFailed(f"mode {mode[:40]!r} is not supported for a value {x.shape}")
    return planes.normalise(call.sketch, x, axes[mode], call.given.real("eps", 1e-10))


def lrn(call: Call) -> Value:
    """LRN across channels."""
    given, x = call.given, call.value()
    size = given.integer("nsize", 0)
    if not 1 <= size <= 1 << 15 or not size % 2 or len(x.shape) != 4:
        raise ConversionFailed("only normalisation across an odd number of channels is supported")
    alpha, beta, bias = given.real("alpha", 1e-4), given.real("beta", 0.75), given.real("knorm", 2)
    return call.sketch.add("LRN", x.shape, x, size=size, alpha=alpha, beta=beta, bias=bias)


def clip(call: Call) -> Value:
    """Clip."""
    x, bounds = call.value(), [as_float32(call.given.real(name, np.nan)) for name in ("a_min", "a_max")]
    return call.sketch.add("Clip", x.shape, x, *bounds)
