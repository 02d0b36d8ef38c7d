"""DeepFace as a contestant: YuNet and dlib's encoder, loaded from a folder as if it had fetched them."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

import cv2
import dlib

_DETECTOR, _EMBEDDER = "yunet", "Dlib"


class Contestant:
    """`DeepFace.represent` with its own defaults otherwise."""

    def __init__(self, options: dict[str, Any]) -> None:
        os.environ["DEEPFACE_HOME"] = options["weights"]  # read when it is imported
        cv2.setNumThreads(options["threads"])
        from deepface import DeepFace
        from deepface.modules import exceptions, verification

        self._deepface, self._no_face = DeepFace, (exceptions.FaceNotDetected, exceptions.ImgNotFound)
        self._find_distance = verification.find_distance
        self._embeds = options["task"] != "find"
        self.threshold = verification.find_threshold(_EMBEDDER, "cosine")
        self.versions = {
            "DeepFace": version("deepface"),
            "dlib": dlib.__version__,
            "OpenCV": cv2.__version__,
        }
        # Opens the networks.
        DeepFace.build_model(_EMBEDDER)
        DeepFace.build_model(_DETECTOR, task="face_detector")

    def look_at(self, path: str) -> Any:  # noqa: ANN401 - see answering.py
        """Size, boxes and vectors."""
        image = cv2.imread(path)
        if image is None:
            return (0, 0), (), ()
        try:
            if self._embeds:
                faces = self._deepface.represent(image, _EMBEDDER, detector_backend=_DETECTOR)
            else:
                faces = self._deepface.extract_faces(image, _DETECTOR)
        except self._no_face:
            faces = []
        areas = [face["facial_area"] for face in faces]
        boxes = [(area["x"], area["y"], area["x"] + area["w"], area["y"] + area["h"]) for area in areas]
        return image.shape[1::-1], boxes, [face["embedding"] for face in faces if self._embeds]

    def distance(self, a: Any, b: Any) -> float:  # noqa: ANN401 - lists
        """Cosine distance, its default."""
        return float(self._find_distance(a, b, "cosine"))
