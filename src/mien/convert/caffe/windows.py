"""Those of Caffe's layers whose windows slide over planes, and those that enlarge planes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mien.convert.building import planes
from mien.convert.building.planes import Pair, Window
from mien.convert.building.sketch import Array, Sketch, Value, as_float32
from mien.convert.building.sketch_shapes import LONGEST, length_of
from mien.convert.caffe.layers import Layer, only
from mien.errors import ConversionFailed

# Offshoots of Caffe name the case of one group for each channel, and do not say the number of groups.
DEPTHWISE = frozenset({"ConvolutionDepthwise", "DepthwiseConvolution"})


def convolution(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    """Convolution, DepthwiseConvolution."""
    given = layer.message.convolution_param
    kernel, bias, window = _weights(layer, given.num_output)
    group = given.group
    if layer.type in DEPTHWISE and kernel.shape[1] == 1:
        group = len(kernel)
    return planes.convolution(sketch, only(inputs), kernel, bias, window, group)


def deconvolution(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    """Deconvolution."""
    given = layer.message.convolution_param
    kernel, bias, window = _weights(layer, given.num_output)
    return planes.deconvolution(sketch, only(inputs), kernel, bias, window, given.group)


def _weights(layer: Layer, outputs: int) -> tuple[Array, Array | None, Window]:
    given, kernel = layer.message.convolution_param, layer.blob(0)
    if kernel.ndim != 4 or given.axis != 1:
        raise ConversionFailed("only windows over planes are supported")
    bias = layer.vector(1, outputs) if given.bias_term else None
    size = _pair(given, "kernel", "kernel_size", None)
    dilation = _two(list(given.dilation) or [1])
    return (
        kernel,
        bias,
        Window(size, _pair(given, "stride", "stride", 1), _pair(given, "pad", "pad", 0), dilation),
    )


def _pair(given: Any, prefix: str, both: str, default: int | None) -> Pair:  # noqa: ANN401
    """Rows and columns of a window, each said by itself or both at once."""
    single = [f"{prefix}_h", f"{prefix}_w"]
    if any(given.HasField(name) for name in single):
        return getattr(given, single[0]), getattr(given, single[1])
    numbers = list(getattr(given, both))
    if not numbers and default is None:
        raise ConversionFailed(f"it has no {both}")
    return _two(numbers or [default or 0])


def _two(numbers: Sequence[int]) -> Pair:
    if len(numbers) > 2:
        raise ConversionFailed("only windows over planes are supported")
    return numbers[0], numbers[-1]


def pooling(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    """Pooling; the last window may hang over the edge."""
    given, x = layer.message.pooling_param, only(inputs)
    if given.pool > 1:
        raise ConversionFailed("stochastic pooling is not supported")
    kind = "mean" if given.pool else "max"
    if len(layer.tops) > 1:
        raise ConversionFailed("the places of the maxima are asked for, which is not supported")
    if given.global_pooling:
        return planes.global_pool(sketch, x, kind)
    size = _pair(given, "kernel", "kernel_size", None)
    window = Window(size, _pair(given, "stride", "stride", 1), _pair(given, "pad", "pad", 0))
    ceil = given.ceil_mode and not given.round_mode
    return planes.pool(sketch, x, window, kind, ceil=ceil, drops=True)


def interp(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    """Interp: bilinear, corner on corner."""
    given, x = layer.message.interp_param, only(inputs)
    if given.pad_beg or given.pad_end or len(x.shape) != 4:
        raise ConversionFailed("padding is not supported")
    lengths = [given.height, given.width]
    if not all(lengths):
        lengths = [_zoomed(layer, length_of(n)) for n in x.shape[2:]]
    has = [length_of(n) for n in x.shape[2:]]
    if not all(1 <= n <= LONGEST for n in lengths):
        raise ConversionFailed(f"it makes planes of {lengths}")
    # ONNX takes the floor of length x scale, and maps corners by the lengths alone.
    scales = [1, 1, *((n + 0.25) / h for n, h in zip(lengths, has, strict=True))]
    region = np.zeros(0, np.float32)
    attributes = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
    return sketch.add(
        "Resize", (*x.shape[:2], *lengths), x, region, as_float32(np.array(scales)), **attributes
    )


def _zoomed(layer: Layer, length: int) -> int:
    given = layer.message.interp_param
    if given.shrink_factor < 1 or given.zoom_factor < 1:
        raise ConversionFailed("its factors are not positive")
    shrunk = (length - 1) // given.shrink_factor + 1
    return int(shrunk + (shrunk - 1) * (given.zoom_factor - 1))


def upsample(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    """Upsample, as nets ported from Darknet have it: every number is repeated."""
    return planes.enlarge(sketch, only(inputs), layer.message.upsample_param.scale)
