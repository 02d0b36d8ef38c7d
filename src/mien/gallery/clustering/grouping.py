"""Grouping of faces into people."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.gallery.clustering.merging import merge
from mien.gallery.clustering.numbering import number_groups
from mien.gallery.clustering.pictures import Pictures
from mien.gallery.clustering.units import singles
from mien.ops.vectors import Metric

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]


def group(
    vectors: Floats,
    *,
    metric: Metric,
    distance: float,
    previous: Integers | None = None,
    fixed: Flags | None = None,
    apart: Integers | None = None,
    first: int = 0,
    afresh: bool = False,
) -> NDArray[np.int64]:
    """Group faces into people.

    Groups merge while the mean squared distance between the faces of one and those of another, the two that
    are nearest first, is at most that of `distance`. Faces that were grouped before stay together: adding
    photographs adds to groups, makes new ones and merges some, and tears none apart. Numbers are kept as
    `number_groups` says.

    Args:
        vectors: `(n, d)` embeddings of one space.
        metric: What distance means there.
        distance: Largest distance at which groups merge, see `linking_distance`.
        previous: `(n,)` number of the group each face is in; -1, or None for all, if it is new.
        fixed: `(n,)` faces whose group a person decided: they keep their number, and groups with such faces
            never merge with each other. To say that a face is not of a group, give it a number of its own,
            and fix both it and a face of the group that it left.
        apart: `(n,)` number of the picture each face is on: faces of one picture come into two groups, unless
            they were in one before; -1 if nobody knows. None if they may be of one person, as in collages and
            mirrors.
        first: Smallest number for a new group, see `number_groups`.
        afresh: Keep together only what a person fixed, and take previous groups for their numbers alone.

    Returns:
        `(n,)` number of the group of each face, from 0; faces of nobody else are groups of one.

    Raises:
        BadRequest: An array has another shape or type, a vector is not finite or has no direction, the
            distance is not above 0, or a face is fixed and in no group.
    """
    count = len(vectors)
    previous = np.full(count, -1) if previous is None else previous
    fixed = np.zeros(count, np.bool_) if fixed is None else fixed
    _check(vectors, metric, distance, previous, fixed, apart)
    if not count:
        return np.zeros(0, np.int64)
    previous = previous.astype(np.int64)
    kept = fixed if afresh else previous >= 0
    # New faces are units of their own, beyond all numbers.
    _, unit = np.unique(np.where(kept, previous, previous.max() + 1 + np.arange(count)), return_inverse=True)
    units = singles(vectors, metric, distance, fixed).joined(unit)
    pictures = None if apart is None else Pictures.of(unit, apart)
    return number_groups(merge(units, pictures)[unit], previous, fixed, first)


def _check(
    vectors: Floats,
    metric: Metric,
    distance: float,
    previous: Integers,
    fixed: Flags,
    apart: Integers | None,
) -> None:
    if vectors.ndim != 2:
        raise BadRequest(f"Embeddings want shape (n, d), got {vectors.shape}.")
    for name, column, kinds in (("previous", previous, "iu"), ("fixed", fixed, "b"), ("apart", apart, "iu")):
        if column is None:
            continue
        if column.shape != (len(vectors),) or column.dtype.kind not in kinds:
            raise BadRequest(
                f"{name} wants one {'flag' if kinds == 'b' else 'whole number'} per face, got "
                f"{column.dtype} of {column.shape} for {len(vectors)} faces."
            )
    if not np.isfinite(vectors).all():
        raise BadRequest("An embedding is not finite.")
    if metric == "cosine" and not vectors.any(axis=1).all():
        raise BadRequest("An embedding is all zeros: it has no direction.")
    if not (np.isfinite(distance) and distance > 0):
        raise BadRequest(f"The distance must be above 0, got {distance}.")
    if (previous[fixed] < 0).any():
        raise BadRequest("A face is fixed and in no group.", hint="Give it the number of its group.")
