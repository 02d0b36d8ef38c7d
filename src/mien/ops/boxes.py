"""Boxes: overlap and suppression.

A box is xyxy in pixels; its area is `(x2 - x1) * (y2 - y1)`. Every function is vectorised and takes
and returns arrays; none changes its arguments.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]


# Boxes are compared in blocks of this many: few calls of NumPy, and memory that stays bounded.
_BLOCK = 512


def area(box: FloatArray) -> FloatArray:
    """Area of each box `(n, 4)` in square pixels; inverted boxes have none. Returns `(n,)`."""
    sides = np.clip(box[..., 2:] - box[..., :2], 0, None)
    found: FloatArray = sides[..., 0] * sides[..., 1]
    return found


def intersection(a: FloatArray, b: FloatArray) -> FloatArray:
    """Area that each box of `a` `(n, 4)` shares with each of `b` `(m, 4)`. Returns `(n, m)`."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared: FloatArray = np.clip(width, 0, None) * np.clip(height, 0, None)
    return shared


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of `a` `(n, 4)` and `b` `(m, 4)`; 0 for empty boxes. Returns `(n, m)`."""
    shared = intersection(a, b)
    return _ratio(shared, area(a)[:, None] + area(b)[None, :] - shared)


def nms(
    box: FloatArray,
    score: FloatArray,
    threshold: float,
    *,
    measure: Literal["union", "smaller"] = "union",
    group: NDArray[np.integer[Any]] | None = None,
) -> NDArray[np.intp]:
    """Keep the best of boxes that overlap (greedy non-maximum suppression).

    Args:
        box: `(n, 4)` xyxy.
        score: `(n,)`, higher is better; of equals the earlier wins.
        threshold: A box that overlaps a better one by more than this is dropped.
        measure: Intersection over the union, or over the smaller of the two.
        group: `(n,)`; boxes of different groups (pictures, classes) do not compete.

    Returns:
        Indices of the kept boxes, best first.
    """
    order = np.argsort(-score, kind="stable")
    box = (box if group is None else _apart(box, group))[order]
    overlap = iou if measure == "union" else _overlap_of_smaller
    kept: list[NDArray[np.intp]] = []
    for start in range(0, len(order), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(order)))
        for better in kept:
            block = block[~(overlap(box[better], box[block]) > threshold).any(0)]
        beaten = overlap(box[block], box[block]) > threshold
        alive = np.ones(len(block), bool)
        for i in range(len(block)):
            if alive[i]:
                alive[i + 1 :] &= ~beaten[i, i + 1 :]
        kept.append(block[alive])
    return order[np.concatenate(kept)] if kept else order


def soft_nms(
    box: FloatArray,
    score: FloatArray,
    *,
    sigma: float = 0.5,
    least: float = 0.001,
) -> tuple[NDArray[np.intp], FloatArray]:
    """Lower the score of boxes that overlap a better one instead of dropping them.

    Bodla, Singh, Chellappa and Davis, Soft-NMS, ICCV 2017, Gaussian form:
    `score *= exp(-iou**2 / sigma)`.

    Args:
        box: `(n, 4)` xyxy.
        score: `(n,)`.
        sigma: Width of the Gaussian; smaller suppresses more.
        least: Boxes whose score falls below this are dropped.

    Returns:
        Indices of the kept boxes, best first, and their lowered scores.
    """
    overlap = iou(box, box)
    score = score.astype(np.float64)
    alive = score >= least
    keep: list[int] = []
    kept: list[float] = []
    while alive.any():
        best = int(np.argmax(np.where(alive, score, -np.inf)))
        keep.append(best)
        kept.append(float(score[best]))
        alive[best] = False
        score = np.where(alive, score * np.exp(-(overlap[best] ** 2) / sigma), score)
        alive &= score >= least
    return np.array(keep, np.intp), np.array(kept)


def clip(box: FloatArray, size_wh: tuple[int, int]) -> FloatArray:
    """Cut boxes `(n, 4)` to a picture of this size."""
    width, height = size_wh
    return np.clip(box, 0, np.array([width, height, width, height], box.dtype))


def square(box: FloatArray) -> FloatArray:
    """Grow each box `(n, 4)` to a square around the same centre, as wide as its longer side."""
    centre = (box[:, :2] + box[:, 2:]) / 2
    half = (box[:, 2:] - box[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _overlap_of_smaller(a: FloatArray, b: FloatArray) -> FloatArray:
    return _ratio(intersection(a, b), np.minimum(area(a)[:, None], area(b)[None, :]))


def _apart(box: FloatArray, group: NDArray[np.integer[Any]]) -> FloatArray:
    """Move each group so far away that its boxes cannot meet those of another."""
    if not len(box):
        return box
    span = float(box.max() - box.min()) + 1.0
    shifted: FloatArray = box.astype(np.float64) + (group.astype(np.float64) * span)[:, None]
    return shifted


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    # Divided in float64: in float32 a ratio of 0.3 is more than 0.3.
    ratio = np.zeros(np.broadcast(part, whole).shape)
    return np.divide(part, whole, out=ratio, where=whole > 0, dtype=np.float64)
