"""Reading OpenVINO's intermediate representation: an `.xml` of layers and edges, a `.bin` of weights.

Format: https://docs.openvino.ai, "Intermediate Representation and Operation Sets", versions 10 and 11.
Nothing of the file is believed before it is checked: names of types, edges, offsets and sizes.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConversionFailed

# Sizes of a value; None is a length that the file leaves open.
Shape = tuple[int | None, ...]

# float32 from the start: what is float16 in the file is exact in float32, and Mien computes in it.
_TYPES = {
    "f32": ("<f4", np.float32),
    "f16": ("<f2", np.float32),
    "f64": ("<f8", np.float32),
    "i64": ("<i8", np.int64),
    "i32": ("<i4", np.int32),
    "i16": ("<i2", np.int16),
    "i8": ("i1", np.int8),
    "u64": ("<u8", np.uint64),
    "u32": ("<u4", np.uint32),
    "u16": ("<u2", np.uint16),
    "u8": ("u1", np.uint8),
    "boolean": ("u1", np.bool_),
}
_VERSIONS = ("10", "11")
_LARGEST = 1 << 31


def broken(what: str) -> ConversionFailed:
    """Make the error for a file that contradicts itself."""
    return ConversionFailed(
        f"This OpenVINO network cannot be converted: {what}.",
        hint="Fetch the .xml and .bin again (they belong together), or export the network as ONNX.",
    )


@dataclass(frozen=True, slots=True)
class Source:
    """A value: the layer that computes it, and which of its outputs it is (from 0)."""

    layer: str
    output: int


@dataclass(frozen=True, slots=True)
class Output:
    """What a layer says about one of its outputs; `names` are the training framework's."""

    shape: Shape
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation; `version` is the operation set, such as `opset1`."""

    key: str
    name: str
    kind: str
    version: str
    attributes: Mapping[str, str]
    sources: tuple[Source, ...]
    outputs: tuple[Output, ...]

    def broken(self, what: str) -> ConversionFailed:
        """Make the error that names this layer."""
        return broken(f"layer {self.name[:60]!r} ({self.kind}) {what}")

    def source(self, index: int) -> Source:
        """Where an input comes from."""
        if index >= len(self.sources):
            raise self.broken(f"lacks input {index}")
        return self.sources[index]

    def text(self, attribute: str, default: str | None = None) -> str:
        """An attribute in lower case."""
        value = self.attributes.get(attribute, default)
        if value is None:
            raise self.broken(f"lacks the attribute {attribute!r}")
        return value.strip().lower()

    def flag(self, attribute: str, *, default: bool) -> bool:
        """A truth value."""
        return self.text(attribute, str(default)) in ("true", "1", "yes")

    def integers(self, attribute: str, default: str | None = None, *, least: int = 0) -> list[int]:
        """Whole numbers between commas, none below `least`."""
        return [_integer(part, least) for part in _parts(self.text(attribute, default))]

    def reals(self, attribute: str, default: str | None = None) -> list[float]:
        """Finite numbers between commas."""
        try:
            values = [float(part) for part in _parts(self.text(attribute, default))]
        except ValueError:
            raise self.broken(f"has a malformed {attribute!r}") from None
        if not all(map(math.isfinite, values)):
            raise self.broken(f"has a malformed {attribute!r}")
        return values

    def real(self, attribute: str, default: str | None = None) -> float:
        """One finite number."""
        values = self.reals(attribute, default)
        if len(values) != 1:
            raise self.broken(f"has a malformed {attribute!r}")
        return values[0]


def read_layers(xml: bytes) -> tuple[Layer, ...]:
    """Read the layers that lead to a result, each after those it needs.

    Args:
        xml: The `.xml` file.

    Raises:
        ConversionFailed: Not XML, not this format, or damaged: edges that lead nowhere, cycles.
    """
    root = _parse(xml)
    if root.tag != "net" or root.get("version") not in _VERSIONS:
        found = f"{root.tag[:20]!r}, version {str(root.get('version'))[:20]!r}"
        raise broken(f"expected a <net> of version 10 or 11, found {found}")
    elements: dict[str, ElementTree.Element] = {}
    for element in root.iterfind("layers/layer"):
        if elements.setdefault(element.get("id", ""), element) is not element:
            raise broken(f"two layers have the id {element.get('id', '')[:20]!r}")
    edges = _edges(root, elements)
    layers = {key: _layer(key, element, edges) for key, element in elements.items()}
    return _ordered(layers)


def read_constant(layer: Layer, weights: bytes) -> NDArray[Any]:
    """Cut the array of a `Const` out of the weights.

    Raises:
        ConversionFailed: Unknown type, or the bytes are not there or not as many as the shape needs.
    """
    kind = layer.text("element_type")
    if kind not in _TYPES:
        raise layer.broken(f"has the unknown element type {kind[:20]!r}")
    stored, ours = _TYPES[kind]
    shape = layer.integers("shape")
    (offset, size) = (_integer(layer.text(attribute), 0) for attribute in ("offset", "size"))
    if offset + size > len(weights):
        raise layer.broken("lies outside the file of weights")
    count = math.prod(shape)
    if count * np.dtype(stored).itemsize != size:
        raise layer.broken("has a shape that does not fit its size")
    with np.errstate(over="ignore"):  # float64 that float32 cannot hold
        return np.frombuffer(weights, stored, count, offset).reshape(shape).astype(ours)


def _parse(xml: bytes) -> ElementTree.Element:
    try:
        # UTF-8 whatever the file declares, and nothing that looks like UTF-16, which the parser would
        # follow all the same: so no encoding hides the two words from us.
        text = xml.decode("utf-8")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise broken("document types and entities are not allowed in it")
        if "\0" in text:
            raise broken("its .xml is not text in UTF-8")
        return ElementTree.fromstring(xml, ElementTree.XMLParser(encoding="utf-8"))  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        raise broken("its .xml is not well-formed XML in UTF-8") from None


def _edges(
    root: ElementTree.Element, elements: Mapping[str, ElementTree.Element]
) -> dict[tuple[str, str], Source]:
    """Map every input port to what feeds it."""
    outputs = {
        (key, port.get("id", "")): Source(key, i)
        for key, element in elements.items()
        for i, port in enumerate(element.iterfind("output/port"))
    }
    edges: dict[tuple[str, str], Source] = {}
    for edge in root.iterfind("edges/edge"):
        start = edge.get("from-layer", ""), edge.get("from-port", "")
        end = edge.get("to-layer", ""), edge.get("to-port", "")
        if start not in outputs or end[0] not in elements:
            raise broken(f"an edge from layer {start[0][:20]!r} to {end[0][:20]!r} leads nowhere")
        if end in edges:
            raise broken(f"two edges lead to one input of layer {end[0][:20]!r}")
        edges[end] = outputs[start]
    return edges


def _layer(key: str, element: ElementTree.Element, edges: Mapping[tuple[str, str], Source]) -> Layer:
    name = element.get("name", "")
    sources = []
    for port in element.iterfind("input/port"):
        source = edges.get((key, port.get("id", "")))
        if source is None:
            raise broken(f"an input of layer {name[:60]!r} is not connected")
        sources.append(source)
    data = element.find("data")
    return Layer(
        key,
        name,
        element.get("type", ""),
        element.get("version", ""),
        {} if data is None else data.attrib,
        tuple(sources),
        tuple(_output(port) for port in element.iterfind("output/port")),
    )


def _output(port: ElementTree.Element) -> Output:
    sizes = (_integer(dim.text or "", -1) for dim in port.iterfind("dim"))
    # A comma inside a name is written with a backslash.
    names = re.split(r"(?<!\\),", port.get("names", ""))
    return Output(
        tuple(None if size < 0 else size for size in sizes),
        tuple(name.replace("\\,", ",") for name in names if name),
    )


def _ordered(layers: Mapping[str, Layer]) -> tuple[Layer, ...]:
    """Sort the layers that the results need so that each comes after what it reads."""
    results = [layer.key for layer in layers.values() if layer.kind == "Result"]
    needed = _reachable(layers, results)
    waiting = {key: len(set(layers[key].sources)) for key in needed}
    readers: dict[Source, list[str]] = {}
    for key in needed:
        for source in dict.fromkeys(layers[key].sources):
            readers.setdefault(source, []).append(key)
    keys = list(layers)
    # Of what is ready, the first in the file comes first: results keep their order.
    ready = [position for position, key in enumerate(keys) if waiting.get(key) == 0]
    positions = {key: position for position, key in enumerate(keys)}
    ordered = []
    while ready:
        layer = layers[keys[heapq.heappop(ready)]]
        ordered.append(layer)
        for i in range(len(layer.outputs)):
            for reader in readers.get(Source(layer.key, i), ()):
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    heapq.heappush(ready, positions[reader])
    if len(ordered) != len(needed):
        raise broken("its layers form a cycle")
    return tuple(ordered)


def _reachable(layers: Mapping[str, Layer], starts: Iterable[str]) -> dict[str, None]:
    found = dict.fromkeys(starts)
    pending = list(found)
    while pending:
        for source in layers[pending.pop()].sources:
            if source.layer not in found:
                found[source.layer] = None
                pending.append(source.layer)
    return found


def uses(layers: Iterable[Layer]) -> Counter[Source]:
    """Count how many inputs read each value."""
    return Counter(source for layer in layers for source in layer.sources)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


def _integer(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise broken(f"{text[:20]!r} should be a whole number") from None
    if not least <= value < _LARGEST:
        raise broken(f"the number {value} is out of range")
    return value
