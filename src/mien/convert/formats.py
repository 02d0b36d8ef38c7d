"""Which converter a file of the user's wants, by the suffixes of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.errors import ConversionFailed


@dataclass(frozen=True, slots=True)
class Format:
    """A file format of networks.

    Attributes:
        name: For people.
        parts: Suffixes that each of its files may have, in the converter's order.
        convert: Name of the converter (`mien.convert.table`).
    """

    name: str
    parts: tuple[tuple[str, ...], ...]
    convert: str


FORMATS: tuple[Format, ...] = (
    Format("ONNX", ((".onnx",),), "onnx"),
    Format("OpenVINO IR", ((".xml",), (".bin",)), "openvino"),
    Format("Caffe", ((".prototxt",), (".caffemodel",)), "caffe"),
    Format("MXNet", ((".json",), (".params",)), "mxnet"),
    Format("Keras HDF5", ((".h5", ".hdf5", ".keras"),), "keras"),
    Format("TensorFlow Lite", ((".tflite",),), "tflite"),
    Format("TensorFlow frozen graph", ((".pb",),), "tf-graph"),
)

# They hold weights without saying how these are connected.
_WEIGHTS_ONLY = frozenset({".pt", ".pth", ".npz", ".safetensors", ".dat"})


def find_parts(paths: Sequence[Path]) -> tuple[Format, tuple[Path, ...]]:
    """Recognise a format and put its files in order.

    Of a format in several files one is enough if the others lie beside it under the same name.

    Raises:
        ConversionFailed: Unknown suffix, a part is missing, or files that do not belong together.
    """
    for kind in FORMATS:
        found = [_part(paths, suffixes) for suffixes in kind.parts]
        if not any(path in paths for path in found if path):
            continue
        if None in found:
            missing = ", ".join(
                parts[0] for parts, path in zip(kind.parts, found, strict=True) if path is None
            )
            raise ConversionFailed(
                f"{kind.name} comes in {len(kind.parts)} files; the one ending in {missing} is not there.",
                hint="Put it beside the other under the same name, or name both.",
            )
        if strangers := [str(path) for path in paths if path not in found]:
            raise ConversionFailed(f"{', '.join(strangers)} does not belong to a network in {kind.name}.")
        return kind, tuple(path for path in found if path)
    known = ", ".join(suffix for kind in FORMATS for part in kind.parts for suffix in part)
    if any(path.suffix.lower() in _WEIGHTS_ONLY for path in paths):
        raise ConversionFailed(
            f"{paths[0].name} holds weights, but not how they are connected.",
            hint="Name the network with --converter (mien convert --help), or export it as ONNX.",
        )
    raise ConversionFailed(f"No format is known for {paths[0].name}.", hint=f"Known suffixes: {known}.")


def _part(paths: Sequence[Path], suffixes: tuple[str, ...]) -> Path | None:
    """The path with one of the suffixes: among those given, or beside them."""
    for path in paths:
        if path.suffix.lower() in suffixes:
            return path
    # MXNet calls its files name-symbol.json and name-0000.params.
    stems = {path.stem.removesuffix("-symbol").rsplit("-0", 1)[0] for path in paths}
    beside = sorted(
        other
        for path in paths
        if path.parent.is_dir()
        for other in path.parent.iterdir()
        if other.suffix.lower() in suffixes and other.stem.removesuffix("-symbol").rsplit("-0", 1)[0] in stems
    )
    return beside[0] if len(beside) == 1 else None
