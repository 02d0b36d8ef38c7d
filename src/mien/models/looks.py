"""Where networks look that want a face upright, and where they look again.

What such a network says depends on how well the face fills its crop, and detectors differ in what they
call a face. So the first look goes by the detector's box, turned so that the face stands upright if five
points say how it lies; and a second one can go by the points that the first found, as MediaPipe does from
one frame of a video to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.crops import FaceNetwork, Tensor
from mien.models.stage import Count, spread
from mien.ops.align import Matrix, apply_transform, invert_transform, similarity_transform
from mien.ops.warp import warp
from mien.packs.store import Pack
from mien.runtime.session import Runtime

FloatArray = NDArray[np.floating[Any]]

Index = Annotated[int, msgspec.Meta(ge=0)]
Factor = Annotated[float, msgspec.Meta(gt=0, le=10)]

# An upright face; only the directions among its points count.
_UPRIGHT = np.array([[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]], np.float64)
# Points that coincide still need a crop, in pixels.
_LEAST_SIDE = 1e-3
# The grid of second looks, as a share of the longer side, and in radians: too fine to matter to a network.
_SIDE_STEP = 1 / 128
_ANGLE_STEP = 1 / 256


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much around a face a network sees.

    Attributes:
        grow: The box is made wider and higher by these factors, around its centre.
        square: The longer side is then taken for both.
    """

    grow: tuple[Factor, Factor]
    square: bool


class PointFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of a network that finds points.

    Attributes:
        file: The network.
        output: Its output that begins with the points, one after the other.
        count: How many points.
        unit: How many pixels of the crop one unit of the output is; coordinates count from its edge.
        first: What the network sees at first, around the detector's box.
        eyes: Numbers of the points of the viewer's-left and of the viewer's-right eye, whose means lie
            level in an upright face.
        again: What it sees the second time, around the points it found; None if it looks once.
        points: How the five points of `Faces.points` follow from its own: the numbers of the points to
            average for each. Empty when they do not follow.
    """

    file: str
    output: str
    count: Count
    unit: Annotated[float, msgspec.Meta(gt=0, le=1024)]
    first: Look
    eyes: tuple[tuple[Index, ...], tuple[Index, ...]]
    again: Look | None = None
    points: tuple[tuple[Index, ...], ...] = ()

    def __post_init__(self) -> None:
        groups = (*self.eyes, *self.points)
        if len(self.points) not in (0, 5):
            raise ValueError(f"points wants five groups or none, got {len(self.points)}")
        if any(not group or max(group) >= self.count for group in groups):
            raise ValueError(f"eyes and points want numbers below {self.count}, at least one for each")


class PointNetwork:
    """A network that finds the points of faces.

    Args:
        pack: Where the network is.
        facts: Its facts.
        axes: 2 for points in the plane, 3 for those with depth.
        runtime: Opens it.
    """

    def __init__(self, pack: Pack, facts: PointFacts, axes: int, runtime: Runtime) -> None:
        self._facts = facts
        self._axes = axes
        self._network = FaceNetwork(pack, facts.file, runtime)

    def find(self, images: Sequence[Image], faces: Sequence[Faces]) -> FloatArray:
        """Find the points of all faces of all pictures, in order.

        Returns:
            `(n, count, axes)` float64 in pixels of the picture; depth is on the scale of x.
        """
        size_wh, again = self._network.size_wh, self._facts.again
        found = self._look(images, [around_box(one, self._facts.first, size_wh) for one in faces])
        if again is None or not len(found):
            return found
        return self._look(
            images, spread(around_points(found[..., :2], self._facts.eyes, again, size_wh), faces)
        )

    def _look(self, images: Sequence[Image], matrices: Sequence[Matrix]) -> FloatArray:
        facts, axes = self._facts, self._axes
        said = see(self._network, images, matrices)[facts.output]
        numbers = in_rows(said)[:, : facts.count * axes].astype(np.float64)
        points = numbers.reshape(-1, facts.count, axes) * facts.unit
        back = invert_transform(np.concatenate([np.zeros((0, 2, 3)), *matrices]))
        # Pixel centres are at integers, so the crop's edge is at -0.5.
        flat = apply_transform(back, points[..., :2] - 0.5)
        scale = np.sqrt(np.abs(np.linalg.det(back[:, :, :2])))
        return np.concatenate([flat, points[..., 2:] * scale[:, None, None]], 2)


def see(network: FaceNetwork, images: Sequence[Image], matrices: Sequence[Matrix]) -> dict[str, Tensor]:
    """Show a network what each transform `(n, 2, 3)` of each picture cuts out of it."""
    chips = [
        warp(image.rgb, matrix, network.size_wh)
        for image, found in zip(images, matrices, strict=True)
        for matrix in found
    ]
    return network.run(chips)


def in_rows(said: Tensor) -> Tensor:
    """What a network says, whatever its shape, as one row per face `(n, k)`; also of no faces."""
    return said.reshape(len(said), math.prod(said.shape[1:]))


def around_box(faces: Faces, look: Look, size_wh: tuple[int, int]) -> Matrix:
    """Transforms `(n, 2, 3)` from the picture to the crop around each box, upright if points are known."""
    box = faces.box.astype(np.float64)
    # A box ends where its outermost pixels do, half a pixel from their centres.
    centre = (box[:, :2] + box[:, 2:] - 1) / 2
    return _cut(centre, box[:, 2:] - box[:, :2], lean(faces), look, size_wh)


def around_points(
    points: FloatArray,
    eyes: tuple[tuple[int, ...], tuple[int, ...]],
    look: Look,
    size_wh: tuple[int, int],
) -> Matrix:
    """Transforms `(n, 2, 3)` from the picture to the crop around points `(n, k, 2)`, with the eyes level.

    The crop is taken from a coarse grid. What a network says of a face differs in the last digits with the
    size of its batch, and a crop that followed those would show pixels that round otherwise.
    """
    left, right = (points[:, list(eye)].mean(1) for eye in eyes)
    angle = _on_grid(np.arctan2(*(right - left).T[::-1]), _ANGLE_STEP)
    turn = _turn(angle)
    level = points @ turn.transpose(0, 2, 1)
    low, high = level.min(1), level.max(1)
    sides = np.maximum(high - low, _LEAST_SIDE)
    step = 2.0 ** np.floor(np.log2(sides.max(1, keepdims=True) * _SIDE_STEP))
    middle = _on_grid((low + high) / 2, step)
    centre = (turn.transpose(0, 2, 1) @ middle[..., None])[..., 0]
    return _cut(centre, _on_grid(sides, step), angle, look, size_wh)


def lean(faces: Faces) -> FloatArray:
    """How far each face leans to the viewer's right, in radians clockwise `(n,)`; 0 without points.

    All five points count: in a profile the eyes alone may lie one above the other.
    """
    if faces.points is None:
        return np.zeros(len(faces))
    matrix = similarity_transform(_UPRIGHT, faces.points)
    angle: FloatArray = np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0])
    return angle


def _cut(
    centre: FloatArray, sides: FloatArray, angle: FloatArray, look: Look, size_wh: tuple[int, int]
) -> Matrix:
    sides = np.maximum(sides, _LEAST_SIDE) * np.array(look.grow)
    if look.square:
        sides = np.repeat(sides.max(1, keepdims=True), 2, 1)
    turn = _turn(angle) * (np.array(size_wh) / sides)[:, :, None]
    shift = (np.array(size_wh) - 1) / 2 - (turn @ centre[..., None])[..., 0]
    return np.concatenate([turn, shift[..., None]], 2)


def _on_grid(values: FloatArray, step: FloatArray | float) -> FloatArray:
    rounded: FloatArray = np.round(values / step) * step
    return rounded


def _turn(angle: FloatArray) -> FloatArray:
    """Rotations `(n, 2, 2)` that bring what leans by these angles upright."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cos, sin], 1), np.stack([-sin, cos], 1)], 1)
