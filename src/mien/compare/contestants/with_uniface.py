"""UniFace as a contestant. It finds weights by name and fetches them, so we find them for it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import onnxruntime
import uniface.detection.scrfd
import uniface.recognition.arcface
import uniface.spoofing.minifasnet
from uniface.face_utils import compute_similarity

_FILES = {
    uniface.detection.scrfd: "scrfd.onnx",
    uniface.recognition.arcface: "arcface.onnx",
    uniface.spoofing.minifasnet: "minifasnet.onnx",
}


class Contestant:
    """Detector, embedder and judge of liveness, as far as they are asked for."""

    threshold = None

    def __init__(self, options: dict[str, Any]) -> None:
        cv2.setNumThreads(options["threads"])
        onnxruntime.SessionOptions = _options_of(options["threads"])
        for module, file in _FILES.items():
            path = str(Path(options["weights"]) / file)
            module.verify_model_weights = lambda *_, path=path, **__: path
        cpu, task = ["CPUExecutionProvider"], options["task"]
        self._detector = uniface.detection.scrfd.SCRFD(providers=cpu)
        self._embedder = uniface.recognition.arcface.ArcFace(providers=cpu) if task != "find" else None
        self._judge = uniface.spoofing.minifasnet.MiniFASNet(providers=cpu) if task == "live" else None
        self.versions = {
            "UniFace": version("uniface"),
            "onnxruntime": onnxruntime.__version__,
            "OpenCV": cv2.__version__,
        }

    def look_at(self, path: str) -> Any:  # noqa: ANN401 - see answering.py
        """Size, boxes and vectors."""
        image = cv2.imread(path)
        if image is None:
            return (0, 0), (), ()
        faces = self._detector.detect(image)
        vectors = []
        for face in faces:
            if self._embedder:
                vectors.append(self._embedder.get_normalized_embedding(image, face.landmarks))
            if self._judge:
                self._judge.predict(image, face.bbox)
        return image.shape[1::-1], [face.bbox for face in faces], vectors

    def distance(self, a: Any, b: Any) -> float:  # noqa: ANN401 - arrays
        """Cosine distance."""
        return 1 - float(compute_similarity(a, b, normalized=True))


def _options_of(threads: int) -> type:
    """Session options that have a number of threads: UniFace makes its own and cannot be told."""

    class Options(onnxruntime.SessionOptions):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.intra_op_num_threads = threads

    return Options
