"""UniFace as a contestant of benchmarks/peers.py; its weights are found by name, so we find them."""

import sys
from importlib.metadata import version
from pathlib import Path

import cv2
import uniface.detection.scrfd
import uniface.recognition.base
import uniface.spoofing.minifasnet
from answering import answer

task, weights = sys.argv[1], Path(sys.argv[2])
uniface.detection.scrfd.verify_model_weights = lambda *_, **__: str(weights / "scrfd.onnx")
uniface.spoofing.minifasnet.verify_model_weights = lambda *_, **__: str(weights / "minifasnet.onnx")
uniface.recognition.arcface.verify_model_weights = lambda *_, **__: str(weights / "embedder.onnx")

cpu = ["CPUExecutionProvider"]
detector = uniface.detection.scrfd.SCRFD(providers=cpu)
embedder = uniface.recognition.arcface.ArcFace(providers=cpu) if task != "detect" else None
judge = uniface.spoofing.minifasnet.MiniFASNet(providers=cpu) if task == "live" else None


def look(paths: list[str]) -> int:
    return sum(map(look_at, paths))


def look_at(path: str) -> int:
    image = cv2.imread(path)
    faces = detector.detect(image)
    for face in faces:
        if embedder:
            embedder.get_normalized_embedding(image, face.landmarks)
        if judge:
            judge.predict(image, face.bbox)
    return len(faces)


answer({"UniFace": version("uniface")}, look)
