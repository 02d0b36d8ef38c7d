"""MiniFASNet as ONNX: is the face before the camera alive? From the publisher's state dicts.

Minivision, Silent-Face-Anti-Spoofing, 2020 (github.com/minivision-ai/Silent-Face-Anti-Spoofing): a
pruned MobileFaceNet. Both take NCHW BGR in 0..255; of the softmax of `score` the second is the chance
of a live face, the first and third are two kinds of fakes.
"""

from __future__ import annotations

import numpy as np

from mien.convert.building.blocks import conv, prelu
from mien.convert.building.graph import Graph
from mien.convert.torch.layers import StateDict
from mien.errors import ConversionFailed

_SIZE = 80
_CLASSES = 3
# Stages: a block that halves the plane, then this many with a shortcut.
_STAGES = (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6), ("conv_45", "conv_5", 2))


def v2(data: bytes) -> bytes:
    """Convert `2.7_80x80_MiniFASNetV2.pth`.

    Returns:
        ONNX bytes; input `image` `(n, 3, 80, 80)`, output `score` `(n, 3)`, before the softmax.
    """
    return _network(data, "MiniFASNetV2", squeezed=False)


def v1se(data: bytes) -> bytes:
    """Convert `4_0_0_80x80_MiniFASNetV1SE.pth`, whose stages end with squeeze and excitation.

    Returns:
        ONNX bytes; input `image` `(n, 3, 80, 80)`, output `score` `(n, 3)`, before the softmax.
    """
    return _network(data, "MiniFASNetV1SE", squeezed=True)


def _network(data: bytes, name: str, *, squeezed: bool) -> bytes:
    layers = _Layers(StateDict(data, name), Graph(name))
    graph = layers.graph
    x = graph.input("image", ("n", 3, _SIZE, _SIZE))
    x = layers.activated(x, "conv1", size=3, stride=2, channels=3)
    x = layers.activated(x, "conv2_dw", size=3)
    for halving, stage, count in _STAGES:
        x = layers.block(x, halving, stride=2)
        for i in range(count):
            inner = layers.block(x, f"{stage}.model.{i}")
            if squeezed and i == count - 1:
                inner = layers.squeeze(inner, f"{stage}.model.{i}.se_module")
            x = graph.add("Add", x, inner)
    x = layers.activated(x, "conv_6_sep")
    x = layers.conv(x, "conv_6_dw", size=_SIZE // 16, pad=0)
    score = layers.classes(graph.add("Flatten", x))
    layers.state.finished()
    return graph.finish({"score": score}, {"score": ("n", _CLASSES)})


class _Layers:
    """Lays out layers by their names in the state dict; keeps count of the channels."""

    def __init__(self, state: StateDict, graph: Graph) -> None:
        self.state = state
        self.graph = graph
        self._channels = 3

    def conv(
        self,
        x: str,
        name: str,
        *,
        size: int = 1,
        stride: int = 1,
        pad: int | None = None,
        channels: int | None = None,
    ) -> str:
        """Convolution and normalisation: over all channels if 1x1 or told how many, else depthwise."""
        dense = size == 1 or channels is not None
        width = self._channels if dense else 1
        kernel, bias = self.state.convolution(f"{name}.conv", f"{name}.bn", width, size)
        if not dense and len(kernel) != self._channels:
            raise ConversionFailed(f"{name} has {len(kernel)} channels, not {self._channels}.")
        self._channels = len(kernel)
        pads = (size // 2 if pad is None else pad,) * 4
        group = 1 if dense else len(kernel)
        return conv(self.graph, x, kernel, bias, strides=(stride, stride), pads=pads, group=group)

    def activated(
        self, x: str, name: str, *, size: int = 1, stride: int = 1, channels: int | None = None
    ) -> str:
        """Convolution, normalisation and PReLU."""
        x = self.conv(x, name, size=size, stride=stride, channels=channels)
        return prelu(self.graph, x, self.state.take(f"{name}.prelu.weight", self._channels))

    def block(self, x: str, name: str, stride: int = 1) -> str:
        """Widen, filter each channel, narrow."""
        x = self.activated(x, f"{name}.conv")
        x = self.activated(x, f"{name}.conv_dw", size=3, stride=stride)
        return self.conv(x, f"{name}.project")

    def squeeze(self, x: str, name: str) -> str:
        """Squeeze and excitation: scale each channel by what all channels' means say (arXiv:1709.01507)."""
        graph, width = self.graph, self._channels
        first = self.state.convolution(f"{name}.fc1", f"{name}.bn1", width, 1)
        second = self.state.convolution(f"{name}.fc2", f"{name}.bn2", len(first[0]), 1)
        inner = graph.add("Relu", graph.conv(graph.add("GlobalAveragePool", x), *first))
        return graph.add("Mul", x, graph.add("Sigmoid", graph.conv(inner, *second)))

    def classes(self, x: str) -> str:
        """Embedding, normalisation and classes: with nothing between them, they are one matrix."""
        embed = self.state.take("linear.weight", 0, self._channels).astype(np.float64)
        scale, shift = self.state.norm("bn", len(embed))
        classify = self.state.take("prob.weight", _CLASSES, len(embed)).astype(np.float64)
        matrix = (classify @ (scale[:, None] * embed)).T.astype(np.float32)
        return self.graph.gemm(x, matrix, (classify @ shift).astype(np.float32))
