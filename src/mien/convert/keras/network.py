"""Keras networks as ONNX, from the HDF5 files that `model.save("net.h5")` writes.

The file holds the architecture as JSON in an attribute and the weights as datasets, one group per
layer. Keras 1, 2 and 3 spell both differently. HDF5 can point at other files and claim sizes that
it does not hold: what is not a plain array within the file is refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mien.convert.building.channels_last import Network, Value
from mien.convert.building.graph import Array, Graph
from mien.convert.keras.layers import unsupported, write
from mien.errors import ConversionFailed, ExtraMissing

if TYPE_CHECKING:
    import h5py


class _Model(msgspec.Struct, frozen=True):
    class_name: str
    config: Any


class _Layer(msgspec.Struct, frozen=True):
    class_name: str
    config: dict[str, Any]
    inbound_nodes: list[Any] = []


class _Layers(msgspec.Struct, frozen=True):
    layers: list[_Layer]
    output_layers: list[Any] = []


@dataclass(frozen=True)
class _Plan:
    """The architecture: layers in the order of the file, what each takes, and which are handed out."""

    layers: dict[str, _Layer]
    sources: dict[str, list[str]]
    outputs: list[str]


def network(h5: bytes) -> bytes:
    """Convert a Keras model of the Sequential or functional kind.

    Returns:
        ONNX bytes. Pictures go in as float32 NCHW; inputs and outputs are called as their layers.
        Outputs keep Keras' shapes, so that maps come out as `(n, h, w, channels)`.

    Raises:
        ConversionFailed: Damaged, without an architecture, or with layers that are not supported
            (all are named).
        ExtraMissing: The package h5py or onnx is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise ExtraMissing.of("convert", "Reading Keras files needs the package h5py.") from error
    try:
        _check_heaps(h5)
        with h5py.File(io.BytesIO(h5), "r") as file:
            plan = _plan(_architecture(file))
            order = list(TopologicalSorter(plan.sources).static_order())
            _check_supported(plan)
            weights = _weights(file, plan, len(h5))
    # What h5py, json and msgspec raise, and what comes of text where a number is expected.
    except (OSError, KeyError, ValueError, TypeError, AttributeError, OverflowError, RuntimeError) as error:
        raise ConversionFailed(
            f"Not a Keras model in HDF5: {error}.",
            hint='Mien reads what model.save("net.h5") writes; compare the sha256 with the publisher\'s.',
        ) from error
    # Folding may copy a kernel a few times before it is written.
    net = Network(Graph("keras"), 16 * len(h5) + (16 << 20), frozenset(plan.outputs))
    values: dict[str, Value] = {}
    for name in order:
        layer, inputs = plan.layers[name], [values[source] for source in plan.sources[name]]
        try:
            values[name] = write(layer.class_name, layer.config, net, weights[name], inputs)
        except (ConversionFailed, msgspec.ValidationError) as error:
            raise ConversionFailed(f"{layer.class_name} {name}: {error}") from error
    return net.finish({name: values[name] for name in plan.outputs})


def _check_heaps(data: bytes) -> None:
    """Refuse damaged heaps of texts, on which the HDF5 library (2.0) may spend seconds, or for ever.

    A heap begins with GCOL, a version u8, 3 zeros and its length u64. In it follow each other
    objects: number u16, 6 bytes, length u64, content padded to 8. The number 0 is the gap that fills
    the rest, whose length counts its own 16 bytes.
    """
    start = data.find(b"GCOL\1\0\0\0")
    while start != -1:
        at, end = start + 16, start + int.from_bytes(data[start + 8 : start + 16], "little")
        while at + 16 <= min(end, len(data)):
            number = int.from_bytes(data[at : at + 2], "little")
            length = int.from_bytes(data[at + 8 : at + 16], "little")
            if not number and at + length != end:
                break
            at += 16 + (length + 7) // 8 * 8 if number else length
        if not end - 16 < at <= end <= len(data):
            raise ValueError("a heap of texts is damaged")
        start = data.find(b"GCOL\1\0\0\0", start + 16)


def _architecture(file: h5py.File) -> _Model:
    if "model_config" not in file.attrs:
        raise ConversionFailed(
            "This HDF5 file has no model_config: it is no Keras model, or holds weights only.",
            hint='Ask the publisher for a file saved with model.save("net.h5"), which has the architecture.',
        )
    if _texts(file, "backend") == ["theano"]:
        raise ConversionFailed("This Keras model was trained with Theano, whose kernels are turned around.")
    architecture = json.loads(_texts(file, "model_config")[0])
    json.dumps(architecture, ensure_ascii=False).encode()  # halves of characters cannot become names
    return msgspec.convert(architecture, _Model)


def _texts(node: h5py.Group, name: str) -> list[str]:
    """Read an attribute of one text or several; none if it is missing.

    The type is checked first: the HDF5 library crashes on some damaged ones.
    """
    import h5py

    if name not in node.attrs or 0 in node.attrs.get_id(name).shape:  # an empty list is of some type
        return []
    if h5py.check_string_dtype(node.attrs.get_id(name).dtype) is None:
        raise TypeError(f"{name} is no text")
    found = np.ravel(np.asarray(node.attrs[name], object))
    return [text if isinstance(text, str) else bytes(text).decode() for text in found]


def _plan(model: _Model) -> _Plan:
    if model.class_name not in ("Sequential", "Model", "Functional"):
        raise ConversionFailed(f"A Keras model of the class {model.class_name} has no architecture to read.")
    # The Sequential of Keras 1 is a bare list.
    config = {"layers": model.config} if isinstance(model.config, list) else model.config
    described = msgspec.convert(config, _Layers)
    layers = {str(layer.config["name"]): layer for layer in described.layers}
    if len(layers) != len(described.layers) or not layers:
        raise ConversionFailed("A Keras model without layers, or with two of the same name.")
    if model.class_name == "Sequential":
        return _sequential(layers)
    shared = sorted(name for name, layer in layers.items() if len(layer.inbound_nodes) > 1)
    if shared:
        raise ConversionFailed(f"Layers that are used more than once are not supported: {', '.join(shared)}.")
    sources = {name: list(_references(layer.inbound_nodes)) for name, layer in layers.items()}
    outputs = list(dict.fromkeys(_references(described.output_layers)))
    missing = {*outputs, *(source for each in sources.values() for source in each)} - set(layers)
    if missing or not outputs:
        raise ConversionFailed(f"The architecture names layers that do not exist: {sorted(missing)}.")
    return _Plan(layers, sources, outputs)


def _sequential(layers: dict[str, _Layer]) -> _Plan:
    names = list(layers)
    if layers[names[0]].class_name != "InputLayer":
        # Keras makes an input of its own for the first layer, and calls it so.
        first = f"{names[0]}_input"
        told = {key: layers[names[0]].config.get(key) for key in ("batch_input_shape", "batch_shape")}
        layers = {first: _Layer("InputLayer", {"name": first, **told}), **layers}
        names.insert(0, first)
    sources = {name: names[i - 1 : i] if i else [] for i, name in enumerate(names)}
    return _Plan(layers, sources, names[-1:])


def _references(node: object) -> Iterator[str]:
    """Find the layers that some JSON refers to: `[name, node, tensor, ...]`, or Keras 3's histories."""
    if isinstance(node, dict):
        history = node.get("keras_history")
        yield from [history[0]] if history else _references(list(node.values()))
    elif isinstance(node, list):
        if len(node) >= 3 and isinstance(node[0], str) and type(node[1]) is int:
            yield node[0]
        else:
            for inner in node:
                yield from _references(inner)


def _check_supported(plan: _Plan) -> None:
    found = {what for layer in plan.layers.values() for what in unsupported(layer.class_name, layer.config)}
    if found:
        raise ConversionFailed(
            f"This Keras model uses what is not supported: {', '.join(sorted(found))}.",
            hint="If you can run Keras, export the model to ONNX with tf2onnx.",
        )


def _weights(file: h5py.File, plan: _Plan, limit: int) -> dict[str, tuple[Array, ...]]:
    """Read every layer's arrays, in the layer's own order."""
    root = _inside(file, "model_weights") if "model_weights" in file else file
    read: dict[str, tuple[Array, ...]] = {}
    for layer in plan.layers:
        arrays = []
        group = _inside(root, layer) if layer in root else None
        for name in [] if group is None else _texts(group, "weight_names"):
            dataset = _inside(group, name)
            limit -= dataset.nbytes
            if limit < 0 or dataset.id.get_storage_size() < dataset.nbytes:
                raise ConversionFailed(f"The weights of {layer} claim more than the file holds.")
            if dataset.external or dataset.is_virtual or dataset.dtype.kind != "f":
                raise ConversionFailed(f"The weights of {layer} are no plain array of fractions.")
            array = np.asarray(dataset[()], np.float32)
            if not np.isfinite(array).all():
                raise ConversionFailed(f"The weights of {layer} are not finite.")
            arrays.append(array)
        read[layer] = tuple(arrays)
    return read


def _inside(group: h5py.Group, path: str) -> Any:  # noqa: ANN401 - a group or a dataset
    """Follow a path by hard links only: soft and external ones lead elsewhere, even to other files."""
    import h5py

    for part in path.split("/"):
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise ConversionFailed(f"The weights {path!r} are a link to somewhere else.")
        group = group[part]
    return group
