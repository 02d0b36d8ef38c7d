"""What moves the elements of tensors that lie channels last: reshape, transpose, slice, pad, reduce."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.convert.building.channels_last import (
    NCHW_AXIS,
    TO_NCHW,
    Constant,
    MixesPictures,
    Network,
    Shape,
    Value,
)
from mien.errors import ConversionFailed

_MOST_NUMBERS = 4096
_FOLDED_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceMean": np.mean,
    "ReduceSum": np.sum,
    "ReduceMax": np.max,
    "ReduceProd": np.prod,
}


def integers(constant: Constant) -> list[int]:
    """Axes, shapes or borders that a file holds as a constant."""
    if constant.dtype.kind != "i" or constant.size > _MOST_NUMBERS:
        raise ConversionFailed(f"{constant.size} numbers of type {constant.dtype} are no axes or shape.")
    return [int(each) for each in constant.reshape(-1)]


def axis_of(x: Value, axis: int) -> int:
    """An axis counted from the front, or an error if there is none."""
    if not -len(x.shape) <= axis < len(x.shape):
        raise ConversionFailed(f"A tensor of rank {len(x.shape)} has no axis {axis}.")
    return axis % len(x.shape)


def _laid(x: Value, axis: int) -> int:
    return NCHW_AXIS[axis] if len(x.shape) == 4 else axis


def reshape(network: Network, x: Value, target: Sequence[int]) -> Value:
    """Give a tensor a new shape; one length may be -1.

    With a free batch, a first length of 1 or -1 is the batch. A target that drops it is kept with
    the batch in front, if the file was written for one picture (`Network.single`).
    """
    if x.constant is not None:
        network.spend(x.constant.nbytes)
        return Value.of(x.constant.reshape(_resolved(x.constant.size, target)))
    if not x.is_free:
        size = math.prod(x.known) * (x.shape[0] or 1) if x.shape else 1
        return network.lay(network.plain(x), _resolved(size, target))
    size = math.prod(x.known)
    rest = tuple(target[1:])
    if target and target[0] in (1, -1) and (-1 in rest or math.prod(rest) == size):
        return network.lay(network.plain(x), (None, *_resolved(size, rest)))
    if network.single and min(target, default=1) > 0 and math.prod(target) == size:
        return network.lay(network.plain(x), (None, *target))
    raise MixesPictures(f"A reshape to {tuple(target)} mixes the pictures of a batch.")


def _resolved(size: int, target: Sequence[int]) -> tuple[int, ...]:
    known = math.prod(length for length in target if length != -1)
    free = sum(length == -1 for length in target)
    if min(target, default=1) < -1 or known < 1 or size % known or free > 1 or (not free and known != size):
        raise ConversionFailed(f"{size} elements cannot take the shape {tuple(target)}.")
    return tuple(size // known if length == -1 else length for length in target)


def squeeze(network: Network, x: Value, axes: Sequence[int]) -> Value:
    """Drop axes of length 1; all of them if none is named."""
    dropped = {axis_of(x, axis) for axis in axes}
    if not axes:
        dropped = {i for i, length in enumerate(x.shape) if length == 1}
    if x.is_free and 0 in dropped:
        raise MixesPictures("The batch is squeezed away.")
    return reshape(network, x, [length or -1 for i, length in enumerate(x.shape) if i not in dropped])


def transpose(network: Network, x: Value, order: Sequence[int]) -> Value:
    """Permute axes; axis `i` of the result is axis `order[i]` of `x`."""
    if sorted(order) != list(range(len(x.shape))):
        raise ConversionFailed(f"{tuple(order)} is no order of the axes of {x.shape}.")
    if x.constant is not None:
        return Value.of(x.constant.transpose(order))
    if x.is_free and order[0] != 0:
        raise MixesPictures("The batch is moved to another axis.")
    shape = tuple(x.shape[axis] for axis in order)
    in_nchw = TO_NCHW if len(order) == 4 else range(len(order))
    laid = [_laid(x, order[axis]) for axis in in_nchw]
    if laid == sorted(laid):
        return Value(shape, name=network.name(x))
    return Value(shape, name=network.add("Transpose", network.name(x), perm=laid))


def concatenate(network: Network, values: Sequence[Value], axis: int) -> Value:
    """Join tensors along an axis; constants are repeated for every picture."""
    if not values or len({len(value.shape) for value in values}) != 1:
        raise ConversionFailed("Tensors of different rank are joined.")
    axis = axis_of(values[0], axis)
    constants = [value.constant for value in values if value.constant is not None]
    free = any(value.is_free for value in values)
    if free and axis == 0:
        raise MixesPictures("Pictures are joined to one batch.")
    for i, across in enumerate(zip(*(value.shape for value in values), strict=True)):
        # A free batch stretches what has one entry there.
        differing = set(across) - ({1} if free and i == 0 else set())
        if i != axis and len(differing) > 1:
            raise ConversionFailed(f"Tensors of lengths {across} are joined along another axis.")
    if len(constants) == len(values):
        network.spend(sum(constant.nbytes for constant in constants))
        return Value.of(np.concatenate(constants, axis))
    lengths = [value.shape[axis] for value in values]
    joined = None if None in lengths else sum(length for length in lengths if length is not None)
    first = next(value for value in values if value.is_free == free and value.constant is None)
    names = [
        network.name(value) if value.is_free == free else _repeated(network, value, first) for value in values
    ]
    shape = (*first.shape[:axis], joined, *first.shape[axis + 1 :])
    return Value(shape, name=network.add("Concat", *names, axis=_laid(first, axis)))


def _repeated(network: Network, value: Value, pictures: Value) -> str:
    batch = network.add("Shape", network.name(pictures), start=0, end=1)
    axes = TO_NCHW if len(value.shape) == 4 else range(len(value.shape))
    rest = [value.shape[axis] for axis in axes[1:]]
    shape = network.add("Concat", batch, network.integers([length or 0 for length in rest]), axis=0)
    return network.add("Expand", network.name(value), shape)


@dataclass(frozen=True)
class Slices:
    """TensorFlow's strided slice: bits of a mask say for which axes a bound does not count."""

    begin: Sequence[int]
    end: Sequence[int]
    stride: Sequence[int]
    begin_mask: int = 0
    end_mask: int = 0
    dropped_mask: int = 0

    def along(self, axis: int) -> slice:
        """What is taken along an axis."""
        if axis >= len(self.begin):
            return slice(None)
        begin = None if self.begin_mask >> axis & 1 else self.begin[axis]
        if self.drops(axis):
            first = self.begin[axis]
            return slice(first, None if first == -1 else first + 1)
        return slice(begin, None if self.end_mask >> axis & 1 else self.end[axis], self.stride[axis])

    def drops(self, axis: int) -> bool:
        """Whether an axis disappears."""
        return axis < len(self.begin) and bool(self.dropped_mask >> axis & 1)


def strided_slice(network: Network, x: Value, slices: Slices) -> Value:
    """Take a part of a tensor; steps are forward."""
    if not len(slices.begin) == len(slices.end) == len(slices.stride) <= len(x.shape):
        raise ConversionFailed("A slice does not fit the rank of its tensor.")
    if min(slices.stride, default=1) < 1:
        raise ConversionFailed("A slice with steps backward or of nothing is not supported.")
    kept = [i for i in range(len(x.shape)) if not slices.drops(i)]
    if x.constant is not None:
        network.spend(x.constant.nbytes)
        part = x.constant[tuple(slices.along(i) for i in range(x.constant.ndim))]
        return Value.of(part.reshape([part.shape[i] for i in kept]))
    ranges = [_range(network, x, slices, i) for i in range(len(x.shape))]
    cut = {i: found for i, found in enumerate(ranges) if found is not None}
    shape = tuple(len(cut[i]) if i in cut else length for i, length in enumerate(x.shape))
    if 0 in shape:
        raise ConversionFailed("A slice takes nothing.")
    name = network.name(x)
    if cut:
        bounds = [[r.start for r in cut.values()], [r.stop for r in cut.values()]]
        steps = [r.step for r in cut.values()]
        axes = [_laid(x, i) for i in cut]
        name = network.add("Slice", name, *(network.integers(each) for each in (*bounds, axes, steps)))
    part_of_x = Value(shape, name=name)
    if len(kept) == len(shape):
        return part_of_x
    # A batch that is dropped stays in front: see `reshape`.
    return reshape(network, part_of_x, [shape[i] or -1 for i in kept])


def _range(network: Network, x: Value, slices: Slices, axis: int) -> range | None:
    length, taken = x.shape[axis], slices.along(axis)
    whole = taken in (slice(None), slice(None, None, 1), slice(0, None, 1))
    if axis == 0 and x.is_free:
        if whole or (network.single and range(*taken.indices(1)) == range(1)):
            return None
        raise MixesPictures("Some pictures of a batch are taken.")
    if length is None:
        if whole:
            return None
        raise ConversionFailed("A part of a map of free size is taken.")
    found = range(*taken.indices(length))
    return None if found == range(length) else found


def pad(
    network: Network, x: Value, pads: Sequence[tuple[int, int]], value: float = 0.0, mode: str = "constant"
) -> Value:
    """Add a border: `(before, after)` for each axis."""
    if len(pads) != len(x.shape) or min(map(min, pads), default=0) < 0:
        raise ConversionFailed(f"A border of {list(pads)} does not fit a tensor of rank {len(x.shape)}.")
    if x.is_free and pads[0] != (0, 0):
        raise MixesPictures("Pictures are added to a batch.")
    order = TO_NCHW if len(x.shape) == 4 else range(len(x.shape))
    both = [pads[axis][0] for axis in order] + [pads[axis][1] for axis in order]
    filler = [network.weight(np.array(value, np.float32))] if mode == "constant" else []
    name = network.add("Pad", network.name(x), network.integers(both), *filler, mode=mode)
    shape: Shape = tuple(
        None if length is None else length + sum(pads[i]) for i, length in enumerate(x.shape)
    )
    return Value(shape, name=name)


def reduce(network: Network, operator: str, x: Value, axes: Sequence[int], *, keep: bool) -> Value:
    """ReduceMean, ReduceSum or ReduceMax over some axes."""
    over = sorted({axis_of(x, axis) for axis in axes})
    if x.constant is not None:
        return Value.of(np.asarray(_FOLDED_REDUCTIONS[operator](x.constant, axis=tuple(over), keepdims=keep)))
    if x.is_free and 0 in over:
        raise MixesPictures("A value is computed over all pictures of a batch.")
    laid = [_laid(x, axis) for axis in over]
    if operator == "ReduceSum":  # the first whose axes became an input
        name = network.add(operator, network.name(x), network.integers(laid), keepdims=1)
    else:
        name = network.add(operator, network.name(x), axes=laid, keepdims=1)
    reduced = Value(tuple(1 if i in over else length for i, length in enumerate(x.shape)), name=name)
    if keep:
        return reduced
    return reshape(network, reduced, [length or -1 for i, length in enumerate(x.shape) if i not in over])
