"""The three networks of MTCNN as ONNX, from the weights of the `mtcnn` distribution.

Zhang, Zhang, Li and Qiao, Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks, 2016, arXiv:1604.02878.

All take NCHW RGB as `(x - 127.5) / 128`. `face` is the probability of a face; `shift` moves the
sides of the window, x1 y1 x2 y2 in units of its size; `points` are five x and five y in those
units, in the order of `Faces.points`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.convert.building.blocks import prelu
from mien.convert.building.graph import Graph
from mien.convert.mtcnn.joblib_arrays import read_arrays
from mien.errors import ConversionFailed

Array = NDArray[np.float32]


def pnet(data: bytes) -> bytes:
    """Convert the proposal network.

    Returns:
        ONNX bytes; `image` `(n, 3, h, w)` to maps `face` `(n, 1, h', w')` and `shift` `(n, 4, h', w')`.
    """
    weights = _Weights(data, 13)
    graph = Graph("mtcnn-pnet")
    x = _block(graph, weights, graph.input("image", ("n", 3, "h", "w")))
    x = graph.max_pool(x, 2, 2, ceil=True)
    x = _block(graph, weights, x)
    x = _block(graph, weights, x)
    shift = graph.conv(x, *weights.kernel())
    face = _probability(graph, graph.conv(x, *weights.kernel()))
    rows_columns = ("rows", "columns")
    return graph.finish(
        {"face": face, "shift": shift}, {"face": ("n", 1, *rows_columns), "shift": ("n", 4, *rows_columns)}
    )


def rnet(data: bytes) -> bytes:
    """Convert the refining network.

    Returns:
        ONNX bytes; `image` `(n, 3, 24, 24)` to `face` `(n, 1)` and `shift` `(n, 4)`.
    """
    weights = _Weights(data, 16)
    graph = Graph("mtcnn-rnet")
    x = graph.input("image", ("n", 3, 24, 24))
    for _ in range(2):
        x = graph.max_pool(_block(graph, weights, x), 3, 2, ceil=True)
    x = _hidden(graph, weights, _block(graph, weights, x), (64, 3, 3))
    shift = graph.gemm(x, *weights.matrix())
    face = _probability(graph, graph.gemm(x, *weights.matrix()))
    return graph.finish({"face": face, "shift": shift}, {"face": ("n", 1), "shift": ("n", 4)})


def onet(data: bytes) -> bytes:
    """Convert the output network.

    Returns:
        ONNX bytes; `image` `(n, 3, 48, 48)` to `face` `(n, 1)`, `shift` `(n, 4)` and `points` `(n, 10)`.
    """
    weights = _Weights(data, 21)
    graph = Graph("mtcnn-onet")
    x = graph.input("image", ("n", 3, 48, 48))
    for size in (3, 3, 2):
        x = graph.max_pool(_block(graph, weights, x), size, 2, ceil=True)
    x = _hidden(graph, weights, _block(graph, weights, x), (128, 3, 3))
    shift, points = (graph.gemm(x, *weights.matrix()) for _ in range(2))
    face = _probability(graph, graph.gemm(x, *weights.matrix()))
    return graph.finish(
        {"face": face, "shift": shift, "points": points},
        {"face": ("n", 1), "shift": ("n", 4), "points": ("n", 10)},
    )


class _Weights:
    """The arrays of one file, handed out in the order in which the layers want them."""

    def __init__(self, data: bytes, count: int) -> None:
        arrays = read_arrays(data)
        if len(arrays) != count:
            raise ConversionFailed(f"Expected {count} arrays of weights, found {len(arrays)}.")
        self._arrays = iter(arrays)

    def kernel(self) -> tuple[Array, Array]:
        """Kernel `(out, in, rows, columns)` and bias of a convolution."""
        kernel, bias = self._next(4), self._next(1)
        return kernel.transpose(3, 2, 0, 1), bias

    def matrix(self) -> tuple[Array, Array]:
        """Matrix `(in, out)` and bias of a fully connected layer."""
        return self._next(2), self._next(1)

    def slope(self) -> Array:
        """One slope per channel, for negative values."""
        return next(self._arrays).ravel()

    def _next(self, dimensions: int) -> Array:
        array = next(self._arrays)
        if array.ndim != dimensions:
            raise ConversionFailed(f"Expected weights of {dimensions} dimensions, found {array.ndim}.")
        return array


def _block(graph: Graph, weights: _Weights, x: str) -> str:
    """Convolution and PReLU."""
    return prelu(graph, graph.conv(x, *weights.kernel()), weights.slope())


def _hidden(graph: Graph, weights: _Weights, x: str, shape: tuple[int, int, int]) -> str:
    """Fully connected over a plane that the training framework flattened as (columns, rows, channels)."""
    matrix, bias = weights.matrix()
    channels, rows, columns = shape
    if len(matrix) != channels * rows * columns:
        raise ConversionFailed("A fully connected layer does not fit the plane before it.")
    ours = matrix.reshape(columns, rows, channels, -1).transpose(2, 1, 0, 3).reshape(len(matrix), -1)
    x = graph.gemm(graph.add("Flatten", x), ours, bias)
    return graph.add("PRelu", x, graph.weight(weights.slope()))


def _probability(graph: Graph, logits: str) -> str:
    """Keep the second of two classes, a face, after the softmax."""
    chances = graph.add("Softmax", logits, axis=1)
    one, two = _indices(graph, [1, 2])
    return graph.add("Slice", chances, one, two, one)


def _indices(graph: Graph, values: Sequence[int]) -> list[str]:
    return [graph.weight(np.array([value], np.int64)) for value in values]
