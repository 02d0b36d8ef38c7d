"""What of an OpenVINO network is known before any picture comes: weights, shapes, anchors.

float16 and int8 weights are stored small and blown up by layers of their own (`Convert`,
`Subtract`, `Multiply`, `FakeQuantize`). Those are computed here, once, in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.convert.openvino.ir import Layer, Shape, Source, broken, read_constant

Constant = NDArray[Any]
Folder = Callable[[Layer, list[Constant]], Constant]

# How many values may be computed per byte of weights (which may be read by several layers), and
# how many beside them (anchors need no weights).
_PER_BYTE, _BESIDE = 16, 1 << 22


def fold(layers: Iterable[Layer], weights: bytes) -> dict[Source, Constant]:
    """Compute every value that depends on no input of the network.

    Args:
        layers: In order of computation.
        weights: The `.bin` file.

    Returns:
        Arrays by the value they are: float32, or integers as in the file.

    Raises:
        ConversionFailed: Damaged constants, or more of them than the file can back.
    """
    found: dict[Source, Constant] = {}
    shapes: dict[Source, Shape] = {}
    left = _PER_BYTE * len(weights) + _BESIDE
    for layer in layers:
        shapes |= {Source(layer.key, i): output.shape for i, output in enumerate(layer.outputs)}
        try:
            size, compute = _plan(layer, weights, found, shapes)
            left -= size
            if left < 0:
                raise broken("its constants grow far beyond the weights")
            if compute is not None:
                with np.errstate(all="ignore"):
                    found[Source(layer.key, 0)] = compute()
        except (ValueError, IndexError, TypeError, ArithmeticError) as error:
            raise layer.broken("contradicts its constants") from error
    return found


def _plan(
    layer: Layer, weights: bytes, found: dict[Source, Constant], shapes: dict[Source, Shape]
) -> tuple[int, Callable[[], Constant] | None]:
    """Say how many values a layer will have, and how to compute them if that can be done now."""
    if layer.kind == "Const":
        return math.prod(layer.integers("shape")), lambda: read_constant(layer, weights)
    if layer.kind == "ShapeOf":
        shape = [-1 if size is None else size for size in shapes[layer.source(0)]]
        return len(shape), lambda: np.array(shape, np.int64)
    folder = _FOLDERS.get(layer.kind)
    if folder is None or not layer.sources or any(source not in found for source in layer.sources):
        return 0, None
    arrays = [found[source] for source in layer.sources]
    return _size(layer, arrays), lambda: folder(layer, arrays)


def _size(layer: Layer, arrays: list[Constant]) -> int:
    if layer.kind == "Concat":
        return sum(array.size for array in arrays)
    if layer.kind == "Gather":
        return arrays[0].size * arrays[1].size
    if layer.kind == "PriorBoxClustered":
        return 8 * abs(int(np.prod(arrays[0], dtype=np.float64))) * len(layer.reals("width"))
    if layer.kind in _BROADCASTING:
        return math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))
    return arrays[0].size


def fake_quantize(
    x: Constant, low: Constant, high: Constant, out_low: Constant, out_high: Constant, levels: int
) -> Constant:
    """Round values to `levels` steps between `low` and `high`, written as between `out_low` and `out_high`.

    In float32 and in the order of the definition (operation set 1), so that ties fall as in OpenVINO.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # an empty range: nothing is inside
        steps = np.rint((x - low) / (high - low) * np.float32(levels - 1))
        inside = steps / np.float32(levels - 1) * (out_high - out_low) + out_low
    clipped = np.where(x > np.maximum(low, high), out_high, inside)
    return np.where(x <= np.minimum(low, high), out_low, clipped).astype(np.float32)


def slices(layer: Layer, bounds: list[Constant], rank: int) -> list[slice | int | None]:
    """Read a `StridedSlice` as NumPy's index, one entry for each axis (None makes a new one).

    Args:
        layer: The layer with its masks; a bit that is set means "do not look at that bound".
        bounds: Begin, end and, if given, strides.
        rank: Dimensions of what is sliced.
    """
    begin, end = bounds[0].tolist(), bounds[1].tolist()
    stride = bounds[2].tolist() if len(bounds) > 2 else [1] * len(begin)
    names = ("begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask", "ellipsis_mask")
    masks = [layer.integers(name, "") for name in names]
    no_begin, no_end, new, shrink, ellipsis = (
        [bool(bit) for bit in mask] + [False] * (len(begin) - len(mask)) for mask in masks
    )
    index: list[slice | int | None] = []
    # Axes that no entry speaks of are whole: those of the ellipsis, or the last ones.
    whole = rank - sum(not (n or e) for n, e in zip(new[: len(begin)], ellipsis, strict=False))
    rest = [slice(None)] * whole
    for i, start in enumerate(begin):
        if ellipsis[i]:
            index += rest
            rest = []
        elif new[i]:
            index.append(None)
        elif shrink[i]:
            index.append(start)
        else:
            index.append(slice(None if no_begin[i] else start, None if no_end[i] else end[i], stride[i]))
    return index + rest


def axes_of(array: Constant, rank: int) -> list[int]:
    """Read axes, which may be counted from the end.

    Raises:
        ValueError: There is no such axis.
    """
    axes = [int(axis) for axis in np.ravel(array)]
    if any(not -rank <= axis < rank for axis in axes):
        raise ValueError(axes)
    return [axis % rank for axis in axes]


def target_shape(layer: Layer, data: Constant, target: Constant) -> list[int]:
    """Read where a `Reshape` of a constant leads: 0 keeps a length, -1 is what remains."""
    keeps = layer.flag("special_zero", default=False)
    lengths = [int(length) for length in np.ravel(target)]
    return [data.shape[i] if keeps and length == 0 else length for i, length in enumerate(lengths)]


def _convert(layer: Layer, arrays: list[Constant]) -> Constant:
    kinds = {"i64": np.int64, "i32": np.int32, "i8": np.int8, "u8": np.uint8, "boolean": np.bool_}
    return arrays[0].astype(kinds.get(layer.text("destination_type"), np.float32))


def _quantised(layer: Layer, arrays: list[Constant]) -> Constant:
    x, low, high, out_low, out_high = arrays
    (levels,) = layer.integers("levels", least=2)
    return fake_quantize(x, low, high, out_low, out_high, levels)


def _pair(operation: Callable[[Constant, Constant], Constant]) -> Folder:
    return lambda _, arrays: operation(arrays[0], arrays[1])


def _divide(_: Layer, arrays: list[Constant]) -> Constant:
    operation = np.floor_divide if arrays[0].dtype.kind in "iu" else np.divide
    quotient: Constant = operation(arrays[0], arrays[1])
    return quotient


def _transpose(_: Layer, arrays: list[Constant]) -> Constant:
    order = arrays[1].tolist() or None
    return np.transpose(arrays[0], order)


def _squeeze(_: Layer, arrays: list[Constant]) -> Constant:
    axes = tuple(axes_of(arrays[1], arrays[0].ndim)) if len(arrays) > 1 else None
    return np.squeeze(arrays[0], axes)


def _unsqueeze(_: Layer, arrays: list[Constant]) -> Constant:
    return np.expand_dims(arrays[0], tuple(int(axis) for axis in np.ravel(arrays[1])))


def _prior_boxes(layer: Layer, arrays: list[Constant]) -> Constant:
    """Anchors of the SSD family, `(2, boxes * 4)`: xyxy in units of the picture, then their variances."""
    (rows, columns), (height, width) = (array.tolist() for array in arrays)
    box_w, box_h = (np.array(layer.reals(name)) for name in ("width", "height"))
    variance = np.array(layer.reals("variance", "") or [0.1])
    common = layer.real("step", "0")
    step_w = layer.real("step_w", "0") or common or width / columns
    step_h = layer.real("step_h", "0") or common or height / rows
    offset = layer.real("offset")
    boxes = np.empty((rows, columns, len(box_w), 4))
    center_x = ((np.arange(columns) + offset) * step_w)[None, :, None]
    center_y = ((np.arange(rows) + offset) * step_h)[:, None, None]
    boxes[..., 0], boxes[..., 2] = (center_x - box_w / 2) / width, (center_x + box_w / 2) / width
    boxes[..., 1], boxes[..., 3] = (center_y - box_h / 2) / height, (center_y + box_h / 2) / height
    if layer.flag("clip", default=True):
        boxes = boxes.clip(0, 1)
    variances = np.broadcast_to(variance, boxes.shape)
    return np.stack([boxes.ravel(), variances.ravel()]).astype(np.float32)


_FOLDERS: dict[str, Folder] = {
    "Add": _pair(np.add),
    "Concat": lambda layer, arrays: np.concatenate(arrays, int(layer.real("axis"))),
    "Convert": _convert,
    "Divide": _divide,
    "FakeQuantize": _quantised,
    "Gather": lambda _, arrays: np.take(arrays[0], arrays[1], int(arrays[2])),
    "Multiply": _pair(np.multiply),
    "PriorBoxClustered": _prior_boxes,
    "ReduceProd": lambda layer, arrays: np.prod(
        arrays[0],
        tuple(axes_of(arrays[1], arrays[0].ndim)),
        keepdims=layer.flag("keep_dims", default=False),
    ),
    "Reshape": lambda layer, arrays: arrays[0].reshape(target_shape(layer, *arrays)),
    "Squeeze": _squeeze,
    "StridedSlice": lambda layer, arrays: arrays[0][tuple(slices(layer, arrays[1:], arrays[0].ndim))],
    "Subtract": _pair(np.subtract),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
_BROADCASTING = frozenset({"Add", "Divide", "FakeQuantize", "Multiply", "Subtract"})
