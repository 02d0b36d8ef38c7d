"""Affine transforms of the plane, and the aligned crops they make.

A transform is a `(2, 3)` float64 matrix that takes points `(x, y)` of one frame to another:
`matrix[:, :2] @ point + matrix[:, 2]`. Pixel centres are at integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Matrix = NDArray[np.float64]


def similarity_transform(source: FloatArray, target: FloatArray) -> Matrix:
    """Rotation, scale and shift that bring `source` nearest to `target` in the least-squares sense.

    Umeyama, Least-squares estimation of transformation parameters between two point patterns,
    PAMI 1991. In the plane and without reflection it has this closed form: read points as complex
    numbers; the rotation and scale are one complex factor.

    Args:
        source: `(..., k, 2)` points, k >= 2 and not all the same.
        target: `(..., k, 2)` points, or broadcastable to it.

    Returns:
        `(..., 2, 3)` matrices from source to target.
    """
    source, target = np.broadcast_arrays(np.asarray(source, np.float64), np.asarray(target, np.float64))
    mean_source, mean_target = source.mean(-2), target.mean(-2)
    s, t = source - mean_source[..., None, :], target - mean_target[..., None, :]
    spread = (s**2).sum((-2, -1))
    spread = np.where(spread > 0, spread, 1.0)
    cos = (s * t).sum((-2, -1)) / spread
    sin = (s[..., 0] * t[..., 1] - s[..., 1] * t[..., 0]).sum(-1) / spread
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    shift = mean_target - (turn @ mean_source[..., None])[..., 0]
    matrix: Matrix = np.concatenate([turn, shift[..., None]], -1)
    return matrix


def affine_from_three(source: FloatArray, target: FloatArray) -> Matrix:
    """The affine transform that takes three points `(3, 2)` exactly to three others.

    Raises:
        numpy.linalg.LinAlgError: The source points lie on a line.
    """
    augmented = np.concatenate([np.asarray(source, np.float64), np.ones((3, 1))], axis=1)
    matrix: Matrix = np.linalg.solve(augmented, np.asarray(target, np.float64)).T
    return matrix


def apply_transform(matrix: Matrix, points: FloatArray) -> FloatArray:
    """Transform points `(..., k, 2)` by `(..., 2, 3)`."""
    moved: FloatArray = points @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]
    return moved


def invert_transform(matrix: Matrix) -> Matrix:
    """The transform back, for `(..., 2, 3)`."""
    turn = np.linalg.inv(matrix[..., :2])
    inverse: Matrix = np.concatenate([turn, -(turn @ matrix[..., 2:])], -1)
    return inverse


def scale_of(matrix: Matrix) -> float:
    """How much longer lengths become, on average over directions."""
    (a, b), (c, d) = matrix[:, :2]
    return float(np.sqrt(abs(a * d - b * c)))  # np.linalg.det goes through logarithms: 8 becomes 7.999...
