"""OpenCV as a contestant: FaceDetectorYN and FaceRecognizerSF with their own thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2


class Contestant:
    """YuNet, and any network that wants SFace's aligned crop with pixels of 0 to 255."""

    threshold = None  # the 0.363 of its samples is meant for the weights of SFace

    def __init__(self, options: dict[str, Any]) -> None:
        weights = Path(options["weights"])
        cv2.setNumThreads(options["threads"])
        self._detector = cv2.FaceDetectorYN.create(str(weights / "yunet.onnx"), "", (320, 320))
        self._embedder = cv2.FaceRecognizerSF.create(str(weights / "sface.onnx"), "")
        self._embeds = options["task"] != "find"
        self.versions = {"OpenCV": cv2.__version__}

    def look_at(self, path: str) -> Any:  # noqa: ANN401 - see answering.py
        """Size, boxes and vectors."""
        image = cv2.imread(path)
        if image is None:
            return (0, 0), (), ()
        size_wh = image.shape[1::-1]
        self._detector.setInputSize(size_wh)
        faces = self._detector.detect(image)[1]
        if faces is None:
            return size_wh, (), ()
        chips = (self._embedder.alignCrop(image, face) for face in faces if self._embeds)
        # A copy: the next call writes where this one's answer is.
        vectors = [self._embedder.feature(chip).copy() for chip in chips]
        return size_wh, [(x, y, x + w, y + h) for x, y, w, h in faces[:, :4]], vectors

    def distance(self, a: Any, b: Any) -> float:  # noqa: ANN401 - arrays
        """Cosine distance."""
        return 1 - float(self._embedder.match(a, b, cv2.FaceRecognizerSF_FR_COSINE))
