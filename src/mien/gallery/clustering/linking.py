"""How near groups must be to merge, so that few strangers come together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.ops.vectors import ROWWISE, Metric, l2_normalise

Floats = NDArray[np.floating[Any]]

# At so many strangers per face within the threshold, it may serve for grouping as it is.
_STRANGERS = 0.03
# What a factor of ten more of them costs, as a share of the way from the threshold to where strangers usually
# are. Both by measurement: benchmarks/clustering.py.
_PER_DECADE = 0.18
# For rules that nobody measured.
_USUAL_FMR = 1e-3
# The least share of the squared threshold: where rule and faces do not fit, something must still merge.
_LEAST = 0.25
_SAMPLE = 20_000


def linking_distance(vectors: Floats, *, metric: Metric, distance: float, fmr: float | None = None) -> float:
    """Largest distance at which groups of these faces should merge, by the rule for two faces.

    A threshold for two faces is too loose for many: of n faces, each has about n times the false-match rate
    of strangers within it. Squared distances of strangers thin out about exponentially below the threshold,
    the faster the nearer to it strangers usually are; so for each factor of ten more strangers the squared
    distance shrinks by a fixed share of the way from the threshold to the median. It never grows.

    Args:
        vectors: `(n, d)` all faces that are to be grouped.
        metric: What distance means.
        distance: Largest distance of one person.
        fmr: False-match rate there; None or 0 if nobody measured it, then 0.1 % is assumed.

    Returns:
        For `group`.
    """
    if len(vectors) < 2:
        return distance
    usual = _median_square(vectors, metric) / _square(metric, distance)
    decades = max(math.log10(len(vectors) * (fmr or _USUAL_FMR) / _STRANGERS), 0)
    share = max(1 - _PER_DECADE * max(usual - 1, 0) * decades, _LEAST)
    return distance * (share if metric == "cosine" else math.sqrt(share))


def _square(metric: Metric, distance: float) -> float:
    # One minus the cosine is half a squared distance already.
    return distance if metric == "cosine" else distance**2


def _median_square(vectors: Floats, metric: Metric) -> float:
    """Median squared distance of pairs of faces drawn by lot, nearly all of which are strangers."""
    a, step = np.random.default_rng(0).integers((0, 1), len(vectors), (_SAMPLE, 2)).T
    points = l2_normalise(vectors) if metric == "cosine" else vectors
    return _square(metric, float(np.median(ROWWISE[metric](points[a], points[(a + step) % len(vectors)]))))
