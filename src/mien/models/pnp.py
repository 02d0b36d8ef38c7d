"""Where the head is turned, from where its points appear: perspective-n-point with a generic head.

DeMenthon and Davis, Model-Based Object Pose in 25 Lines of Code, IJCV 1995 (POSIT), gives a first pose;
Gauss-Newton on the distances in the picture makes it exact. No network, and no matrix library: all faces
of a picture are solved at once in NumPy.

Nobody tells how a photograph was taken, and a crop does not show it. So each face is taken to be seen by
a camera of its own that points at it from a distance of some head heights: angles are those to the line of
sight, as for networks that see a crop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.looks import FloatArray
from mien.models.stage import read_facts, spread
from mien.models.turns import pose_of
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

_POSIT_STEPS = 5
_NEWTON_STEPS = 20
# A step of Gauss-Newton that turns and moves a head by less than this ends the search.
_CONVERGED = 1e-9
# Keeps steps short where points say little about an angle; relative to the largest curvature.
_DAMPING = 1e-6
_TINY = 1e-9
# Of a box that has no extent, in pixels.
_LEAST_SIDE = 1e-3

Finite = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class PnpFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of a generic head.

    Attributes:
        column: Which points are used.
        rows: Their numbers in that column.
        head: Where they are on the head: x to image right, y down, z away from the viewer of a face that
            looks straight at the camera. Any unit.
        distance: How far away the camera is taken to be, in longer sides of the face's box.
    """

    column: Literal["points", "landmarks", "landmarks_106"]
    rows: tuple[Annotated[int, msgspec.Meta(ge=0)], ...]
    head: tuple[tuple[Finite, Finite, Finite], ...]
    distance: Annotated[float, msgspec.Meta(ge=1, le=1000)]

    def __post_init__(self) -> None:
        counts = {"points": 5, "landmarks": 68, "landmarks_106": 106}
        if len(self.rows) != len(self.head) or len(self.rows) < 4:
            raise ValueError("rows and head want as many entries, at least four")
        if max(self.rows) >= counts[self.column]:
            raise ValueError(f"{self.column} has only {counts[self.column]} rows")
        if np.linalg.matrix_rank(np.array(self.head) - np.mean(self.head, 0), tol=1e-3) < 3:
            raise ValueError("the points of the head must not lie in a plane")


class Pnp:
    """Adds `pose`.

    Raises:
        ManifestInvalid: The facts do not fit.
    """

    gives = frozenset({"pose"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - it runs no network
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, PnpFacts)
        self.needs = frozenset({"box", self.facts.column})

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:  # noqa: ARG002 - it looks at points only
        """Solve every face of the batch."""
        rows = list(self.facts.rows)
        points = _joined((len(rows), 2), (getattr(one, self.facts.column)[:, rows] for one in faces))
        box = _joined((4,), (one.box for one in faces))
        sides = (box[:, 2:] - box[:, :2]).max(1, initial=_LEAST_SIDE)
        head = np.array(self.facts.head)
        turned, _ = solve(points - points.mean(1, keepdims=True), head, self.facts.distance * sides)
        return [one.with_(pose=pose) for one, pose in zip(faces, spread(pose_of(turned), faces), strict=True)]


def _joined(shape: tuple[int, ...], parts: Iterable[FloatArray]) -> FloatArray:
    """One array float64 `(n, *shape)` of the faces of all pictures."""
    return np.concatenate([np.zeros((0, *shape)), *parts])


def solve(points: FloatArray, head: FloatArray, focal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the poses in which a rigid head appears at given points.

    Args:
        points: `(n, k, 2)` pixels, from the point at which each camera is directed.
        head: `(k, 3)`, not all in a plane; any unit.
        focal: `(n,)` focal lengths in pixels.

    Returns:
        Rotations `(n, 3, 3)` and translations `(n, 3)` from the head's frame to the camera's (x right, y
        down, z away from the camera), in the head's unit.
    """
    centre = head.mean(0)
    size = np.sqrt(((head - centre) ** 2).mean())
    unit_head = (head - centre) / size
    turned, shift = _refine(points, unit_head, focal, *_posit(points, unit_head, focal))
    return turned, shift * size - turned @ centre


def _posit(points: FloatArray, head: FloatArray, focal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scaled orthography, corrected again and again by how much nearer some points are than others."""
    inverse = np.linalg.pinv(np.c_[head, np.ones(len(head))])
    nearer = np.zeros(points.shape[:2])
    turned: FloatArray = np.zeros((len(points), 3, 3))
    shift: FloatArray = np.zeros((len(points), 3))
    for _ in range(_POSIT_STEPS):
        rows = inverse @ (points * (1 + nearer)[..., None])  # (n, 4, 2)
        length = np.linalg.norm(rows[:, :3], axis=1)
        scale = np.maximum(np.sqrt(length[:, 0] * length[:, 1]), _TINY)
        turned = _nearest_rotation(rows[:, :3].transpose(0, 2, 1))
        depth = focal / scale
        shift = np.concatenate([rows[:, 3] / scale[:, None], depth[:, None]], 1)
        nearer = np.clip((turned[:, 2] @ head.T) / depth[:, None], -0.5, 0.5)
    return turned, shift


def _nearest_rotation(rows: FloatArray) -> FloatArray:
    """The rotations whose first two rows are nearest to `(n, 2, 3)`, up to their length."""
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    first_two = left @ right
    third = np.cross(first_two[:, 0], first_two[:, 1])
    return np.concatenate([first_two, third[:, None]], 1)


def _refine(
    points: FloatArray, head: FloatArray, focal: FloatArray, turned: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gauss-Newton on the squared distances in the picture."""
    identity = np.eye(6)
    for _ in range(_NEWTON_STEPS):
        error, slope = _residuals(points, head, focal, turned, shift)
        curve = slope.transpose(0, 2, 1) @ slope
        curve += identity * (_DAMPING * np.trace(curve, axis1=1, axis2=2) + _TINY)[:, None, None]
        step = -np.linalg.solve(curve, (slope.transpose(0, 2, 1) @ error[..., None]))[..., 0]
        new_turned = _rodrigues(step[:, :3]) @ turned
        new_shift = shift + step[:, 3:]
        new_error, _ = _residuals(points, head, focal, new_turned, new_shift)
        better = (new_error**2).sum(1) < (error**2).sum(1)
        turned = np.where(better[:, None, None], new_turned, turned)
        shift = np.where(better[:, None], new_shift, shift)
        if not (better & (np.abs(step).max(1) > _CONVERGED)).any():
            break
    return turned, shift


def _residuals(
    points: FloatArray, head: FloatArray, focal: FloatArray, turned: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How far off each coordinate is `(n, 2 k)`, and its slope `(n, 2 k, 6)` by a further turn and shift."""
    seen = head @ turned.transpose(0, 2, 1)
    x, y, z = np.moveaxis(seen + shift[:, None], 2, 0)
    z = np.maximum(z, _TINY)
    f = focal[:, None]
    error = np.stack([f * x / z, f * y / z], 2) - points
    zero = np.zeros_like(z)
    # How the picture changes as the point moves, and how the point moves as the head turns: turn x seen.
    projection = np.stack(
        [np.stack([f / z, zero, -f * x / z**2], 2), np.stack([zero, f / z, -f * y / z**2], 2)], 2
    )
    slope = np.concatenate([-projection @ _cross(seen), projection], 3)
    n, k = points.shape[:2]
    return error.reshape(n, 2 * k), slope.reshape(n, 2 * k, 6)


def _cross(vectors: FloatArray) -> FloatArray:
    """Matrices `(..., 3, 3)` that take the cross product of vectors `(..., 3)` with another."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def _rodrigues(turn: FloatArray) -> FloatArray:
    """Rotations `(n, 3, 3)` about axes `(n, 3)` whose length is the angle in radians."""
    angle = np.linalg.norm(turn, axis=1)[:, None, None]
    across = _cross(turn / np.maximum(angle[:, 0], _TINY))
    turned: FloatArray = np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * (across @ across)
    return turned
