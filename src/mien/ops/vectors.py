"""Comparing embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Metric = Literal["cosine", "euclidean"]


def l2_normalise(vectors: FloatArray) -> FloatArray:
    """Scale `(..., d)` vectors to length one; a vector of zeros stays."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: FloatArray = vectors / np.where(length > 0, length, 1)
    return scaled


def cosine_similarity(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cosine of the angle between each of `a` `(n, d)` and each of `b` `(m, d)`; `(n, m)` in -1..1."""
    cosine: FloatArray = l2_normalise(a) @ l2_normalise(b).T
    return np.clip(cosine, -1, 1)


def euclidean_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """Straight-line distance between each of `a` `(n, d)` and each of `b` `(m, d)`; `(n, m)`."""
    # In float64: the expanded square loses the digits that tell near neighbours apart.
    a, b = a.astype(np.float64), b.astype(np.float64)
    squares: FloatArray = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * (a @ b.T)
    distance: FloatArray = np.sqrt(np.clip(squares, 0, None))
    return distance


def cosine_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """One minus the cosine similarity; `(n, m)` in 0..2."""
    return 1 - cosine_similarity(a, b)


DISTANCES: dict[Metric, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "cosine": cosine_distance,
    "euclidean": euclidean_distance,
}


def rowwise_cosine(a: FloatArray, b: FloatArray) -> FloatArray:
    """`cosine_distance` of each row of `a` `(n, d)` to the same row of `b`, both of length one; `(n,)`."""
    cosine: FloatArray = np.einsum("ij,ij->i", a, b)
    return 1 - np.clip(cosine, -1, 1)


def rowwise_euclidean(a: FloatArray, b: FloatArray) -> FloatArray:
    """`euclidean_distance` of each row of `a` `(n, d)` to the same row of `b` `(n, d)`; `(n,)`."""
    distance: FloatArray = np.linalg.norm(a - b, axis=-1)
    return distance


ROWWISE: dict[Metric, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "cosine": rowwise_cosine,
    "euclidean": rowwise_euclidean,
}
