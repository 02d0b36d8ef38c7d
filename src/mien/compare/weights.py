"""Our packs' networks as files that the peers can load: the same weights for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ExtraMissing, ManifestInvalid
from mien.packs.sources import fetch
from mien.packs.store import Pack, PackStore

_ROW = {"score": 1, "bbox": 4, "kps": 10}


def write_weights(store: PackStore, names: Iterable[str], folder: Path) -> None:
    """Write files by the names that contestants know.

    Args:
        store: Where the packs are.
        names: Keys of `FILES`.
        folder: Where to write.

    Raises:
        PackError: A pack is missing or damaged, or cannot be installed here and now.
        ExtraMissing: The package `onnx` is not installed.
    """
    for name in dict.fromkeys(names):
        pack, content = FILES[name]
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(store.ensure(pack)))


def of_one_picture(content: bytes) -> bytes:
    """SCRFD with outputs that have no batch, as the peers' own files are."""
    onnx = _onnx()
    model = onnx.load_from_string(content)
    graph = model.graph
    outputs = list(graph.output)
    del graph.output[:]
    for output in outputs:
        width = _ROW[output.name.split("_")[0]]
        name, rows = f"{output.name}_of_one", f"{output.name}_rows"
        graph.node.append(onnx.helper.make_node("Reshape", [output.name, rows], [name]))
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([-1, width], np.int64), rows))
        shape = [None, width]
        graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    return bytes(model.SerializeToString())


def fed_with(content: bytes, factor: NDArray[np.float32], offset: NDArray[np.float32]) -> bytes:
    """A network that first takes its input times `factor` plus `offset`, each `(3,)`, one per channel."""
    onnx = _onnx()
    model = onnx.load_from_string(content)
    graph = model.graph
    given = graph.input[0].name
    for node in graph.node:
        node.input[:] = ["adapted" if name == given else name for name in node.input]
    for name, value in (("factor", factor), ("offset", offset)):
        array = value.astype(np.float32).reshape(1, 3, 1, 1)
        graph.initializer.append(onnx.numpy_helper.from_array(array, f"adapted_{name}"))
    # InsightFace takes a network whose first nodes are called Sub and Mul for one that wants raw pixels.
    steps = (("Mul", given, "factor", "adapted_scaled"), ("Add", "adapted_scaled", "offset", "adapted"))
    for place, (operator, source, constant, result) in enumerate(steps):
        names = [source, f"adapted_{constant}"]
        node = onnx.helper.make_node(operator, names, [result], f"adapt_{constant}")
        graph.node.insert(place, node)
    return bytes(model.SerializeToString())


def _copy(file: str) -> Callable[[Pack], bytes]:
    return lambda pack: pack.file(file).read_bytes()


def _adapted(mean: float, std: float) -> Callable[[Pack], bytes]:
    """For a program that hands in RGB as `(pixel - mean) / std`, whatever the network wants."""

    def content(pack: Pack) -> bytes:
        wanted = pack.manifest.input
        if wanted is None:
            raise ManifestInvalid(f"{pack.name} does not say how pixels become its input.")
        scale = np.broadcast_to(np.array(wanted.scale, np.float32), 3)
        offset = (mean - np.array(wanted.mean, np.float32)) * scale
        return fed_with(pack.file(pack.manifest.files[0].name).read_bytes(), std * scale, offset)

    return content


def _source(pack: Pack) -> bytes:
    """The file that a pack was made from, for a program that reads its format."""
    return fetch(pack.manifest.sources[0], pack.folder)


def _onnx() -> Any:  # noqa: ANN401 - a module
    try:
        import onnx
    except ImportError as error:
        raise ExtraMissing.of(
            "convert", "Weights are written for the peers by onnx, which is not installed."
        ) from error
    return onnx


# Name of the file: the pack, and how its content is made.
FILES: dict[str, tuple[str, Callable[[Pack], bytes]]] = {
    "scrfd.onnx": ("scrfd-500m", lambda pack: of_one_picture(pack.file("scrfd.onnx").read_bytes())),
    "arcface.onnx": ("mobilefacenet", _adapted(127.5, 127.5)),
    "sface.onnx": ("mobilefacenet", _adapted(0.0, 1.0)),
    "minifasnet.onnx": ("minifasnet", _copy("v2.onnx")),
    "yunet.onnx": ("yunet-2023mar", _copy("yunet.onnx")),
    ".deepface/weights/face_detection_yunet_2023mar.onnx": ("yunet-2023mar", _copy("yunet.onnx")),
    ".deepface/weights/dlib_face_recognition_resnet_model_v1.dat": ("dlib-resnet29", _source),
}
