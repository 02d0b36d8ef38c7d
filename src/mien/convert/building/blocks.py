"""Building blocks that several converters lay out alike: folding, padding, convolution, PReLU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.convert.building.graph import Graph
from mien.errors import ConversionFailed

Array = NDArray[np.float32]
Wide = NDArray[np.float64]


def batch_norm(gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float) -> tuple[Wide, Wide]:
    """Say batch normalisation as `x * scale + shift`; all arrays `(channels,)`."""
    if not gamma.shape == beta.shape == mean.shape == variance.shape:
        raise ConversionFailed("A batch normalisation has arrays of different lengths.")
    with np.errstate(all="ignore"):
        scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
        shift = beta - mean * scale
    if not (np.isfinite(scale).all() and np.isfinite(shift).all()):
        raise ConversionFailed("A batch normalisation has a variance that is not positive, or worse.")
    return scale, shift


def fold(kernel: Array, bias: Array, scale: Wide, shift: Wide) -> tuple[Array, Array]:
    """Merge `x * scale + shift` into the layer before it.

    Args:
        kernel: `(out, ...)`.
        bias: `(out,)`.
        scale: `(out,)`.
        shift: `(out,)`.
    """
    if len(kernel) != len(scale):
        raise ConversionFailed(f"A normalisation of {len(scale)} channels follows a layer of {len(kernel)}.")
    with np.errstate(all="ignore"):
        wider = (kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))).astype(np.float32)
        shifted = (bias * scale + shift).astype(np.float32)
    if not (np.isfinite(wider).all() and np.isfinite(shifted).all()):
        raise ConversionFailed("A normalisation makes weights that are not finite.")
    return wider, shifted


def same_pads(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """How many zeros TensorFlow's padding `same` puts before and after `size` values: the odd one after."""
    windows = -(-size // stride)
    total = max((windows - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def conv(
    graph: Graph,
    x: str,
    kernel: Array,
    bias: Array,
    *,
    strides: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilations: tuple[int, int] = (1, 1),
    group: int = 1,
) -> str:
    """Convolution in full generality; kernel `(out, in / group, h, w)`, pads top left bottom right."""
    return graph.add(
        "Conv",
        x,
        graph.weight(kernel),
        graph.weight(bias),
        kernel_shape=list(kernel.shape[2:]),
        strides=list(strides),
        pads=list(pads),
        dilations=list(dilations),
        group=group,
    )


def prelu(graph: Graph, x: str, slope: Array) -> str:
    """PReLU over planes, one slope per channel.

    ONNX Runtime's own PRelu is slower than the convolutions around it (benchmarks/prelu.py), so it
    is said with what is fast: `a * x + (1 - a) * relu(x)`, the scaling as depthwise convolutions.
    """
    slope = slope[:, None, None, None]
    negative = graph.add("Conv", x, graph.weight(slope), group=len(slope))
    positive = graph.add("Conv", graph.add("Relu", x), graph.weight(1 - slope), group=len(slope))
    return graph.add("Add", negative, positive)
