"""What near means, computed three ways: roughly for many rows, carefully for a few, and as a score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mien.gallery.index.answers import Floats
from mien.ops.vectors import Metric, l2_normalise

# How far two ways of adding up the same products in float32 come apart, relative to the lengths involved.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Kernel:
    """A metric.

    A score is what scans compare: the inner product, or the negative squared distance; higher is nearer.

    Attributes:
        metric: Which it is.
        faiss: Its name in FAISS.
        prepare: What is done to vectors `(n, d)` before anything else.
        scores: Of probes `(q, d)` and rows `(n, d)`, fast; `(q, n)`.
        distances: Of a probe `(d,)` and rows `(n, d)`, carefully: a row gets the same distance whatever its
            neighbours are, so that equal rows are tied; `(n,)`.
        score: Of a distance.
        slack: How much the fast score of a row may be wrong, given a probe and about what score.
    """

    metric: Metric
    faiss: str
    prepare: Callable[[Floats], Floats]
    scores: Callable[[Floats, Floats], Floats]
    distances: Callable[[Floats, Floats], Floats]
    score: Callable[[float], float]
    slack: Callable[[Floats, float], float]


def _squares(vectors: Floats) -> Floats:
    found: Floats = np.einsum("ij,ij->i", vectors, vectors)
    return found


def _inner(probes: Floats, rows: Floats) -> Floats:
    return probes @ rows.T


def _negative_squares(probes: Floats, rows: Floats) -> Floats:
    found = probes @ rows.T
    found *= 2
    found -= _squares(probes)[:, None]
    found -= _squares(rows)
    return found


def _cosine_distances(probe: Floats, rows: Floats) -> Floats:
    # einsum adds up row by row; a matrix product of BLAS may treat the last few rows otherwise.
    cosine = np.einsum("ij,j->i", rows, probe)
    distance: Floats = np.clip(1 - cosine, 0, 2)
    return distance


def _euclidean_distances(probe: Floats, rows: Floats) -> Floats:
    distance: Floats = np.sqrt(_squares(rows - probe))
    return distance


def _squared_slack(probe: Floats, score: float) -> float:
    length = float(np.linalg.norm(probe))
    # By the triangle inequality no row of that score is longer than this.
    longest = length + math.sqrt(max(-score, 0))
    return _ROUNDING * (longest**2 + length**2)


KERNELS: dict[Metric, Kernel] = {
    "cosine": Kernel(
        metric="cosine",
        faiss="METRIC_INNER_PRODUCT",
        prepare=l2_normalise,
        scores=_inner,
        distances=_cosine_distances,
        score=lambda distance: 1 - distance,
        slack=lambda _probe, _score: _ROUNDING,
    ),
    "euclidean": Kernel(
        metric="euclidean",
        faiss="METRIC_L2",
        prepare=lambda vectors: vectors,
        scores=_negative_squares,
        distances=_euclidean_distances,
        score=lambda distance: -(distance**2),
        slack=_squared_slack,
    ),
}
