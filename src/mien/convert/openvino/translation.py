"""From values of an OpenVINO network to values of the ONNX network that is being written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np

from mien.convert.building.graph import Graph
from mien.convert.openvino.fold import Constant, axes_of
from mien.convert.openvino.ir import Layer, Shape, Source, broken, uses


class Translation:
    """A network on its way from layers to operators: which value of the file is which of ONNX's."""

    def __init__(self, graph: Graph, layers: Iterable[Layer], constants: Mapping[Source, Constant]) -> None:
        self.graph = graph
        self.constants = constants
        self.names: dict[Source, str] = {}
        self._layers = tuple(layers)
        self._shapes = {
            Source(layer.key, i): output.shape
            for layer in self._layers
            for i, output in enumerate(layer.outputs)
        }
        self._uses: Counter[Source] = uses(self._layers)
        self._readers = {source: layer for layer in self._layers for source in layer.sources}

    def name(self, source: Source) -> str:
        """The ONNX name of a value; a constant is stored when it is first asked for."""
        if source not in self.names:
            if source not in self.constants:
                raise broken(f"output {source.output} of layer {source.layer[:20]!r} is not supported")
            array = self.constants[source]
            self.names[source] = self.graph.weight(
                array.astype(np.float32) if array.dtype.kind == "f" else array
            )
        return self.names[source]

    def x(self, layer: Layer, index: int = 0) -> str:
        """The ONNX name of an input."""
        return self.name(layer.source(index))

    def constant(self, layer: Layer, index: int) -> Constant:
        """An input that must be known beforehand."""
        source = layer.source(index)
        if source not in self.constants:
            raise layer.broken(f"computes its input {index}; only constants are supported there")
        return self.constants[source]

    def shape(self, source: Source) -> Shape:
        """Sizes of a value, as the file has them or, for a constant, as they are."""
        array = self.constants.get(source)
        return self._shapes[source] if array is None else array.shape

    def rank(self, layer: Layer, index: int = 0) -> int:
        """Number of dimensions of an input."""
        return len(self.shape(layer.source(index)))

    def axes(self, layer: Layer, axes: Constant | int, rank: int | None = None) -> list[int]:
        """Axes counted from the front, none of them the batch."""
        found = axes_of(np.asarray(axes), self.rank(layer) if rank is None else rank)
        if 0 in found and layer.source(0) not in self.constants:
            raise layer.broken("works across the pictures of a batch")
        return found

    def only_reader(self, source: Source) -> Layer | None:
        """The layer that reads a value, if there is one alone."""
        return self._readers[source] if self._uses[source] == 1 else None

    def indices(self, values: Iterable[int]) -> str:
        """Store integers."""
        return self.graph.weight(np.array(list(values), np.int64))

    def scalar(self, value: float) -> str:
        """Store a number."""
        return self.graph.weight(np.array(value, np.float32))


# Writes one layer and returns the name of its output, or of all of them.
Operator: TypeAlias = Callable[[Translation, Layer], str | list[str]]


def known(layer: Layer, sizes: Shape) -> list[int]:
    """Return sizes that an operator must know.

    Raises:
        ConversionFailed: The file leaves one open.
    """
    if any(size is None for size in sizes):
        raise layer.broken("needs to know a size which the file leaves open")
    return [size for size in sizes if size is not None]
