"""What each of MXNet's operators computes (`mxnet/src/operator`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mien.convert.building import sketch_shapes as shapes
from mien.convert.building.sketch import Shape, Value, as_float32, integers
from mien.convert.mxnet import windows
from mien.convert.mxnet.windows import Call
from mien.errors import ConversionFailed

Operator = Callable[[Call], "Value | Sequence[Value]"]


def _copy(call: Call) -> Value:
    return call.value()


def _cast(call: Call) -> Value:
    """Networks of half precision change back and forth; everything here has single precision."""
    if call.given.text("dtype", "float32") not in ("float16", "float32", "float64"):
        raise ConversionFailed("only types of floating point are supported")
    return call.value()


def _unary(operator: str) -> Operator:
    return lambda call: call.sketch.add(operator, call.value().shape, call.value())


def _activation(call: Call) -> Value:
    kind = call.given.text("act_type", "")
    operator = _ACTIVATIONS.get(kind)
    if operator is None:
        raise ConversionFailed(f"act_type {kind[:40]!r} is not supported")
    return call.sketch.add(operator, call.value().shape, call.value())


def _binary(operator: str) -> Operator:
    def add(call: Call) -> Value:
        if len(call.operands) != 2 or not any(isinstance(x, Value) for x in call.operands):
            raise ConversionFailed("it does not have two inputs, one of them computed")
        return shapes.elementwise(call.sketch, operator, *call.operands)

    return add


def _sum(call: Call) -> Value:
    result = call.value()
    for number in range(1, len(call.operands)):
        result = shapes.elementwise(call.sketch, "Add", result, call.value(number))
    return result


def _scalar(call: Call) -> float:
    if call.given.flag("scalar_on_left", default=False):
        raise ConversionFailed("scalar_on_left is not supported")
    return call.given.real("scalar", 0.0)


def _scaled(scale_and_shift: Callable[[float], tuple[float, float]]) -> Operator:
    return lambda call: call.sketch.affine(call.value(), *scale_and_shift(_scalar(call)))


def _divided(scalar: float) -> tuple[float, float]:
    if not scalar:
        raise ConversionFailed("it divides by zero")
    return 1 / scalar, 0.0


def _with_scalar(operator: str) -> Operator:
    return lambda call: shapes.elementwise(call.sketch, operator, call.value(), as_float32(_scalar(call)))


def _scalar_by(call: Call) -> Value:
    return shapes.elementwise(call.sketch, "Div", as_float32(_scalar(call)), call.value())


def _softmax_output(call: Call) -> Value:
    """What the loss would look at; the labels are not read."""
    x = call.value()
    if call.given.flag("multi_output", default=False) or len(x.shape) == 2:
        return _softmax(call, 1)
    if call.given.flag("preserve_shape", default=False):
        return _softmax(call, -1)
    raise ConversionFailed(f"a softmax over all numbers of a value {x.shape} is not supported")


def _softmax_activation(call: Call) -> Value:
    if call.given.text("mode", "instance") != "channel" and len(call.value().shape) != 2:
        raise ConversionFailed("a softmax over all numbers of an image is not supported")
    return _softmax(call, 1)


def _plain_softmax(call: Call) -> Value:
    if call.given.real("temperature", 1.0) != 1:
        raise ConversionFailed("a temperature is not supported")
    return _softmax(call, call.given.integer("axis", -1))


def _softmax(call: Call, axis: int) -> Value:
    x = call.value()
    return call.sketch.add("Softmax", x.shape, x, axis=shapes.axis_of(x, axis))


def _flatten(call: Call) -> Value:
    return shapes.flatten(call.sketch, call.value())


def _reshape(call: Call) -> Value:
    codes = call.given.integers("shape")
    if not codes or call.given.flag("reverse", default=False):
        raise ConversionFailed("only a reshape to a shape, and not reverse, is supported")
    return shapes.reshape(call.sketch, call.value(), _lengths(call.value().shape, codes))


def _lengths(shape: Shape, codes: Sequence[int]) -> list[int]:
    """Work out MXNet's codes: 0 keep, -1 infer, -2 keep the rest, -3 merge two, -4 split in the next two."""
    lengths: list[int] = []
    left, todo = list(enumerate(shape)), list(codes)
    while todo:
        code = todo.pop(0)
        taken = left[: {-2: len(left), -3: 2}.get(code, 1)]
        left = left[len(taken) :]
        if len(taken) < {0: 1, -3: 2, -4: 1}.get(code, 0):
            raise ConversionFailed(f"a value {shape} has too few axes for the reshape {list(codes)}")
        if code in (0, -2):
            lengths += [_kept(axis, len(lengths) + i, n) for i, (axis, n) in enumerate(taken)]
        elif code == -3:
            lengths.append(shapes.product([n for _, n in taken]) or -1)
        elif code == -4:
            lengths += _split(taken, todo[:2])
            todo = todo[2:]
        elif code < -4:
            raise ConversionFailed(f"a reshape has no code {code}")
        else:
            lengths.append(code)
    return lengths


def _kept(axis: int, position: int, length: int | None) -> int:
    """ONNX keeps a length only where it stands; elsewhere it must be known."""
    return 0 if axis == position else shapes.length_of(length)


def _split(taken: Sequence[tuple[int, int | None]], parts: list[int]) -> list[int]:
    length = shapes.length_of(taken[0][1])
    if len(parts) == 2 and -1 in parts:
        other = max(parts)
        parts = [length // other if part == -1 and other > 0 else part for part in parts]
    if len(parts) != 2 or min(parts) < 1 or parts[0] * parts[1] != length:
        raise ConversionFailed(f"a reshape cannot split {length} into {parts}")
    return parts


def _transpose(call: Call) -> Value:
    x = call.value()
    return shapes.transpose(
        call.sketch, x, call.given.integers("axes") or tuple(reversed(range(len(x.shape))))
    )


def _swap_axes(call: Call) -> Value:
    x, order = call.value(), list(range(len(call.value().shape)))
    a, b = (shapes.axis_of(x, call.given.integer(name, 0)) for name in ("dim1", "dim2"))
    order[a], order[b] = b, a
    return shapes.transpose(call.sketch, x, order)


def _expand_dims(call: Call) -> Value:
    x, axis = call.value(), call.given.integer("axis", 0)
    axis = axis + len(x.shape) + 1 if axis < 0 else axis
    if not 1 <= axis <= len(x.shape):
        raise ConversionFailed(f"a value {x.shape} gets no axis {axis}")
    return call.sketch.add("Unsqueeze", (*x.shape[:axis], 1, *x.shape[axis:]), x, integers(axis))


def _concat(call: Call) -> Value:
    inputs = [call.value(number) for number in range(len(call.operands))]
    return shapes.concat(call.sketch, inputs, call.given.integer("dim", 1))


def _slice_axis(call: Call) -> Value:
    given = call.given
    end = given.integer("end", 0) if given.text("end", "") else None
    return shapes.cut(call.sketch, call.value(), given.integer("axis", 0), given.integer("begin", 0), end)


def _slice_channel(call: Call) -> Sequence[Value]:
    given, x = call.given, call.value()
    axis, count = shapes.axis_of(x, given.integer("axis", 1)), given.integer("num_outputs", 0)
    length = shapes.length_of(x.shape[axis])
    if not 1 <= count <= length or length % count:
        raise ConversionFailed(f"{length} numbers are not cut into {count} parts")
    width = length // count
    parts = [shapes.cut(call.sketch, x, axis, i * width, (i + 1) * width) for i in range(count)]
    if not given.flag("squeeze_axis", default=False):
        return parts
    if width != 1:
        raise ConversionFailed(f"an axis of {width} numbers is not squeezed away")
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    return [call.sketch.add("Squeeze", shape, part, integers(axis)) for part in parts]


def _crop(call: Call) -> Value:
    if len(call.operands) != 2 or call.given.flag("center_crop", default=False):
        raise ConversionFailed("only a crop to the size of a second input, not centred, is supported")
    offsets = call.given.integers("offset") or (0, 0)
    return shapes.crop(call.sketch, call.value(0), call.value(1), 2, offsets)


def _reduce(operator: str) -> Operator:
    def add(call: Call) -> Value:
        given, x = call.given, call.value()
        axes = sorted({shapes.axis_of(x, axis) for axis in given.integers("axis")})
        if not axes or given.flag("exclude", default=False):
            raise ConversionFailed("only a reduction of axes that it names is supported")
        keep = given.flag("keepdims", default=False)
        shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
        if operator == "ReduceSum":  # the first whose axes became an input
            return call.sketch.add(operator, shape, x, integers(*axes), keepdims=int(keep))
        return call.sketch.add(operator, shape, x, axes=axes, keepdims=int(keep))

    return add


_ACTIVATIONS = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softrelu": "Softplus",
    "softsign": "Softsign",
    "tanh": "Tanh",
}

# Operators whose second input is a label, which only training reads.
LABELLED: Mapping[str, Operator] = {
    "LinearRegressionOutput": _copy,
    "LogisticRegressionOutput": _unary("Sigmoid"),
    "MAERegressionOutput": _copy,
    "Softmax": _softmax_output,
    "SoftmaxOutput": _softmax_output,
}

# One line per operator, after it the other names that MXNet has had for it.
_NAMES: Mapping[str, Operator] = {
    "Activation": _activation,
    "BatchNorm BatchNorm_v1 CuDNNBatchNorm _contrib_SyncBatchNorm": windows.batch_norm,
    "BlockGrad Dropout MakeLoss _copy identity make_loss": _copy,
    "Cast amp_cast cast": _cast,
    "Concat concat": _concat,
    "Convolution Convolution_v1": windows.convolution,
    "Crop": _crop,
    "Deconvolution": windows.deconvolution,
    "ElementWiseSum add_n": _sum,
    "Flatten flatten": _flatten,
    "FullyConnected": windows.fully_connected,
    "L2Normalization": windows.l2_normalization,
    "LRN": windows.lrn,
    "LeakyReLU": windows.leaky_relu,
    "Pooling Pooling_v1": windows.pooling,
    "Reshape reshape": _reshape,
    "SliceChannel split": _slice_channel,
    "SoftmaxActivation": _softmax_activation,
    "SwapAxis swapaxes": _swap_axes,
    "UpSampling": windows.upsampling,
    "_Div _div broadcast_div elemwise_div": _binary("Div"),
    "_DivScalar _div_scalar": _scaled(_divided),
    "_Maximum _maximum broadcast_maximum": _binary("Max"),
    "_MaximumScalar _maximum_scalar": _with_scalar("Max"),
    "_Minimum _minimum broadcast_minimum": _binary("Min"),
    "_MinimumScalar _minimum_scalar": _with_scalar("Min"),
    "_Minus _minus _sub broadcast_minus broadcast_sub elemwise_sub": _binary("Sub"),
    "_MinusScalar _minus_scalar": _scaled(lambda scalar: (1.0, -scalar)),
    "_Mul _mul broadcast_mul elemwise_mul": _binary("Mul"),
    "_MulScalar _mul_scalar": _scaled(lambda scalar: (scalar, 0.0)),
    "_Plus _add _plus broadcast_add broadcast_plus elemwise_add": _binary("Add"),
    "_PlusScalar _plus_scalar": _scaled(lambda scalar: (1.0, scalar)),
    "_PowerScalar _power_scalar": _with_scalar("Pow"),
    "_RDivScalar _rdiv_scalar": _scalar_by,
    "_RMinusScalar _rminus_scalar": _scaled(lambda scalar: (-1.0, scalar)),
    "abs": _unary("Abs"),
    "clip": windows.clip,
    "exp": _unary("Exp"),
    "expand_dims": _expand_dims,
    "log": _unary("Log"),
    "max": _reduce("ReduceMax"),
    "mean": _reduce("ReduceMean"),
    "negative": _unary("Neg"),
    "relu": _unary("Relu"),
    "sigmoid": _unary("Sigmoid"),
    "slice_axis": _slice_axis,
    "softmax": _plain_softmax,
    "sqrt": _unary("Sqrt"),
    "sum sum_axis": _reduce("ReduceSum"),
    "tanh": _unary("Tanh"),
    "transpose": _transpose,
}

OPERATORS: Mapping[str, Operator] = {
    **{name: operator for names, operator in _NAMES.items() for name in names.split()},
    **LABELLED,
}
