"""How far EER and FNMR at a given FMR move when other people are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.intervals import Draws

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """What each of r replicates gave.

    Attributes:
        eer: `(r,)` equal error rates.
        fnmr: `(r, k)` FNMR at each of k false-match rates; NaN where nobody who matters was drawn.
    """

    eer: Floats
    fnmr: Floats


def resample(comparisons: Comparisons, rates: Sequence[float], eer: float, draws: Draws) -> Bands:
    """Measure again on people drawn with replacement.

    Args:
        comparisons: What was compared.
        rates: The k false-match rates.
        eer: The equal error rate of all, which says where to look for those of replicates.
        draws: The resampled people.
    """
    same, person = comparisons.genuine, comparisons.person
    gap, owner, _ = _ascending(comparisons, same)
    near, a, b = _ascending(comparisons, ~same & comparisons.made)
    # Beyond what any rate asked for can reach, the order of distances does not matter.
    kept = min(len(near), max(100_000, int(len(near) * max(3 * eer, 2 * max(rates, default=0.0)))))
    totals = draws.totals(person[a], person[b])
    near, a, b = near[:kept], person[a[:kept]], person[b[:kept]]
    owner = person[owner]
    # How many comparisons of one person match when the i nearest of two people do.
    below = np.searchsorted(gap, near, side="left")
    found = [
        _replicate(draws.weights(i, owner, owner), draws.weights(i, a, b), totals[i], below, rates)
        for i in range(len(draws))
    ]
    return Bands(np.array([one[0] for one in found]), np.array([one[1] for one in found]))


def _ascending(comparisons: Comparisons, chosen: NDArray[np.bool_]) -> tuple[Floats, Integers, Integers]:
    which = np.flatnonzero(chosen)
    which = which[np.argsort(comparisons.distance[which], kind="stable")]
    return comparisons.distance[which], comparisons.a[which], comparisons.b[which]


def _replicate(
    genuine: Floats, impostor: Floats, total: float, below: Integers, rates: Sequence[float]
) -> tuple[float, list[float]]:
    """EER, and FNMR at each rate, of one replicate.

    Args:
        genuine: `(g,)` weights of comparisons of one person, nearest first.
        impostor: `(i,)` weights of the nearest comparisons of two people.
        total: Weight of all comparisons of two people.
        below: `(i,)` how many comparisons of one person are nearer than each of two people.
        rates: False-match rates.
    """
    matched = np.concatenate([[0.0], np.cumsum(genuine, dtype=np.float64)])
    if not matched[-1] or not total:
        return float("nan"), [float("nan")] * len(rates)
    fmr = np.cumsum(impostor, dtype=np.float64) / total
    fnmr = 1 - matched[below] / matched[-1]
    places = np.searchsorted(fmr, rates, side="right")
    at_rates = [float(fnmr[place]) if place < len(fnmr) else float("nan") for place in places]
    crossed = int(np.argmax(fmr >= fnmr))
    # A stranger is a step of FMR, people before him have lowered FNMR: they meet in the one or in the other.
    before = fmr[crossed - 1] if crossed else 0.0
    eer = max(before, fnmr[crossed]) if fmr[crossed] >= fnmr[crossed] else float("nan")
    return float(eer), at_rates


def band_at(rate: Floats, grid: Sequence[float], ends: Floats) -> tuple[Floats, Floats]:
    """Ends of an interval between the rates at which it was resampled, on their logarithmic scale.

    Args:
        rate: `(n,)` where they are wanted.
        grid: The k rising rates at which they are known; there may be none.
        ends: `(k, 2)` lower and upper end at each.

    Returns:
        Lower and upper ends `(n,)`; NaN beyond the grid.
    """
    if not len(grid):
        return np.full(len(rate), np.nan), np.full(len(rate), np.nan)
    with np.errstate(divide="ignore"):
        low, high = (np.interp(np.log(rate), np.log(grid), end, left=np.nan, right=np.nan) for end in ends.T)
    return low, high
