"""face_recognition as a contestant, with the weights that it brings and settings as they come."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from typing import Any

warnings.filterwarnings("ignore", message="pkg_resources")

import dlib  # noqa: E402
import face_recognition  # noqa: E402


class Contestant:
    """Its HOG detector, or with `model` "cnn" its network, and its encoder."""

    threshold = 0.6  # the default of compare_faces

    def __init__(self, options: dict[str, Any]) -> None:
        self._model, self._embeds = options["model"], options["task"] != "find"
        self.versions = {"face_recognition": version("face_recognition"), "dlib": dlib.__version__}

    def look_at(self, path: str) -> Any:  # noqa: ANN401 - see answering.py
        """Size, boxes and vectors."""
        try:
            image = face_recognition.load_image_file(path)
        except (OSError, ValueError):
            return (0, 0), (), ()
        places = face_recognition.face_locations(image, model=self._model)
        vectors = face_recognition.face_encodings(image, places) if self._embeds else []
        boxes = [(left, top, right, bottom) for top, right, bottom, left in places]
        return image.shape[1::-1], boxes, vectors

    def distance(self, a: Any, b: Any) -> float:  # noqa: ANN401 - arrays
        """Euclidean distance."""
        return float(face_recognition.face_distance([a], b)[0])
