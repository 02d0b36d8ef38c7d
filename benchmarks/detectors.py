"""Which detector finds which faces, and how long it takes.

    make bench-detectors

On the photographs of ../shared/data/faces_wild, with the boxes of tests/faces_wild.json: what several
families of detectors agree on, and what they do not agree on, judged by eye. A face is found where IoU is
0.4 or more, because families draw their boxes differently. Drawn faces, faces in print within the picture
and faces that nobody can be sure of are marked and count neither way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dlib
import msgspec
import numpy as np

from mien import Image, Mien, open_image
from mien.models.stage import Stage
from mien.ops.boxes import iou
from mien.ops.warp import resize
from sections import interleaved, pictures_folder, stamp, table, write

FOUND = 0.4
ROUNDS = 3
TIMED = 12
SIDE = 640
TRUTH = Path(__file__).parents[1] / "tests" / "faces_wild.json"
DETECTORS = (
    "yunet", "yunet-2023mar", "scrfd-500m", "scrfd-2.5g", "retinaface", "ultraface", "blazeface", "mtcnn",
    "mmod",
)  # fmt: skip
SEARCHES = ("fast", "tiny", "close", "thorough")

# Boxes xyxy, float `(n, 4)`, of the faces in a picture.
Finder = Callable[[Image], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """What is on a photograph: `faces` and boxes to `ignore`, both `(n, 4)`."""

    faces: np.ndarray
    ignore: np.ndarray


def main() -> None:
    (folder,) = pictures_folder()
    truth = {
        name: Truth(*(np.array(boxes[what], float).reshape(-1, 4) for what in ("faces", "ignore")))
        for name, boxes in json.loads(TRUTH.read_text()).items()
    }
    images = {name: open_image(folder / name) for name in truth}
    small = [shrunk(image) for image in list(images.values())[:: len(images) // TIMED]]
    contestants = contestants_here()
    seconds = interleaved(
        {name: lambda find=find: [find(image) for image in small] for name, find in contestants.items()},
        ROUNDS,
    )
    base = seconds["yunet"]
    rows = []
    for name, find in contestants.items():
        counts = sum(np.array(judged(find(images[photo]), truth[photo])) for photo in truth)
        hits, faces, right, boxes = counts
        rows.append(
            (
                name,
                f"{hits / faces:.1%}",
                f"{right / boxes:.1%}",
                f"{hits} of {faces}",
                boxes - right,
                f"{seconds[name] / len(small) * 1000:.1f}",
                f"{seconds[name] / base:.1f}",
            )
        )
    text = [
        stamp("dlib-bin"),
        "",
        f"{len(images)} photographs in full size; times on {len(small)} of them with a longest side of "
        f"{SIDE}, without decoding. The search is `normal` where none is named.",
        "",
        table(
            (
                "detector",
                "recall",
                "precision",
                "faces",
                "wrong boxes",
                f"ms a picture at {SIDE}",
                "time, yunet = 1",
            ),
            rows,
        ),
    ]
    write("detectors", "\n".join(text))


def contestants_here() -> dict[str, Finder]:
    found = {name: ours(Mien(detector=name).stage(name)) for name in DETECTORS}
    lenient = Mien(detector="mtcnn").stage("mtcnn")
    lenient.facts = msgspec.structs.replace(lenient.facts, thresholds=(0.6, 0.7, 0.7))
    found["mtcnn, 0.7 as published (decision 009)"] = ours(lenient)
    for search in SEARCHES:
        found[f"yunet, {search}"] = ours(Mien(detector="yunet", search=search).stage("yunet"))
    hog = dlib.get_frontal_face_detector()
    found["dlib HOG, not upsampled"] = lambda image: corners(hog(image.rgb, 0))
    return found


def ours(stage: Stage) -> Finder:
    return lambda image: stage([image], [None])[0].box


def corners(rects: dlib.rectangles) -> np.ndarray:
    found = [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rects]
    return np.array(found, float).reshape(-1, 4)


def shrunk(image: Image) -> Image:
    scale = SIDE / max(image.size_wh)
    width, height = (max(1, round(side * scale)) for side in image.size_wh)
    return Image(np.ascontiguousarray(resize(image.rgb, (width, height))))


def judged(boxes: np.ndarray, truth: Truth) -> tuple[int, int, int, int]:
    """Faces found, faces there, boxes that are right, boxes that count."""
    overlap = iou(boxes, truth.faces)
    matched: set[int] = set()
    right = np.zeros(len(boxes), bool)
    # Each face is found once, by the box that fits best.
    for number in np.argsort(-overlap, axis=None):
        box, face = divmod(int(number), max(1, len(truth.faces)))
        if overlap.size and overlap[box, face] >= FOUND and face not in matched and not right[box]:
            matched.add(face)
            right[box] = True
    ignored = iou(boxes, truth.ignore).max(1, initial=0) >= FOUND
    counted = right | ~ignored
    return len(matched), len(truth.faces), int(right.sum()), int(counted.sum())


if __name__ == "__main__":
    main()
