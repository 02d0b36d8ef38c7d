"""Merging of units by mean distance: agglomerative clustering with average linkage.

R. R. Sokal, C. D. Michener: A statistical method for evaluating systematic relationships, 1958 (UPGMA), here
of squared distances. No table of all pairs is needed: what may merge has two faces within the limit, so only
such pairs are kept. Units that are nearest to each other merge at the same time; for average linkage that
comes to the same as one pair after the other (F. Murtagh, Computer Journal 26, 1983), but for what must stay
apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.gallery.clustering.pictures import Pictures
from mien.gallery.clustering.units import Units, near

Integers = NDArray[np.integer[Any]]

# Pairs kept of each unit at first. Where there are more, what they became is compared once more.
_MOST = 64


def merge(units: Units, pictures: Pictures | None, most: int = _MOST) -> NDArray[np.int64]:
    """Merge until no two units that may merge have a mean squared distance of at most 1.

    Units that a person decided on do not merge with each other, nor do units with faces of one picture.

    Args:
        units: What to merge.
        pictures: Pictures of each unit; None if faces of one picture may be of one person.
        most: Pairs kept of each unit at a time.

    Returns:
        `(u,)` which group each belongs to, counted from 0.
    """
    group = np.arange(len(units), dtype=np.int64)
    while True:
        first, second, cut = near(units, most)
        names, step = np.unique(_settled(units, pictures, first, second), return_inverse=True)
        group = step[group]
        if not cut or len(names) == len(units):
            return group
        units = units.joined(step)
        pictures = pictures and pictures.moved(step)


def _settled(units: Units, pictures: Pictures | None, first: Integers, second: Integers) -> NDArray[np.int64]:
    """Merge along pairs `(n,)` until none is left; which unit `(u,)` each became a part of."""
    into = np.arange(len(units), dtype=np.int64)
    lot = np.random.default_rng(0)
    units = units.copied()
    first, second, distance = _allowed(units, pictures, first, second)
    while len(distance):
        chosen = _mutual(first, second, distance, len(units), lot)
        a, b = first[chosen], second[chosen]
        step = np.arange(len(units), dtype=np.int64)
        step[b] = a
        into = step[into]
        units.absorb(a, b)
        pictures = pictures and pictures.moved(step)
        touched = np.zeros(len(units), np.bool_)
        touched[a] = True
        first, second = step[first], step[second]
        changed = touched[first] | touched[second]
        again = changed & (first != second)
        low, high = np.minimum(first[again], second[again]), np.maximum(first[again], second[again])
        code = np.unique(low * len(units) + high)
        more = _allowed(units, pictures, code // len(units), code % len(units))
        first, second, distance = (
            np.concatenate([old[~changed], new])
            for old, new in zip((first, second, distance), more, strict=True)
        )
    return into


def _allowed(
    units: Units, pictures: Pictures | None, first: Integers, second: Integers
) -> tuple[Integers, Integers, NDArray[np.float64]]:
    """Those of the pairs `(n,)` that may merge, and the distance of each."""
    distance = units.distance(first, second)
    fine = (distance <= 1) & ~(units.decided[first] & units.decided[second])
    first, second, distance = first[fine], second[fine], distance[fine]
    if pictures is not None:
        fine = ~pictures.shared(first, second)
        first, second, distance = first[fine], second[fine], distance[fine]
    return first, second, distance


def _mutual(
    first: Integers, second: Integers, distance: NDArray[np.float64], count: int, lot: np.random.Generator
) -> Integers:
    """Places of the pairs in which each is the nearest of the other; a lot decides between equals."""
    nearest = np.full(count, np.inf)
    for side in (first, second):
        np.minimum.at(nearest, side, distance)
    place = np.flatnonzero((distance == nearest[first]) & (distance == nearest[second]))
    drawn = lot.permutation(len(place))
    lowest = np.full(count, len(place))
    for side in (first, second):
        np.minimum.at(lowest, side[place], drawn)
    chosen: Integers = place[(lowest[first[place]] == drawn) & (lowest[second[place]] == drawn)]
    return chosen
