"""Caffe networks, a prototxt and a caffemodel, as ONNX (Jia et al. 2014, arXiv:1408.5093)."""

from __future__ import annotations

from collections.abc import Sequence

from mien.convert.building.sketch import Shape, Sketch, Unsized, Value
from mien.convert.caffe.layers import Description, Layer, read_layers
from mien.convert.caffe.operators import OPERATORS
from mien.errors import ConversionFailed

# Decoding of detections, which `mien.models` does: the network ends before it.
_ANCHORS = "PriorBox"
_DECODES = frozenset({_ANCHORS, "DetectionOutput", "DetectionEvaluate"})


def network(prototxt: bytes, caffemodel: bytes) -> bytes:
    """Convert a network for deployment, of either version of the format.

    Rows and columns of the input stay free, unless a layer (InnerProduct, for example) ties the network
    to the size that the prototxt declares. PriorBox and DetectionOutput are left out, with all that
    depends on them: what DetectionOutput would read from the network (offsets and class scores) become
    outputs.

    Args:
        prototxt: The description, text.
        caffemodel: The weights.

    Returns:
        ONNX bytes; inputs and outputs are named as the prototxt names its blobs, the batch is free.

    Raises:
        ConversionFailed: A damaged or hostile file, or layers that we do not know; all are named.
        ExtraMissing: The packages of the extra `convert` are not installed.
    """
    description = read_layers(prototxt, caffemodel)
    unknown = sorted({layer.type for layer in description.layers} - OPERATORS.keys() - _DECODES)
    if unknown:
        named = ", ".join(kind[:40] or "(none)" for kind in unknown[:50])
        raise ConversionFailed(f"Caffe layers that are not supported: {named}.")
    try:
        return _build(description, len(caffemodel), free=True)
    except Unsized:
        return _build(description, len(caffemodel), free=False)


def _build(description: Description, source_bytes: int, *, free: bool) -> bytes:
    blobs = _Blobs(Sketch(source_bytes, description.inputs[0].shape[0]))
    for given in description.inputs:
        shape: Shape = (None, *given.shape[1:])
        if free and len(shape) == 4:
            shape = (None, shape[1], None, None)
        blobs.give(given.name, shape)
    for layer in description.layers:
        blobs.compute(layer)
    return blobs.finish(description.name)


class _Blobs:
    """The blobs that exist so far, by name; a layer in place gives a name to another value."""

    def __init__(self, sketch: Sketch) -> None:
        self._sketch = sketch
        self._values: dict[str, Value | None] = {}  # None: only the decoding makes it
        self._unread: dict[str, None] = {}
        self._decoded: dict[str, Value] = {}

    def give(self, name: str, shape: Shape) -> None:
        self._values[name] = self._sketch.input(name, shape)

    def compute(self, layer: Layer) -> None:
        inputs: list[Value | None] = []
        for bottom in layer.bottoms:
            if bottom not in self._values:
                raise ConversionFailed(f"{layer} reads {bottom[:60]!r}, which nothing before it makes.")
            inputs.append(self._values[bottom])
            self._unread.pop(bottom, None)
        known = [x for x in inputs if x is not None]
        results: Sequence[Value | None]
        if layer.type in _DECODES or len(known) < len(inputs):
            results = [None] * len(layer.tops)
            if layer.type != _ANCHORS:
                pairs = zip(layer.bottoms, inputs, strict=True)
                self._decoded |= {name: x for name, x in pairs if x is not None}
        else:
            results = self._run(layer, known)
        for top, result in zip(layer.tops, results, strict=True):
            self._values[top] = result
            self._unread[top] = None

    def finish(self, name: str) -> bytes:
        unread = {blob: self._values[blob] for blob in self._unread}
        computed = {blob: value for blob, value in unread.items() if value is not None}
        return self._sketch.finish(name, computed | self._decoded)

    def _run(self, layer: Layer, inputs: list[Value]) -> Sequence[Value]:
        try:
            results = OPERATORS[layer.type](self._sketch, layer, inputs)
        except ConversionFailed as error:
            raise type(error)(f"{layer}: {str(error)[:300].rstrip('.')}.") from error
        found = [results] if isinstance(results, Value) else results
        if len(found) != len(layer.tops):
            raise ConversionFailed(f"{layer} makes {len(found)} blobs and names {len(layer.tops)}.")
        return found
