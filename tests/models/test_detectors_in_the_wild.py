"""Recall and precision on the photographs that benchmarks/detectors.py measures, every eighth of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from mien import open_image
from mien.ops.boxes import iou

TRUTH = json.loads((Path(__file__).parents[1] / "faces_wild.json").read_text())
# Least shares of faces found and of boxes that are right, some points below what was measured.
LEAST = {
    "yunet": (0.97, 0.97),
    "yunet-2023mar": (0.97, 0.97),
    "scrfd-500m": (0.95, 0.97),
    "retinaface": (0.97, 0.95),
    "mtcnn": (0.93, 0.9),
}


@pytest.mark.parametrize("name", LEAST)
def test_faces_of_the_wild_are_found(name, shared, modern_kit):
    folder = shared("data/faces_wild")
    stage = modern_kit.stage(name)
    found = there = right = boxes = 0
    for photo in sorted(TRUTH)[::8]:
        faces, ignored = (np.array(TRUTH[photo][key], float).reshape(-1, 4) for key in ("faces", "ignore"))
        box = stage([open_image(folder / photo)], [None])[0].box
        overlap = iou(box, faces) >= 0.4
        hit = overlap.any(1)
        there, found = there + len(faces), found + int(overlap.any(0).sum())
        right, boxes = right + int(hit.sum()), boxes + int((hit | ~(iou(box, ignored) >= 0.4).any(1)).sum())
    assert there > 25
    recall, precision = LEAST[name]
    assert found / there >= recall
    assert right / boxes >= precision


def test_the_truth_fits_the_pictures(shared, modern_kit):
    folder = shared("data/faces_wild")
    assert sum(len(marked["faces"]) for marked in TRUTH.values()) == 289
    for photo in sorted(TRUTH)[::8]:
        width, height = open_image(folder / photo).size_wh
        for x1, y1, x2, y2 in TRUTH[photo]["faces"]:
            assert 0 <= (x1 + x2) / 2 <= width
            assert 0 <= (y1 + y2) / 2 <= height
            assert min(x2 - x1, y2 - y1) > 15
