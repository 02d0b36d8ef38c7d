"""dlib's face networks as ONNX: the ResNet-29 embedder and the mmod detector.

Affine layers are folded into the convolution before them. Both networks take NCHW float32 that
has been normalised as their manifests say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mien.convert.building.graph import Graph
from mien.convert.dlib.layers import (
    AddPrevious,
    Affine,
    Array,
    Conv,
    Dense,
    Layer,
    Mark,
    Pool,
    Relu,
    read_layers,
)
from mien.convert.dlib.stream import Stream
from mien.errors import ConversionFailed


def resnet(data: bytes) -> bytes:
    """Convert `dlib_face_recognition_resnet_model_v1.dat` (King 2017).

    Returns:
        ONNX bytes; input `image` `(n, 3, 150, 150)`, output `embedding` `(n, 128)`.
    """
    stream = Stream(data)
    stream.version(1)
    if stream.expect("loss_metric_", "loss_metric_2") == "loss_metric_2":
        stream.real()
        stream.real()
    layers = _fold(read_layers(stream, _sized_input))
    stream.finished()
    graph = Graph("dlib-resnet")
    output = _residual(graph, _Plane(graph.input("image", ("n", 3, 150, 150)), 3, 150), layers)
    return graph.finish({"embedding": output.name}, {"embedding": ("n", output.width)})


def mmod(data: bytes) -> bytes:
    """Convert `mmod_human_face_detector.dat` (King 2015, arXiv:1502.00046).

    Returns:
        ONNX bytes; input `image` `(n, 3, h, w)`, output `score` `(n, 1, h', w')`.
    """
    stream = Stream(data)
    stream.version(1)
    stream.expect("loss_mmod_")
    _mmod_options(stream)
    layers = _fold(read_layers(stream, _pyramid_input))
    stream.finished()
    graph = Graph("dlib-mmod")
    x = graph.input("image", ("n", 3, "h", "w"))
    for layer in layers:
        match layer:
            case Conv():
                x = graph.conv(x, layer.kernel, layer.bias, layer.stride, layer.pad)
            case Relu():
                x = graph.add("Relu", x)
            case _:
                raise ConversionFailed(f"A {type(layer).__name__} has no place in an mmod detector.")
    return graph.finish({"score": x}, {"score": ("n", 1, "rows", "columns")})


def _sized_input(stream: Stream) -> None:
    stream.expect("input_rgb_image_sized")
    for _ in range(3):
        stream.real()
    rows, columns = stream.count(), stream.count()
    if (rows, columns) != (150, 150):
        raise stream.broken(f"the embedder takes {columns}x{rows} pixels, not 150x150")


def _pyramid_input(stream: Stream) -> None:
    name = stream.expect("input_rgb_image_pyramid", "input_rgb_image_pyramid2")
    for _ in range(3):
        stream.real()
    if name.endswith("2") and (stream.count(), stream.count()) != (10, 11):
        raise stream.broken("the pyramid has other paddings than 10 and 11")


def _mmod_options(stream: Stream) -> None:
    version = stream.version(1, 2, 3, 4)
    windows = 1 if version == 1 else stream.count(100)
    for _ in range(windows):
        labelled = version > 1 and stream.version(1, 2) == 2
        stream.count()
        stream.count()
        if labelled:
            stream.string()
    for _ in range(7):  # costs, then the two overlap tests
        stream.real()
    if version >= 3:
        stream.byte()
    if version >= 4 and stream.flag():
        raise stream.broken("bounding-box regression is not supported")
    if version >= 4:
        stream.real()


def _fold(layers: list[Layer]) -> list[Layer]:
    """Merge every affine layer into the convolution before it."""
    folded: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Affine):
            before = folded[-1] if folded else None
            if not isinstance(before, Conv) or before.bias.size != layer.gamma.size:
                raise ConversionFailed("A scaling layer does not follow a convolution of its width.")
            with np.errstate(over="ignore", invalid="ignore"):
                kernel = before.kernel * layer.gamma[:, None, None, None]
                bias = before.bias * layer.gamma + layer.beta
            if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
                raise ConversionFailed("A scaling layer makes weights that are not finite.")
            folded[-1] = replace(before, kernel=kernel, bias=bias)
        else:
            folded.append(layer)
    return folded


class _Plane(NamedTuple):
    """A value of the graph: its name, channels, and rows (= columns)."""

    name: str
    width: int
    size: int


def _residual(graph: Graph, x: _Plane, layers: list[Layer]) -> _Plane:
    """Lay out a residual network and return its output.

    Of the marks in a block the first remembers its input. A block that shrinks has two more: one
    closes the main path, one goes back to the block's input, which is pooled and widened to be added.
    """
    opened: _Plane | None = None
    main: _Plane | None = None
    for layer in layers:
        match layer:
            case Conv():
                size = (x.size + 2 * layer.pad - layer.kernel.shape[2]) // layer.stride + 1
                name = graph.conv(x.name, layer.kernel, layer.bias, layer.stride, layer.pad)
                x = _Plane(name, len(layer.bias), size)
            case Relu():
                x = x._replace(name=graph.add("Relu", x.name))
            case Pool("max", size, stride, 0):
                x = _Plane(graph.max_pool(x.name, size, stride), x.width, (x.size - size) // stride + 1)
            case Pool("avg", 0):
                x = _Plane(graph.add("Flatten", graph.add("GlobalAveragePool", x.name)), x.width, 1)
            case Pool("avg", size, stride, 0) if main is not None:
                name = graph.conv(x.name, *_mean_and_widen(x.width, main.width, size), stride)
                x = _Plane(name, main.width, (x.size - size) // stride + 1)
            case Mark() if opened is None:
                opened = x
            case Mark() if main is None:
                main = x
            case Mark() if opened is not None:
                x = opened
            case AddPrevious() if opened is not None:
                x = _add(graph, x, main or opened)
                opened = main = None
            case Dense(matrix) if matrix.shape[0] == x.width:
                bias = np.zeros(matrix.shape[1], np.float32)
                x = _Plane(graph.gemm(x.name, matrix, bias), matrix.shape[1], 1)
            case _:
                raise ConversionFailed(f"Did not expect {type(layer).__name__} here in a residual network.")
    return x


def _mean_and_widen(width: int, wider: int, size: int) -> tuple[Array, Array]:
    """A convolution that averages windows and adds empty channels: one operator that ORT can fuse."""
    if wider < width:
        raise ConversionFailed("A residual block becomes narrower.")
    kernel = np.zeros((wider, width, size, size), np.float32)
    kernel[range(width), range(width)] = 1 / size**2
    return kernel, np.zeros(wider, np.float32)


def _add(graph: Graph, a: _Plane, b: _Plane) -> _Plane:
    """Add two planes; the smaller is padded with zeros below and to the right, as dlib does."""
    if a.width != b.width:
        raise ConversionFailed("The two paths of a residual block differ in width.")
    size = max(a.size, b.size)
    names = [_pad(graph, plane, size) for plane in (a, b)]
    return _Plane(graph.add("Add", *names), a.width, size)


def _pad(graph: Graph, plane: _Plane, size: int) -> str:
    if plane.size == size:
        return plane.name
    missing = size - plane.size
    return graph.add(
        "Pad", plane.name, graph.weight(np.array([0, 0, 0, 0, 0, 0, missing, missing], np.int64))
    )
