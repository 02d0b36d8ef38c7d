"""Boxes that a detector gave against the faces that are there.

Boxes are matched as COCO does (T.-Y. Lin et al.: Microsoft COCO, ECCV 2014), by pycocotools: the best box
first, each takes the free face that it overlaps most, if by enough. What lies mostly within an ignored box,
by its own area, counts neither way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.image import describe
from mien.errors import BadRequest, ExtraMissing

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

# Intersection over union that COCO's average precision is averaged over.
COCO_RANGE = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
_RECALLS = np.linspace(0, 1, 101)
_FACE = 1  # pycocotools wants a number for a category


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """What is on one photograph, in pixels of the upright original.

    Attributes:
        faces: `(n, 4)` float64 xyxy, edges, as in `Faces.box`.
        ignored: `(m, 4)` float64 xyxy: faces nobody has to find, and regions full of them.
    """

    faces: Floats
    ignored: Floats

    def __post_init__(self) -> None:
        for name in ("faces", "ignored"):
            object.__setattr__(self, name, _boxes(getattr(self, name), f"Marked.{name}"))
        if (self.faces[:, 2:] <= self.faces[:, :2]).any():
            raise BadRequest("A marked face has no area.", hint="Leave it out: nobody can find it.")


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What a detector gave for one photograph: `box` `(n, 4)` float64 xyxy and `score` `(n,)`."""

    box: Floats
    score: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", _boxes(self.box, "Detected.box"))
        score = np.asarray(self.score, np.float64)
        if score.shape != (len(self.box),) or not np.isfinite(score).all():
            raise BadRequest(f"Detected.score wants {len(self.box)} finite numbers, got {describe(score)}.")
        object.__setattr__(self, "score", score)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Which boxes are right, for T least overlaps, over all photographs.

    Attributes:
        score: `(d,)` of the boxes, falling.
        right: `(T, d)` the box is on a face that no better box has taken.
        counted: `(T, d)` the box counts: it is right or wrong, not on something ignored.
        found: `(T, n)` the face was found by some box.
        height: `(n,)` of the faces in pixels.
        photos: How many photographs there are.
    """

    score: Floats
    right: Flags
    counted: Flags
    found: Flags
    height: Floats
    photos: int


def match_boxes(
    marked: Sequence[Marked], detected: Sequence[Detected], overlaps: Sequence[float] = COCO_RANGE
) -> Matches:
    """Match the boxes of each photograph with its faces.

    Args:
        marked: What is on each photograph.
        detected: What was found on each; all boxes count, however many there are.
        overlaps: Least intersection over union of a match.

    Raises:
        BadRequest: The two are not of the same photographs.
        ExtraMissing: pycocotools is not installed.
    """
    if len(marked) != len(detected) or not marked:
        raise BadRequest(f"{len(marked)} photographs are marked and {len(detected)} were looked at.")
    most = max(1, *(len(one.score) for one in detected))
    judge = _judge(overlaps, most)
    empty = np.zeros((len(overlaps), 0), bool)
    score: list[Floats] = [np.zeros(0)]
    right, counted, found = [empty], [empty], [empty]
    for truth, boxes in zip(marked, detected, strict=True):
        judged = _judged(judge, truth, boxes, most)
        if judged is None:
            continue
        ignored = judged["dtIgnore"].astype(bool)
        score.append(np.array(judged["dtScores"], np.float64))
        right.append((judged["dtMatches"] > 0) & ~ignored)
        counted.append(~ignored)
        # Ignored ones come last.
        found.append(judged["gtMatches"][:, : len(truth.faces)] > 0)
    scores = np.concatenate(score)
    order = np.argsort(-scores, kind="stable")  # of equals the earlier photograph, as COCO has it
    return Matches(
        score=scores[order],
        right=np.concatenate(right, axis=1)[:, order],
        counted=np.concatenate(counted, axis=1)[:, order],
        found=np.concatenate(found, axis=1),
        height=np.concatenate([truth.faces[:, 3] - truth.faces[:, 1] for truth in marked]),
        photos=len(marked),
    )


def average_precision(matches: Matches) -> Floats:
    """Precision, the best at this recall or a higher one, averaged over the recalls 0, 0.01 ... 1; `(T,)`.

    COCO's measure. Boxes that the detector withheld are missing at the end of the curve, where precision is
    taken for zero. NaN where there is no face to be found.
    """
    faces = matches.found.shape[1]
    if not faces:
        return np.full(len(matches.found), np.nan)
    averages = np.zeros(len(matches.found))
    for i in range(len(averages)):
        precision, recall = precision_recall(matches, i)
        best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        averages[i] = best[np.searchsorted(recall, _RECALLS)].mean()
    return averages


def precision_recall(matches: Matches, overlap: int = 0) -> tuple[Floats, Floats]:
    """Precision and recall after each box that counts, best box first.

    Args:
        matches: With n faces, of which there must be one.
        overlap: Which of the T least overlaps.
    """
    right = matches.right[overlap][matches.counted[overlap]]
    hits = np.cumsum(right)
    return hits / np.arange(1, len(right) + 1), hits / matches.found.shape[1]


def free_response(matches: Matches, overlap: int = 0) -> tuple[Floats, Floats]:
    """Wrong boxes per photograph and recall after each box that counts, best box first (FROC)."""
    right = matches.right[overlap][matches.counted[overlap]]
    return np.cumsum(~right) / matches.photos, np.cumsum(right) / matches.found.shape[1]


def _boxes(value: Floats, name: str) -> Floats:
    box = np.asarray(value, np.float64)
    if not box.size:
        return np.zeros((0, 4))
    if box.ndim != 2 or box.shape[1] != 4:
        raise BadRequest(f"{name} wants shape (n, 4), got {box.shape}.")
    if not np.isfinite(box).all() or (box[:, 2:] < box[:, :2]).any():
        raise BadRequest(f"{name} holds a box that is not x1, y1, x2, y2 with x1 <= x2 and y1 <= y2.")
    return box


def _judge(overlaps: Sequence[float], most: int) -> Any:  # noqa: ANN401 - pycocotools has no types
    try:
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise ExtraMissing.of(
            "evaluate", "Boxes are matched by pycocotools, which is not installed."
        ) from error
    judge = COCOeval(iouType="bbox")
    judge.params.iouThrs = np.array(overlaps)
    judge.params.maxDets = [most]
    return judge


def _judged(judge: Any, truth: Marked, boxes: Detected, most: int) -> dict[str, Any] | None:  # noqa: ANN401
    """One photograph, as `COCOeval.evaluate` does it; that one prints."""
    here = (0, _FACE)
    faces, ignored, found = _xywh(truth.faces), _xywh(truth.ignored), _xywh(boxes.box)
    whole = [(box, 0) for box in faces] + [(box, 1) for box in ignored]
    judge._gts = {  # noqa: SLF001 - what its evaluate() would fill
        here: [
            {"id": i, "bbox": box, "area": box[2] * box[3], "iscrowd": ignore, "ignore": ignore}
            for i, (box, ignore) in enumerate(whole, 1)
        ]
    }
    judge._dts = {  # noqa: SLF001 - the same
        here: [
            {"id": i, "bbox": box, "area": box[2] * box[3], "score": score}
            for i, (box, score) in enumerate(zip(found, boxes.score.tolist(), strict=True), 1)
        ]
    }
    # A box without area shares nothing; pycocotools divides by it.
    judge.ious = {here: np.nan_to_num(judge.computeIoU(*here))}
    judged: dict[str, Any] | None = judge.evaluateImg(*here, [0, np.inf], most)
    return judged


def _xywh(box: Floats) -> list[list[float]]:
    rows: list[list[float]] = np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], axis=1).tolist()
    return rows
