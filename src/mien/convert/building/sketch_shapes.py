"""Changes of shape that Caffe and MXNet share, none of which may mix the images of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.convert.building.sketch import Shape, Sketch, Unsized, Value, integers
from mien.errors import ConversionFailed

# Longest window, stride, padding or plane; what is longer is damage or malice.
LONGEST = 1 << 15


def axis_of(x: Value, axis: int) -> int:
    """Count an axis from the front.

    Raises:
        ConversionFailed: No such axis, or the batch.
    """
    found = axis + len(x.shape) if axis < 0 else axis
    if not 0 <= found < len(x.shape):
        raise ConversionFailed(f"A value {x.shape} has no axis {axis}.")
    if found == 0:
        raise ConversionFailed("A layer mixes the images of a batch, which Mien keeps apart.")
    return found


def product(lengths: Sequence[int | None]) -> int | None:
    """The number of numbers, unless a length is free."""
    return None if None in lengths else math.prod(n for n in lengths if n is not None)


def length_of(length: int | None) -> int:
    """A length that must be known."""
    if length is None:
        raise Unsized("A layer needs to know the size of the input, which is not known.")
    return length


def flatten(sketch: Sketch, x: Value, axis: int = 1, end: int = -1) -> Value:
    """Merge the axes from `axis` to `end`."""
    axis, end = axis_of(x, axis), axis_of(x, end)
    if axis == end:
        return x
    if axis == 1 and end == len(x.shape) - 1:
        return sketch.add("Flatten", (None, product(x.shape[1:])), x)
    return reshape(sketch, x, [0] * axis + [-1] + [length_of(n) for n in x.shape[end + 1 :]])


def reshape(sketch: Sketch, x: Value, lengths: Sequence[int]) -> Value:
    """Reshape; 0 keeps the length of the same axis, -1 takes what is left."""
    lengths = list(lengths)
    whole = product(x.shape[1:])
    if lengths and (lengths[0] == sketch.batch or (lengths[0] == -1 and whole == math.prod(lengths[1:]))):
        lengths[0] = 0
    if not lengths or lengths[0] != 0:
        if whole is None:
            raise Unsized("Whether a reshape keeps images apart depends on the size of the input.")
        raise ConversionFailed("A reshape mixes the images of a batch, which Mien keeps apart.")
    kept = {axis for axis, n in enumerate(lengths) if n == 0}
    wanted = [n for n in lengths if n > 0]
    if lengths.count(-1) > 1 or min(lengths) < -1 or max(kept) >= len(x.shape):
        raise ConversionFailed(f"A value {x.shape} cannot take the shape {lengths}.")
    left = product([n for axis, n in enumerate(x.shape) if axis not in kept])
    if left is None and -1 not in lengths:
        raise Unsized("Whether a reshape fits depends on the size of the input, which is not known.")
    if left is not None and (left % math.prod(wanted) if -1 in lengths else left != math.prod(wanted)):
        raise ConversionFailed(f"A value {x.shape} cannot take the shape {lengths}.")
    inferred = None if left is None else left // math.prod(wanted)
    shape = tuple(x.shape[i] if n == 0 else inferred if n == -1 else n for i, n in enumerate(lengths))
    return sketch.add("Reshape", shape, x, integers(*lengths))


def transpose(sketch: Sketch, x: Value, order: Sequence[int]) -> Value:
    """Put the axes into another order, the batch first."""
    if sorted(order) != list(range(len(x.shape))) or order[0] != 0:
        raise ConversionFailed(f"The axes of a value {x.shape} cannot be ordered as {list(order)}.")
    return sketch.add("Transpose", tuple(x.shape[i] for i in order), x, perm=list(order))


def concat(sketch: Sketch, inputs: Sequence[Value], axis: int) -> Value:
    """Join values along an axis."""
    if not inputs or len({len(x.shape) for x in inputs}) != 1:
        raise ConversionFailed("Values of different kinds cannot be joined.")
    axis = axis_of(inputs[0], axis)
    shape = list(merge(*((*x.shape[:axis], None, *x.shape[axis + 1 :]) for x in inputs)))
    lengths = [x.shape[axis] for x in inputs]
    shape[axis] = None if None in lengths else sum(n for n in lengths if n is not None)
    return sketch.add("Concat", tuple(shape), *inputs, axis=axis)


def cut(sketch: Sketch, x: Value, axis: int, begin: int, end: int | None) -> Value:
    """Keep a range of an axis; negative positions count from the end, which None is."""
    axis = axis_of(x, axis)
    n = x.shape[axis]
    length = None if n is None else len(range(*slice(begin, end).indices(n)))
    if length == 0:
        raise ConversionFailed(f"Nothing is left of a value {x.shape}.")
    stop = np.iinfo(np.int64).max if end is None else end
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    return sketch.add("Slice", shape, x, integers(begin), integers(stop), integers(axis))


def crop(sketch: Sketch, x: Value, like: Value, axis: int, offsets: Sequence[int]) -> Value:
    """Cut the axes from `axis` to the lengths of another value, from these offsets on."""
    axis = axis_of(x, axis)
    rank = len(x.shape)
    if len(like.shape) != rank or len(offsets) != rank - axis or not all(0 <= o <= LONGEST for o in offsets):
        raise ConversionFailed(f"A value {x.shape} cannot be cropped to {like.shape}.")
    shape = (*x.shape[:axis], *like.shape[axis:])
    for has, offset, wants in zip(x.shape[axis:], offsets, like.shape[axis:], strict=True):
        if has is not None and wants is not None and has < offset + wants:
            raise ConversionFailed(f"A value {x.shape} is too small to be cropped to {like.shape}.")
    if None not in shape[axis:] and x.shape == shape:
        return x
    begins, axes = integers(*offsets), integers(*range(axis, rank))
    lengths = sketch.add("Shape", (rank - axis,), like, start=axis)
    ends = sketch.add("Add", (rank - axis,), lengths, begins)
    return sketch.add("Slice", shape, x, begins, ends, axes)


def merge(*shapes: Shape) -> Shape:
    """The shape of what meets number by number; a length of 1 stretches.

    Raises:
        ConversionFailed: They do not fit.
    """
    merged = shapes[0]
    for shape in shapes[1:]:
        if len(merged) != len(shape):
            raise ConversionFailed(f"Values {merged} and {shape} do not fit together.")
        merged = tuple(_meet(a, b) for a, b in zip(merged, shape, strict=True))
    return merged


def _meet(a: int | None, b: int | None) -> int | None:
    if a == b or b == 1:
        return a
    if a in (1, None):
        return b
    if b is None:
        return a
    raise ConversionFailed(f"Lengths {a} and {b} do not fit together.")


def elementwise(sketch: Sketch, operator: str, *operands: Value | NDArray[Any]) -> Value:
    """Combine two values, or a value and an array of weights, number by number.

    An array is one number, or has all axes of the value, the first of length 1.
    """
    found = [x.shape for x in operands if not isinstance(x, np.ndarray) or x.ndim]
    if any(isinstance(x, np.ndarray) and x.ndim and x.shape[0] != 1 for x in operands):
        raise ConversionFailed("Weights differ between the images of a batch.")
    return sketch.add(operator, merge(*found), *operands)
