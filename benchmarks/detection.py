"""Which detector of the starter finds which faces.

A face is what at least two of three detectors agree on (IoU over 0.3): dlib's HOG, mmod (whose
boxes are dlib's CNN's, see tests/models/test_mmod.py) and mtcnn.

    make bench-detection
"""

from __future__ import annotations

import dlib
import msgspec
import numpy as np

from mien import Image, Mien, MienError, open_image
from mien.media.images import find_images
from mien.ops.boxes import iou
from sections import pictures_folder, stamp, table, write

AGREE = 0.3
THRESHOLDS = (0.7, 0.8, 0.9, 0.95)


def main() -> None:
    kit = Mien()
    hog = dlib.get_frontal_face_detector()
    mtcnn, mmod = kit.stage("mtcnn"), kit.stage("mmod")
    # Down to the published threshold, so that the table shows what ours leaves out.
    mtcnn.facts = msgspec.structs.replace(mtcnn.facts, thresholds=(0.6, 0.7, min(THRESHOLDS)))
    counts = {name: np.zeros(3, int) for name in ("dlib HOG", "mmod", *(f"mtcnn at {t}" for t in THRESHOLDS))}
    pictures = 0
    for path in find_images(pictures_folder()):
        try:
            image: Image = open_image(path)
        except MienError:
            continue
        pictures += 1
        rects = hog(image.rgb.copy(), 0)
        all_mtcnn = mtcnn([image], [None])[0]
        found = {
            "dlib HOG": np.array([(r.left(), r.top(), r.right(), r.bottom()) for r in rects], float).reshape(
                -1, 4
            ),
            "mmod": mmod([image], [None])[0].box,
        }
        found |= {f"mtcnn at {t}": all_mtcnn.box[all_mtcnn.score >= t] for t in THRESHOLDS}
        truth = agreed([found["dlib HOG"], found["mmod"], all_mtcnn.box])
        for name, boxes in found.items():
            counts[name] += (hits(truth, boxes), len(truth), len(boxes) - hits(boxes, truth))
    rows = [(name, f"{hit / of:.1%}", f"{hit} of {of}", alone) for name, (hit, of, alone) in counts.items()]
    text = [
        stamp("dlib-bin"),
        "",
        f"{pictures} photographs, none upsampled. A face is what two of HOG, mmod and mtcnn agree on; what a "
        "detector finds alone may be a face that the others miss, or a mistake.",
        "",
        table(("detector", "recall", "faces", "found alone"), rows),
    ]
    write("detection", "\n".join(text))


def hits(wanted: np.ndarray, boxes: np.ndarray) -> int:
    """How many of the wanted boxes are found."""
    return int((iou(wanted, boxes).max(1, initial=0) > AGREE).sum()) if len(wanted) else 0


def agreed(votes: list[np.ndarray]) -> np.ndarray:
    """One box for each face that at least two detectors found."""
    kept: list[np.ndarray] = []
    for i, boxes in enumerate(votes):
        for box in boxes:
            others = sum(hits(box[None], other) for j, other in enumerate(votes) if j != i)
            known = kept and iou(box[None], np.array(kept)).max() > AGREE
            if others and not known:
                kept.append(box)
    return np.array(kept).reshape(-1, 4)


if __name__ == "__main__":
    main()
