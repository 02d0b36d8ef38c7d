"""Sets of faces that are merged as a whole, and how far apart two of them are.

The mean squared distance between the faces of one set and those of another needs no pair of faces: it
follows from the mean of each set and the mean of its squared lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.ops.vectors import Metric, l2_normalise

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

# Pairs, and cells of a table of distances, that are computed at a time.
_PAIRS = 1 << 16
_CELLS = 1 << 24


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Units:
    """u sets of faces.

    Attributes:
        mean: `(u, d)` float32, of their points.
        square: `(u,)` float64, mean squared length of their points.
        weight: `(u,)` float64, how many faces they have.
        decided: `(u,)` whether a person decided on any of them.
    """

    mean: NDArray[np.float32]
    square: NDArray[np.float64]
    weight: NDArray[np.float64]
    decided: Flags

    def __len__(self) -> int:
        return len(self.mean)

    def joined(self, unit: Integers) -> Units:
        """The units `0..k-1` that arise when each becomes a part of `unit` `(u,)`."""
        order = np.argsort(unit, kind="stable")
        start = np.flatnonzero(np.diff(unit[order], prepend=-1))
        weight = np.add.reduceat(self.weight[order], start)
        means = np.add.reduceat(self.mean[order] * self.weight[order, None], start) / weight[:, None]
        squares = np.add.reduceat(self.square[order] * self.weight[order], start) / weight
        decided = np.logical_or.reduceat(self.decided[order], start)
        return Units(means.astype(np.float32), squares, weight, decided)

    def copied(self) -> Units:
        """The same, to be changed."""
        return Units(self.mean.copy(), self.square.copy(), self.weight.copy(), self.decided.copy())

    def absorb(self, a: Integers, b: Integers) -> None:
        """Let each of `a` `(n,)` take in that of `b` `(n,)`, in place; those of `b` mean nothing any more."""
        self.weight[a] += self.weight[b]
        share = self.weight[b] / self.weight[a]
        self.mean[a] += (self.mean[b] - self.mean[a]) * share[:, None].astype(np.float32)
        self.square[a] += (self.square[b] - self.square[a]) * share
        self.decided[a] |= self.decided[b]

    def distance(self, a: Integers, b: Integers) -> NDArray[np.float64]:
        """Mean squared distance between the faces of units `a` `(n,)` and those of `b` `(n,)`; `(n,)`."""
        found = np.empty(len(a))
        for start in range(0, len(a), _PAIRS):
            i, j = a[start : start + _PAIRS], b[start : start + _PAIRS]
            product = np.einsum("ij,ij->i", self.mean[i], self.mean[j])
            found[start : start + _PAIRS] = self.square[i] + self.square[j] - 2 * product
        return np.clip(found, 0, None)


def singles(vectors: Floats, metric: Metric, distance: float, decided: Flags) -> Units:
    """One unit per face, so scaled that the squared distance of points is 1 at a distance.

    Args:
        vectors: `(n, d)`.
        metric: What distance means.
        distance: Above 0.
        decided: `(n,)`.
    """
    if metric == "cosine":
        # Of vectors of length one, half the squared distance is one minus the cosine.
        points = l2_normalise(vectors.astype(np.float32)) / np.float32(np.sqrt(2 * distance))
    else:
        # Near the origin, so that squared lengths do not drown distances.
        points = (vectors - vectors.mean(axis=0, dtype=np.float64)).astype(np.float32) / np.float32(distance)
    squares = np.einsum("ij,ij->i", points, points, dtype=np.float64)
    return Units(points, squares, np.ones(len(points)), decided)


def near(units: Units, most: int) -> tuple[Integers, Integers, bool]:
    """Find pairs of units whose mean squared distance is at most 1, a block of rows at a time.

    Args:
        units: What to compare.
        most: Of each unit, only so many of those after it are kept, the nearest.

    Returns:
        The first of each pair `(n,)`, the second `(n,)` with a greater number, and whether `most` cut any.
    """
    firsts, seconds, cut = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], False
    square = units.square.astype(np.float32)
    rows = max(1, _CELLS // max(len(units), 1))
    for start in range(0, len(units), rows):
        here = slice(start, start + rows)
        table = units.mean[here] @ units.mean[start:].T
        table *= -2
        table += square[here, None]
        table += square[None, start:]
        within = np.triu(table <= 1, 1)
        if len(over := np.flatnonzero(np.count_nonzero(within, axis=1) > most)):
            cut = True
            nearest = np.argpartition(np.where(within[over], table[over], np.inf), most, axis=1)[:, :most]
            within[over] = False
            within[over[:, None], nearest] = True
        first, second = np.nonzero(within)
        firsts.append(first + start)
        seconds.append(second + start)
    return np.concatenate(firsts), np.concatenate(seconds), cut
