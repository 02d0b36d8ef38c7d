"""OpenVINO's operations as ONNX operators, and the table of all that are supported.

Definitions: https://docs.openvino.ai, "Available Operation Sets", operation sets 1 to 8. Axis 0 of
every value is the batch, which the file fixes (mostly to 1) and the converted network leaves free:
nothing here may depend on its length, and what would move, cut or mix it is refused.
"""

from __future__ import annotations

import math

import numpy as np

from mien.convert.building.blocks import prelu
from mien.convert.openvino.fold import slices
from mien.convert.openvino.ir import Layer
from mien.convert.openvino.translation import Operator, Translation, known
from mien.convert.openvino.windows import NEIGHBOURHOODS

# Where a slice ends that takes all there is: ours, and the least of what files write for it.
_END, _FAR = np.iinfo(np.int64).max, np.iinfo(np.int32).max


def _unary(operator: str) -> Operator:
    return lambda t, layer: t.graph.add(operator, t.x(layer))


def _binary(operator: str) -> Operator:
    def write(t: Translation, layer: Layer) -> str:
        if layer.text("auto_broadcast", "numpy") not in ("numpy", "none"):
            raise layer.broken("broadcasts in a way that is not supported")
        ranks = [t.rank(layer, i) for i in (0, 1)]
        for i in (0, 1):
            array = t.constants.get(layer.source(i))
            if array is not None and array.ndim == max(ranks) and array.ndim and array.shape[0] != 1:
                raise layer.broken("treats the pictures of a batch differently")
        return t.graph.add(operator, t.x(layer, 0), t.x(layer, 1))

    return write


def _fake_quantize(t: Translation, layer: Layer) -> str:
    """Rounding of activations, which the weights of an int8 network have learned to expect."""
    low, high, out_low, out_high = (t.constant(layer, i).astype(np.float32) for i in range(1, 5))
    (levels,) = layer.integers("levels", least=2)
    if (high <= low).any():
        raise layer.broken("quantises a range that is empty")
    steps = np.float32(levels - 1)
    x = t.x(layer)
    if low.size == high.size == 1:
        x = t.graph.add("Clip", x, t.scalar(low.item()), t.scalar(high.item()))
    else:
        x = t.graph.add("Min", t.graph.add("Max", x, t.graph.weight(low)), t.graph.weight(high))
    x = t.graph.add("Sub", x, t.graph.weight(low)) if low.any() else x
    x = t.graph.add("Round", t.graph.add("Mul", x, t.graph.weight(steps / (high - low))))
    x = t.graph.add("Mul", x, t.graph.weight((out_high - out_low) / steps))
    return t.graph.add("Add", x, t.graph.weight(out_low)) if out_low.any() else x


def _prelu(t: Translation, layer: Layer) -> str:
    x, slope, rank = t.x(layer), t.constant(layer, 1).astype(np.float32), t.rank(layer)
    if slope.size == 1:
        return t.graph.add("LeakyRelu", x, alpha=slope.item())
    if slope.ndim != 1 and slope.shape[1 - rank :] != (slope.size,) + (1,) * (rank - 2):
        raise layer.broken("has slopes that are not one per channel")
    if rank == 4:
        return prelu(t.graph, x, slope.ravel())
    return t.graph.add("PRelu", x, t.graph.weight(slope.reshape(-1, *[1] * (rank - 2))))


def _clamp(t: Translation, layer: Layer) -> str:
    return t.graph.add("Clip", t.x(layer), t.scalar(layer.real("min")), t.scalar(layer.real("max")))


def _elu(t: Translation, layer: Layer) -> str:
    return t.graph.add("Elu", t.x(layer), alpha=layer.real("alpha"))


def _hard_sigmoid(t: Translation, layer: Layer) -> str:
    return t.graph.add("HardSigmoid", t.x(layer), alpha=1 / 6, beta=0.5)


def _swish(t: Translation, layer: Layer) -> str:
    x = gate = t.x(layer)
    if len(layer.sources) > 1:
        gate = t.graph.add("Mul", x, t.scalar(t.constant(layer, 1).item()))
    return t.graph.add("Mul", x, t.graph.add("Sigmoid", gate))


def _mish(t: Translation, layer: Layer) -> str:
    x = t.x(layer)
    return t.graph.add("Mul", x, t.graph.add("Tanh", t.graph.add("Softplus", x)))


def _softmax(operator: str) -> Operator:
    def write(t: Translation, layer: Layer) -> str:
        (axis,) = t.axes(layer, int(layer.real("axis", "1")))
        return t.graph.add(operator, t.x(layer), axis=axis)

    return write


def _mat_mul(t: Translation, layer: Layer) -> str:
    sides = []
    for i, flag in enumerate(("transpose_a", "transpose_b")):
        turned, rank = layer.flag(flag, default=False), t.rank(layer, i)
        array = t.constants.get(layer.source(i))
        if rank < 2 and array is None:
            raise layer.broken("multiplies across the pictures of a batch")
        if array is not None:
            array = array.swapaxes(-1, -2) if turned and rank > 1 else array
            sides.append(t.graph.weight(array.astype(np.float32)))
        elif rank == 2 and (turned or i):
            raise layer.broken("multiplies across the pictures of a batch")
        else:
            order = [*range(rank - 2), rank - 1, rank - 2]
            x = t.x(layer, i)
            sides.append(t.graph.add("Transpose", x, perm=order) if turned else x)
    return t.graph.add("MatMul", *sides)


def _reduce(operator: str) -> Operator:
    def write(t: Translation, layer: Layer) -> str:
        axes = t.axes(layer, t.constant(layer, 1))
        keep = int(layer.flag("keep_dims", default=False))
        if operator == "ReduceSum":  # the only one that takes axes as an input in this operator set
            return t.graph.add(operator, t.x(layer), t.indices(axes), keepdims=keep)
        return t.graph.add(operator, t.x(layer), axes=axes, keepdims=keep)

    return write


def _reshape(t: Translation, layer: Layer) -> str:
    """Reshape to what the layer says it gives, but with the batch free.

    The constant that the file holds has the batch written into it; the shape of the output says
    the same without the riddles of 0 and -1.
    """
    before, after = t.shape(layer.source(0)), layer.outputs[0].shape
    rest = known(layer, after[1:])
    if not after or 0 in rest:
        raise layer.broken("reshapes to nothing")
    if None not in before and math.prod(known(layer, before)) % math.prod(rest):
        raise layer.broken("reshapes to another number of values")
    return t.graph.add("Reshape", t.x(layer), t.indices([-1, *rest]))


def _squeeze(t: Translation, layer: Layer) -> str:
    t.axes(layer, t.constant(layer, 1))
    return _reshape(t, layer)


def _unsqueeze(t: Translation, layer: Layer) -> str:
    t.axes(layer, t.constant(layer, 1), rank=len(layer.outputs[0].shape))
    return _reshape(t, layer)


def _transpose(t: Translation, layer: Layer) -> str:
    order = t.constant(layer, 1).tolist()
    if not order or order[0] != 0:
        raise layer.broken("moves the batch to another axis")
    return t.graph.add("Transpose", t.x(layer), perm=order)


def _concat(t: Translation, layer: Layer) -> str:
    (axis,) = t.axes(layer, int(layer.real("axis")))
    return t.graph.add("Concat", *(t.x(layer, i) for i in range(len(layer.sources))), axis=axis)


def _split(t: Translation, layer: Layer) -> list[str]:
    (axis,) = t.axes(layer, t.constant(layer, 1))
    sizes = [output.shape[axis] for output in layer.outputs]
    ends = np.cumsum(known(layer, tuple(sizes))).tolist()
    starts = [0, *ends[:-1]]
    return [
        t.graph.add("Slice", t.x(layer), t.indices([start]), t.indices([end]), t.indices([axis]))
        for start, end in zip(starts, ends, strict=True)
    ]


def _strided_slice(t: Translation, layer: Layer) -> str:
    bounds = [t.constant(layer, i) for i in range(1, len(layer.sources))]
    index = slices(layer, bounds, t.rank(layer))
    cuts = [_bounds(part) for part in index if part is not None]
    if not index or index[0] is None or isinstance(index[0], int) or not _is_whole(cuts[0]):
        raise layer.broken("cuts the batch")
    rows = [(axis, *cut) for axis, cut in enumerate(cuts) if not _is_whole(cut)]
    x = t.x(layer)
    if rows:
        axes, starts, ends, steps = (t.indices(column) for column in zip(*rows, strict=True))
        x = t.graph.add("Slice", x, starts, ends, axes, steps)
    if all(isinstance(part, slice) for part in index):
        return x
    rest = known(layer, layer.outputs[0].shape[1:])
    return t.graph.add("Reshape", x, t.indices([-1, *rest]))


def _is_whole(cut: tuple[int, int, int]) -> bool:
    start, end, step = cut
    return start == 0 and end >= _FAR and step == 1


def _bounds(part: slice | int) -> tuple[int, int, int]:
    if isinstance(part, int):
        return part, part + 1 if part != -1 else _END, 1
    step = part.step or 1
    first, last = (0, _END) if step > 0 else (_END, -_END)
    return first if part.start is None else part.start, last if part.stop is None else part.stop, step


def _gather(t: Translation, layer: Layer) -> str:
    if layer.text("batch_dims", "0") != "0":
        raise layer.broken("gathers in batches, which is not supported")
    (axis,) = t.axes(layer, t.constant(layer, 2))
    return t.graph.add("Gather", t.x(layer), t.x(layer, 1), axis=axis)


def _norm(t: Translation, x: str, axes: list[int], *, epsilon: float, add: bool) -> str:
    """Divide by the root of the sum of squares over axes."""
    squares = t.graph.add("ReduceSumSquare", x, axes=axes, keepdims=1)
    safe = t.graph.add("Add" if add else "Max", squares, t.scalar(epsilon))
    return t.graph.add("Div", x, t.graph.add("Sqrt", safe))


def _normalize_l2(t: Translation, layer: Layer) -> str:
    axes = t.axes(layer, t.constant(layer, 1))
    return _norm(t, t.x(layer), axes, epsilon=layer.real("eps"), add=layer.text("eps_mode", "add") == "add")


def _grn(t: Translation, layer: Layer) -> str:
    return _norm(t, t.x(layer), [1], epsilon=layer.real("bias"), add=True)


def _convert(t: Translation, layer: Layer) -> str:
    if layer.text("destination_type") not in ("f32", "f16"):
        raise layer.broken("makes integers of computed values, which is not supported")
    return t.x(layer)


def _nothing(t: Translation, layer: Layer) -> list[str]:  # noqa: ARG001 - all operators are called alike
    """Write nothing: what is left of such a layer is read elsewhere, or folded."""
    return []


OPERATORS: dict[str, Operator] = NEIGHBOURHOODS | {
    "Abs": _unary("Abs"),
    "Add": _binary("Add"),
    "Ceiling": _unary("Ceil"),
    "Clamp": _clamp,
    "Concat": _concat,
    "Const": _nothing,
    "Convert": _convert,
    "DetectionOutput": _nothing,
    "Divide": _binary("Div"),
    "Elu": _elu,
    "Erf": _unary("Erf"),
    "Exp": _unary("Exp"),
    "FakeQuantize": _fake_quantize,
    "Floor": _unary("Floor"),
    "GRN": _grn,
    "Gather": _gather,
    "HSigmoid": _hard_sigmoid,
    "HSwish": _unary("HardSwish"),
    "Log": _unary("Log"),
    "LogSoftmax": _softmax("LogSoftmax"),
    "MatMul": _mat_mul,
    "Maximum": _binary("Max"),
    "Minimum": _binary("Min"),
    "Mish": _mish,
    "Multiply": _binary("Mul"),
    "Negative": _unary("Neg"),
    "NormalizeL2": _normalize_l2,
    "PReLU": _prelu,
    "Power": _binary("Pow"),
    "PriorBoxClustered": _nothing,
    "ReLU": _unary("Relu"),
    "ReduceL1": _reduce("ReduceL1"),
    "ReduceL2": _reduce("ReduceL2"),
    "ReduceMax": _reduce("ReduceMax"),
    "ReduceMean": _reduce("ReduceMean"),
    "ReduceMin": _reduce("ReduceMin"),
    "ReduceProd": _reduce("ReduceProd"),
    "ReduceSum": _reduce("ReduceSum"),
    "Reshape": _reshape,
    "Result": _nothing,
    "ShapeOf": _nothing,
    "Sigmoid": _unary("Sigmoid"),
    "SoftMax": _softmax("Softmax"),
    "SoftPlus": _unary("Softplus"),
    "Split": _split,
    "Sqrt": _unary("Sqrt"),
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Subtract": _binary("Sub"),
    "Swish": _swish,
    "Tanh": _unary("Tanh"),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "VariadicSplit": _split,
}
