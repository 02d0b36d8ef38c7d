"""InsightFace as a contestant: its FaceAnalysis over a folder of our ONNX files, settings as they come."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from insightface.app import FaceAnalysis


class Contestant:
    """Detector and, unless faces are only to be found, embedder."""

    threshold = None

    def __init__(self, options: dict[str, Any]) -> None:
        session = onnxruntime.SessionOptions()
        session.intra_op_num_threads = options["threads"]
        cv2.setNumThreads(options["threads"])
        # It takes every network of a folder, whatever it does.
        folder = tempfile.mkdtemp(dir=options["weights"])
        for name in ("scrfd.onnx", "arcface.onnx")[: 1 if options["task"] == "find" else 2]:
            shutil.copy(Path(options["weights"]) / name, folder)
        self._app = FaceAnalysis(name=folder, providers=["CPUExecutionProvider"], sess_options=session)
        self._app.prepare(ctx_id=-1)
        self._embeds = "recognition" in self._app.models
        self.versions = {
            "InsightFace": version("insightface"),
            "onnxruntime": onnxruntime.__version__,
            "OpenCV": cv2.__version__,
        }

    def look_at(self, path: str) -> Any:  # noqa: ANN401 - see answering.py
        """Size, boxes and vectors."""
        image = cv2.imread(path)
        if image is None:
            return (0, 0), (), ()
        faces = self._app.get(image)
        vectors = [face.normed_embedding for face in faces] if self._embeds else []
        return image.shape[1::-1], [face.bbox for face in faces], vectors

    def distance(self, a: Any, b: Any) -> float:  # noqa: ANN401 - arrays
        """Cosine distance."""
        return 1 - float(np.dot(a, b))
