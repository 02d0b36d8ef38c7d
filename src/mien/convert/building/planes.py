"""Operators that Caffe and MXNet share: windows that slide over planes, matrices, lengths.

Each takes a sketch and values, checks that they fit, and adds the steps that compute the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.convert.building.sketch import Array, Shape, Sketch, Unsized, Value, as_float32
from mien.convert.building.sketch_shapes import LONGEST, axis_of, flatten
from mien.errors import ConversionFailed

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """How a window slides over a plane, rows first."""

    size: Pair
    stride: Pair = (1, 1)
    pad: Pair = (0, 0)
    dilation: Pair = (1, 1)

    def __post_init__(self) -> None:
        positive = (*self.size, *self.stride, *self.dilation)
        if not all(1 <= n <= LONGEST for n in positive) or not all(0 <= n <= LONGEST for n in self.pad):
            raise ConversionFailed(f"No such window: {self}.")

    @property
    def reach(self) -> Pair:
        """Rows and columns from the first to the last number that the window touches."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True))  # type: ignore[return-value]

    @property
    def attributes(self) -> dict[str, list[int]]:
        """The attributes of ONNX, the padding alike on both sides."""
        return {
            "kernel_shape": list(self.size),
            "strides": list(self.stride),
            "pads": [*self.pad, *self.pad],
            "dilations": list(self.dilation),
        }


def convolution(
    sketch: Sketch, x: Value, kernel: Array, bias: Array | None, window: Window, group: int = 1
) -> Value:
    """Convolution; kernel `(out, in / group, rows, columns)`, bias `(out,)`."""
    out = _expect_kernel(x, kernel, bias, window, group, transposed=False)
    lengths = [
        None if n is None else (n + 2 * p - r) // s + 1
        for n, p, r, s in zip(x.shape[2:], window.pad, window.reach, window.stride, strict=True)
    ]
    shape = _plane(x, out, lengths)
    bias = np.zeros(out, np.float32) if bias is None else bias
    return sketch.add("Conv", shape, x, kernel, bias, group=group, **window.attributes)


def deconvolution(
    sketch: Sketch,
    x: Value,
    kernel: Array,
    bias: Array | None,
    window: Window,
    group: int = 1,
    more: Pair = (0, 0),
) -> Value:
    """Transposed convolution; kernel `(in, out / group, rows, columns)`, bias `(out,)`.

    Args:
        sketch: The network.
        x: `(n, in, rows, columns)`.
        kernel: Weights.
        bias: One number for each output channel, or none.
        window: Where the products are spread to.
        group: Number of groups of channels that do not meet.
        more: Rows and columns to add at the end, fewer than the stride.
    """
    out = _expect_kernel(x, kernel, bias, window, group, transposed=True)
    if not all(0 <= m < s for m, s in zip(more, window.stride, strict=True)):
        raise ConversionFailed("A deconvolution adds more rows than its stride has.")
    lengths = [
        None if n is None else s * (n - 1) + r - 2 * p + m
        for n, s, r, p, m in zip(x.shape[2:], window.stride, window.reach, window.pad, more, strict=True)
    ]
    shape = _plane(x, out, lengths)
    bias = np.zeros(out, np.float32) if bias is None else bias
    attributes = {**window.attributes, "group": group, "output_padding": list(more)}
    return sketch.add("ConvTranspose", shape, x, kernel, bias, **attributes)


def _expect_kernel(
    x: Value, kernel: Array, bias: Array | None, window: Window, group: int, *, transposed: bool
) -> int:
    """Check that everything fits, and return the number of channels that come out."""
    if len(x.shape) != 4 or kernel.ndim != 4 or kernel.shape[2:] != window.size or group < 1:
        raise ConversionFailed(f"A kernel {kernel.shape} cannot slide over a value {x.shape}.")
    first, second = int(kernel.shape[0]), int(kernel.shape[1]) * group
    taken, out = (first, second) if transposed else (second, first)
    if taken % group or out % group or not out or taken != (x.shape[1] or taken):
        raise ConversionFailed(f"A kernel {kernel.shape} in {group} groups meets {x.shape[1]} channels.")
    if bias is not None and bias.shape != (out,):
        raise ConversionFailed(f"A bias {bias.shape} stands beside a kernel {kernel.shape}.")
    return out


def _plane(x: Value, channels: int | None, lengths: Sequence[int | None]) -> Shape:
    if any(n is not None and n < 1 for n in lengths):
        raise ConversionFailed(f"A window does not fit into a plane {x.shape[2:]}.")
    return (None, channels, *lengths)


def pool(
    sketch: Sketch,
    x: Value,
    window: Window,
    kind: str,
    *,
    ceil: bool,
    drops: bool = False,
    count_padding: bool = True,
) -> Value:
    """Maximum or mean over windows.

    Args:
        sketch: The network.
        x: `(n, channels, rows, columns)`.
        window: Its padding counts for the mean, unless `count_padding` is false.
        kind: "max" or "mean".
        ceil: The last window may hang over the edge.
        drops: A last window that begins beyond the padded plane is left out, as Caffe does; without
            it such a window has nothing to look at, and the network is refused.
        count_padding: Whether the mean counts padded zeros.

    Raises:
        Unsized: The result depends on the size of the plane, which is not known.
    """
    _expect_plane(x)
    if any(p >= k for p, k in zip(window.pad, window.size, strict=True)):
        raise ConversionFailed("The padding of a pool is as large as its window.")
    edges = [
        _edge(*numbers, ceil=ceil, drops=drops and any(window.pad))
        for numbers in zip(x.shape[2:], window.size, window.stride, window.pad, strict=True)
    ]
    attributes = window.attributes | {"pads": [*window.pad, *(edge.pad for edge in edges)]}
    shape = _plane(x, x.shape[1], [edge.length for edge in edges])
    if kind == "max":
        return sketch.add("MaxPool", shape, x, **attributes)
    del attributes["dilations"]
    mean = sketch.add("AveragePool", shape, x, **attributes, count_include_pad=int(count_padding))
    if count_padding:
        for axis, edge in enumerate(edges, start=2):
            mean = _recount(sketch, mean, window, edge, axis)
    return mean


@dataclass(frozen=True, slots=True)
class _Edge:
    """Where the windows end on one axis: the result's length, zeros to append, and padded length."""

    length: int | None
    pad: int
    padded: int | None


def _edge(n: int | None, size: int, stride: int, pad: int, *, ceil: bool, drops: bool) -> _Edge:
    if not ceil or stride == 1:
        return _Edge(None if n is None else (n + 2 * pad - size) // stride + 1, pad, None)
    if n is None:
        if pad + stride > size:
            raise Unsized("A pool's last window depends on the size of the input, which is not known.")
        # Floor with this much more padding is ceil without it, whatever the size.
        return _Edge(None, pad + stride - 1, None)
    length = -((size - n - 2 * pad) // stride) + 1
    if (length - 1) * stride >= n + pad:
        if not drops:
            raise ConversionFailed("A pool's last window lies beyond the plane.")
        length -= 1
    return _Edge(length, max(0, (length - 1) * stride + size - n - pad), n + 2 * pad)


def _recount(sketch: Sketch, mean: Value, window: Window, edge: _Edge, axis: int) -> Value:
    """Undo the counting of zeros that are neither plane nor padding: they are no part of a mean."""
    size, stride, pad = (pair[axis - 2] for pair in (window.size, window.stride, window.pad))
    if edge.pad == pad and edge.padded is None:
        return mean
    if edge.length is None or edge.padded is None:
        raise Unsized("The mean at the edge depends on the size of the input, which is not known.")
    starts = np.arange(edge.length) * stride
    ratio = as_float32(size / (np.minimum(starts + size, edge.padded) - starts))
    if (ratio == 1).all():
        return mean
    return sketch.add("Mul", mean.shape, mean, ratio.reshape([-1 if a == axis else 1 for a in range(4)]))


def global_pool(sketch: Sketch, x: Value, kind: str) -> Value:
    """Maximum or mean over whole planes."""
    _expect_plane(x)
    operator = {"max": "GlobalMaxPool", "mean": "GlobalAveragePool"}[kind]
    return sketch.add(operator, (None, x.shape[1], 1, 1), x)


def _expect_plane(x: Value) -> None:
    if len(x.shape) != 4:
        raise ConversionFailed(f"Expected planes, found a value {x.shape}.")


def dense(sketch: Sketch, x: Value, matrix: Array, bias: Array | None) -> Value:
    """Fully connected over all axes but the batch; matrix `(out, in)`, bias `(out,)`."""
    x = flatten(sketch, x)
    if matrix.ndim != 2 or matrix.shape[1] != (x.shape[1] or matrix.shape[1]):
        raise ConversionFailed(f"A matrix {matrix.shape} does not fit a value of {x.shape[1]} numbers.")
    bias = np.zeros(len(matrix), np.float32) if bias is None else bias
    if bias.shape != (len(matrix),):
        raise ConversionFailed(f"A bias {bias.shape} stands beside a matrix {matrix.shape}.")
    return sketch.add("Gemm", (None, len(matrix)), x, matrix, bias, transB=1)


def normalise(sketch: Sketch, x: Value, axes: Sequence[int], epsilon: float) -> Value:
    """Divide by the Euclidean length over some axes; epsilon is added to its square."""
    axes = [axis_of(x, axis) for axis in axes]
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    squares = sketch.add("ReduceSumSquare", shape, x, axes=axes, keepdims=1)
    length = sketch.add("Sqrt", shape, sketch.add("Add", shape, squares, as_float32(epsilon)))
    return sketch.add("Div", x.shape, x, length)


def enlarge(sketch: Sketch, x: Value, scale: int) -> Value:
    """Repeat every row and column."""
    _expect_plane(x)
    if not 1 <= scale <= LONGEST:
        raise ConversionFailed(f"A plane cannot be enlarged {scale} times.")
    shape = (*x.shape[:2], *(None if n is None else n * scale for n in x.shape[2:]))
    scales = as_float32(np.array([1, 1, scale, scale]))
    # ONNX wants the region of interest, which nothing reads here, to be there and empty.
    attributes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return sketch.add("Resize", shape, x, np.zeros(0, np.float32), scales, **attributes)
