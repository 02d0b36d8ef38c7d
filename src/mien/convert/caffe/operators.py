"""What each type of Caffe's layers computes, at the test phase (`caffe/layers/*.cpp`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from mien.convert.building import planes
from mien.convert.building import sketch_shapes as shapes
from mien.convert.building.sketch import Sketch, Value, as_float32
from mien.convert.building.sketch_shapes import LONGEST
from mien.convert.caffe import windows
from mien.convert.caffe.layers import Layer, only
from mien.errors import ConversionFailed

Operator = Callable[[Sketch, Layer, Sequence[Value]], "Value | Sequence[Value]"]


def _two_inputs(inputs: Sequence[Value]) -> tuple[Value, Value]:
    if len(inputs) != 2:
        raise ConversionFailed(f"it has {len(inputs)} inputs instead of two")
    return inputs[0], inputs[1]


def _inner_product(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given, x = layer.message.inner_product_param, only(inputs)
    if shapes.axis_of(x, given.axis) != 1:
        raise ConversionFailed("a matrix for the last axes alone is not supported")
    taken = shapes.length_of(shapes.product(x.shape[1:]))
    matrix, outputs = layer.blob(0), given.num_output
    if matrix.size != taken * outputs:
        raise ConversionFailed(f"{matrix.size} weights where {outputs} x {taken} belong")
    matrix = matrix.reshape(taken, outputs).T if given.transpose else matrix.reshape(outputs, taken)
    bias = layer.vector(1, outputs) if given.bias_term else None
    return planes.dense(sketch, x, matrix, bias)


def _batch_norm(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    """Means and variances are sums over a number of batches, which is the third array."""
    x = only(inputs)
    count = float(layer.vector(2, 1)[0])
    factor = 1 / count if count else 0.0
    with np.errstate(all="ignore"):  # what is not finite is refused in the end
        mean, variance = (layer.vector(i, x.shape[1]).astype(np.float64) for i in (0, 1))
        scale = 1 / np.sqrt(variance * factor + layer.message.batch_norm_param.eps)
        return sketch.affine(x, scale, -mean * factor * scale)


def _scale(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given = layer.message.scale_param
    if len(inputs) == 2:
        return _product(sketch, layer, inputs, given.axis)
    x = only(inputs)
    if given.axis not in (1, 1 - len(x.shape)) or given.num_axes != 1:
        raise ConversionFailed("only a scaling for each channel is supported")
    shift = layer.vector(1, x.shape[1]) if given.bias_term else 0.0
    return sketch.affine(x, layer.vector(0, x.shape[1]), shift)


def _product(sketch: Sketch, layer: Layer, inputs: Sequence[Value], axis: int) -> Value:
    """Multiply by computed numbers, one for each channel: the attention of SENet."""
    x, factor = inputs
    axis = axis + len(x.shape) if axis < 0 else axis
    missing = len(x.shape) - len(factor.shape)
    if axis != 0 or missing < 0 or layer.message.scale_param.bias_term:
        raise ConversionFailed("only computed factors for each channel of each image are supported")
    if missing:
        factor = shapes.reshape(sketch, factor, [0] * len(factor.shape) + [1] * missing)
    return shapes.elementwise(sketch, "Mul", x, factor)


def _bias(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given, x = layer.message.bias_param, only(inputs)
    if given.axis not in (1, 1 - len(x.shape)) or given.num_axes != 1:
        raise ConversionFailed("only a shift for each channel is supported")
    return sketch.affine(x, 1.0, layer.vector(0, x.shape[1]))


def _power(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given = layer.message.power_param
    x = sketch.affine(only(inputs), given.scale, given.shift)
    return x if given.power == 1 else shapes.elementwise(sketch, "Pow", x, as_float32(given.power))


def _relu(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    x, slope = only(inputs), layer.message.relu_param.negative_slope
    return sketch.add("LeakyRelu", x.shape, x, alpha=slope) if slope else sketch.add("Relu", x.shape, x)


def _prelu(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    x = only(inputs)
    return sketch.prelu(x, layer.vector(0, 1 if layer.message.prelu_param.channel_shared else x.shape[1]))


def _clip(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given, x = layer.message.clip_param, only(inputs)
    low, high = (0.0, 6.0) if layer.type == "ReLU6" else (given.min, given.max)
    return sketch.add("Clip", x.shape, x, as_float32(low), as_float32(high))


def _elu(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    x = only(inputs)
    return sketch.add("Elu", x.shape, x, alpha=layer.message.elu_param.alpha)


def _unary(operator: str) -> Operator:
    def add(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:  # noqa: ARG001
        x = only(inputs)
        return sketch.add(operator, x.shape, x)

    return add


def _softmax(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    x = only(inputs)
    return sketch.add("Softmax", x.shape, x, axis=shapes.axis_of(x, layer.message.softmax_param.axis))


def _lrn(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given, x = layer.message.lrn_param, only(inputs)
    if given.norm_region or not given.local_size % 2 or given.local_size > LONGEST or len(x.shape) != 4:
        raise ConversionFailed("only normalisation across an odd number of channels is supported")
    return sketch.add(
        "LRN", x.shape, x, size=given.local_size, alpha=given.alpha, beta=given.beta, bias=given.k
    )


def _eltwise(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given = layer.message.eltwise_param
    coefficients = list(given.coeff) or [1.0] * len(inputs)
    if len(inputs) < 2 or len(coefficients) != len(inputs):
        raise ConversionFailed(f"{len(inputs)} inputs and {len(coefficients)} coefficients")
    operator = ("Mul", "Add", "Max")[given.operation]
    if operator == "Add":
        inputs = [
            x if c == 1 else sketch.affine(x, c, 0.0) for x, c in zip(inputs, coefficients, strict=True)
        ]
    result = inputs[0]
    for x in inputs[1:]:
        # Caffe stretches nothing.
        if any(None not in pair and len(set(pair)) > 1 for pair in zip(x.shape, result.shape, strict=False)):
            raise ConversionFailed("its inputs differ in shape")
        result = shapes.elementwise(sketch, operator, result, x)
    return result


def _concat(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given = layer.message.concat_param
    return shapes.concat(sketch, inputs, given.concat_dim if given.HasField("concat_dim") else given.axis)


def _slice(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Sequence[Value]:
    given, x = layer.message.slice_param, only(inputs)
    axis = shapes.axis_of(x, given.slice_dim if given.HasField("slice_dim") else given.axis)
    length, parts, points = shapes.length_of(x.shape[axis]), len(layer.tops), list(given.slice_point)
    if not points and parts and length % parts == 0:
        points = list(range(length // parts, length, length // parts))
    bounds = [0, *points, length]
    if len(bounds) != parts + 1 or any(a >= b for a, b in pairwise(bounds)):
        raise ConversionFailed(f"{length} numbers are not cut into {parts} parts at {points[:20]}")
    return [shapes.cut(sketch, x, axis, a, b) for a, b in pairwise(bounds)]


def _flatten(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given = layer.message.flatten_param
    return shapes.flatten(sketch, only(inputs), given.axis, given.end_axis)


def _reshape(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given, x = layer.message.reshape_param, only(inputs)
    rank = len(x.shape)
    begin = given.axis + rank + 1 if given.axis < 0 else given.axis
    end = rank if given.num_axes == -1 else begin + given.num_axes
    if not 0 <= begin <= end <= rank or end == 0:
        raise ConversionFailed(f"it reshapes axes {begin} to {end} of {rank}")
    lengths = [
        # A 0 keeps the length of the axis where it stands; ONNX counts that from the front.
        n if n else (0 if begin + i < rank else -2)
        for i, n in enumerate(given.shape.dim)
    ]
    after = [shapes.length_of(n) for n in x.shape[max(end, 1) :]] if end < rank else []
    return shapes.reshape(sketch, x, [0] * begin + lengths + after)


def _permute(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    x, order = only(inputs), list(layer.message.permute_param.order)
    return shapes.transpose(sketch, x, order + [i for i in range(len(x.shape)) if i not in order])


def _normalize(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given, x = layer.message.norm_param, only(inputs)
    axes = range(1, len(x.shape)) if given.across_spatial else [1]
    x = planes.normalise(sketch, x, axes, given.eps)
    return sketch.affine(x, layer.vector(0, 1 if given.channel_shared else x.shape[1]), 0.0)


def _crop(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Value:
    given, (x, like) = layer.message.crop_param, _two_inputs(inputs)
    count = len(x.shape) - shapes.axis_of(x, given.axis)
    offsets = list(given.offset) or [0]
    return shapes.crop(sketch, x, like, given.axis, offsets * count if len(offsets) == 1 else offsets)


def _copy(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Sequence[Value]:  # noqa: ARG001
    return [only(inputs)] * len(layer.tops)


def _nothing(sketch: Sketch, layer: Layer, inputs: Sequence[Value]) -> Sequence[Value]:  # noqa: ARG001
    return []


OPERATORS: Mapping[str, Operator] = {
    "AbsVal": _unary("Abs"),
    "BatchNorm": _batch_norm,
    "Bias": _bias,
    "Clip": _clip,
    "Concat": _concat,
    "Convolution": windows.convolution,
    "Crop": _crop,
    "Deconvolution": windows.deconvolution,
    "Dropout": _copy,
    "ELU": _elu,
    "Eltwise": _eltwise,
    "Flatten": _flatten,
    "InnerProduct": _inner_product,
    "Interp": windows.interp,
    "LRN": _lrn,
    "Normalize": _normalize,
    "PReLU": _prelu,
    "Permute": _permute,
    "Pooling": windows.pooling,
    "Power": _power,
    "ReLU": _relu,
    "ReLU6": _clip,
    "Reshape": _reshape,
    "Scale": _scale,
    "Sigmoid": _unary("Sigmoid"),
    "Silence": _nothing,
    "Slice": _slice,
    "Softmax": _softmax,
    "Split": _copy,
    "TanH": _unary("Tanh"),
    "Upsample": windows.upsample,
    **dict.fromkeys(windows.DEPTHWISE, windows.convolution),
}
