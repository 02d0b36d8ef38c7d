"""MobileFaceNet as ONNX: 128 numbers that tell people apart. From a publisher's state dict.

Chen, Liu, Gao and Han, MobileFaceNets, 2018, arXiv:1804.07573; weights of
github.com/foamliu/MobileFaceNet, which has ReLU6 in place of PReLU. Takes NCHW RGB / 255, with the
mean and deviation of ImageNet taken off, of faces aligned to ArcFace's 112x112 template.
"""

from __future__ import annotations

import numpy as np

from mien.convert.building.blocks import conv, fold
from mien.convert.building.graph import Graph
from mien.convert.torch.layers import Array, StateDict
from mien.errors import ConversionFailed

# Inverted residual blocks: how many, and the stride of the first of each row; channels are in the file.
_ROWS = ((5, 2), (1, 2), (6, 1), (1, 2), (2, 1))
_LENGTH = 128


def foamliu(data: bytes) -> bytes:
    """Convert `mobilefacenet.pt`.

    Returns:
        ONNX bytes; input `image` `(n, 3, 112, 112)`, output `embedding` `(n, 128)`, of any length.
    """
    state, graph = StateDict(data, "MobileFaceNet of foamliu"), Graph("mobilefacenet")
    x = graph.input("image", ("n", 3, 112, 112))
    kernel, bias = state.convolution("conv1.0", "conv1.1", 3, 3)
    x = _relu6(graph, conv(graph, x, kernel, bias, strides=(2, 2), pads=(1, 1, 1, 1)))
    width = len(kernel)
    x = graph.add(
        "Relu", _depthwise(graph, x, width, state.convolution("dw_conv.depthwise", "dw_conv.bn1", 1, 3))
    )
    kernel, bias = state.convolution("dw_conv.pointwise", "dw_conv.bn2", width, 1)
    x, width = graph.add("Relu", graph.conv(x, kernel, bias)), len(kernel)
    blocks = [stride if i == 0 else 1 for count, stride in _ROWS for i in range(count)]
    for i, stride in enumerate(blocks):
        x, width = _inverted(graph, state, x, width, f"features.{i}.conv", stride)
    kernel, bias = state.convolution("conv2.0", "conv2.1", width, 1)
    x, width = _relu6(graph, graph.conv(x, kernel, bias)), len(kernel)
    x = _depthwise(graph, x, width, state.convolution("gdconv.depthwise", "gdconv.bn", 1, 7), pad=0)
    kernel, bias = state.take("conv3.weight", _LENGTH, width, 1, 1), state.take("conv3.bias", _LENGTH)
    x = graph.conv(x, *fold(kernel, bias, *state.norm("bn", _LENGTH)))
    state.finished()
    return graph.finish({"embedding": graph.add("Flatten", x)}, {"embedding": ("n", _LENGTH)})


def _inverted(graph: Graph, state: StateDict, x: str, width: int, name: str, stride: int) -> tuple[str, int]:
    """Widen, filter each channel, narrow; added to the input where nothing changes size."""
    kernel, bias = state.convolution(f"{name}.0.0", f"{name}.0.1", width, 1)
    inner = _relu6(graph, graph.conv(x, kernel, bias))
    wide = len(kernel)
    inner = _depthwise(graph, inner, wide, state.convolution(f"{name}.1.0", f"{name}.1.1", 1, 3), stride)
    kernel, bias = state.convolution(f"{name}.2", f"{name}.3", wide, 1)
    inner = graph.conv(_relu6(graph, inner), kernel, bias)
    if stride == 1 and len(kernel) == width:
        inner = graph.add("Add", x, inner)
    return inner, len(kernel)


def _depthwise(
    graph: Graph, x: str, width: int, weights: tuple[Array, Array], stride: int = 1, pad: int = 1
) -> str:
    if len(weights[0]) != width:
        raise ConversionFailed(f"A depthwise convolution has {len(weights[0])} channels, not {width}.")
    return conv(graph, x, *weights, strides=(stride, stride), pads=(pad,) * 4, group=width)


def _relu6(graph: Graph, x: str) -> str:
    low, high = (graph.weight(np.array(value, np.float32)) for value in (0, 6))
    return graph.add("Clip", x, low, high)
