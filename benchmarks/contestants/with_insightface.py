"""InsightFace as a contestant of benchmarks/peers.py: its FaceAnalysis over a folder of ours."""

import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import cv2
from answering import answer
from insightface.app import FaceAnalysis

task, weights = sys.argv[1], Path(sys.argv[2])
folder = Path(tempfile.mkdtemp())
shutil.copy(weights / "scrfd.onnx", folder)
if task != "detect":
    shutil.copy(weights / "embedder.onnx", folder)
app = FaceAnalysis(name=str(folder), providers=["CPUExecutionProvider"])
app.prepare(ctx_id=-1, det_thresh=0.5, det_size=(640, 640))
answer(
    {"InsightFace": version("insightface")},
    lambda paths: sum(len(app.get(cv2.imread(path))) for path in paths),
)
