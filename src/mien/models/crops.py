"""Networks that look at one face at a time: cutting the faces out and running them in batches.

Every family for single faces says by a `Cut` what it wants to see, and gets its outputs row by row, for
all faces of all pictures of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import InferenceError, ManifestInvalid
from mien.ops.align import Matrix, similarity_transform
from mien.ops.warp import warp
from mien.packs.manifest import Input
from mien.packs.store import Pack
from mien.runtime.prepare import to_tensor
from mien.runtime.session import Runtime

Pixels = NDArray[np.uint8]
Tensor = NDArray[np.float32]
FloatArray = NDArray[np.floating[Any]]

# Memory stays bounded on crowds; larger batches were measured to bring nothing on a CPU.
_MOST_CHIPS = 16
# Points that are nearer to each other, in pixels, say nothing about how a face lies.
_LEAST_SPREAD = 1e-3


class Cut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What part of the picture a network sees.

    Attributes:
        by: `box` takes the detector's box, `points` turns the five points upright into a template,
            `eyes` turns the box so that the eyes are level.
        scale: The box is grown by this factor around its centre (`box` and `eyes`).
        square: The longer side of the box is taken for both.
        lean: Faces whose eyes are level to this many degrees are not turned (`eyes`): a network that takes
            heads as they come loses some certainty when they are turned.
        shift: Moves the box by these shares of its own width and height (`box` and `eyes`).
        template: Where the five points lie in the chip, in its pixels (`points`).
        inside: The grown box is shrunk so that it fits into the picture, then moved inside it, as
            MiniFASNet's crops are (`box`).
    """

    by: Literal["box", "points", "eyes"] = "box"
    scale: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0
    square: bool = True
    lean: Annotated[float, msgspec.Meta(ge=0, le=180)] = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    template: tuple[tuple[float, float], ...] = ()
    inside: bool = False

    def __post_init__(self) -> None:
        if (self.by == "points") != (len(self.template) == 5):
            raise ValueError("a cut by points wants a template of five, another wants none")

    @property
    def needs(self) -> frozenset[str]:
        """Columns that must be there before the cut can be made."""
        return frozenset({"box"} if self.by == "box" else {"box", "points"})


class FaceNetwork:
    """One network over chips of faces.

    Args:
        pack: Where the network is; its `[input]` says how pixels are prepared.
        file: Name of the network in the pack.
        runtime: Opens it.

    Raises:
        ManifestInvalid: No `[input]` with a size, or the network wants more than one picture.
    """

    def __init__(self, pack: Pack, file: str, runtime: Runtime) -> None:
        if pack.manifest.input is None or pack.manifest.input.size_wh is None:
            raise ManifestInvalid(f"Pack {pack.name} needs an [input] with size_wh.")
        self._input: Input = pack.manifest.input
        self.size_wh: tuple[int, int] = pack.manifest.input.size_wh
        self._network = runtime.network(pack.file(file))
        if len(self._network.input_names) != 1:
            raise ManifestInvalid(f"The network of pack {pack.name} wants more than a picture.")
        self.output_names = self._network.output_names

    def run(self, chips: Sequence[Pixels]) -> dict[str, Tensor]:
        """Run on chips `(h, w, 3)` uint8 RGB of the network's size; outputs `(n, ...)` by name."""
        if not len(chips):
            # What no face gives has the shape of what a face gives.
            width, height = self.size_wh
            seen = self.run([np.zeros((height, width, 3), np.uint8)])
            return {name: value[:0] for name, value in seen.items()}
        name = self._network.input_names[0]
        parts = [
            self._network.run({name: to_tensor(chips[start : start + _MOST_CHIPS], self._input)})
            for start in range(0, len(chips), _MOST_CHIPS)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in self.output_names}


def cut_out(
    images: Sequence[Image], faces: Sequence[Faces], cut: Cut, size_wh: tuple[int, int]
) -> tuple[list[Pixels], Matrix]:
    """Cut out the chip of every face of a batch.

    Returns:
        n chips `(h, w, 3)` uint8 RGB for the n faces of all pictures in order, and the transforms
        `(n, 2, 3)` from each face's picture to its chip.
    """
    matrices = [transforms(one, cut, size_wh) for one in faces]
    chips = [
        warp(image.rgb, matrix, size_wh)
        for image, found in zip(images, matrices, strict=True)
        for matrix in found
    ]
    return chips, np.concatenate([np.zeros((0, 2, 3)), *matrices])


def transforms(faces: Faces, cut: Cut, size_wh: tuple[int, int]) -> Matrix:
    """Transforms `(n, 2, 3)` from the picture to a chip of this size, for each face.

    Raises:
        InferenceError: The points of a face coincide.
    """
    if cut.by == "points":
        return similarity_transform(spread_points(faces), np.array(cut.template))
    box = cut_boxes(faces, cut)
    angle = _eye_angle(faces, cut.lean) if cut.by == "eyes" else np.zeros(len(faces))
    sides = np.maximum(box[:, 2:] - box[:, :2], 1e-6)
    grow = np.array(size_wh) / sides
    cos, sin = np.cos(angle), np.sin(angle)
    # The box's edges, half a pixel outside of its outermost pixel centres, come to the chip's edges.
    turn = np.stack([np.stack([cos, sin], 1), np.stack([-sin, cos], 1)], 1) * grow[:, :, None]
    centre = (box[:, :2] + box[:, 2:]) / 2 - 0.5
    shift = (np.array(size_wh) - 1) / 2 - (turn @ centre[..., None])[..., 0]
    return np.concatenate([turn, shift[..., None]], 2)


def cut_boxes(faces: Faces, cut: Cut) -> FloatArray:
    """Boxes `(n, 4)` that the cut shows, before any turning."""
    box = faces.box.astype(np.float64)
    sides = box[:, 2:] - box[:, :2]
    centre = (box[:, :2] + box[:, 2:]) / 2 + np.array(cut.shift) * sides
    if cut.square:
        sides = np.repeat(sides.max(1, keepdims=True), 2, 1)
    scale = np.full(len(box), cut.scale)
    if cut.inside:
        picture = np.array(faces.size_wh, np.float64)
        scale = np.minimum(scale, ((picture - 1) / np.maximum(sides, 1e-6)).min(1))
        half = sides * scale[:, None] / 2
        centre = np.clip(centre, half, np.maximum(picture - 1 - half, half))
    half = sides * scale[:, None] / 2
    return np.concatenate([centre - half, centre + half], 1)


def spread_points(faces: Faces, column: str = "points") -> FloatArray:
    """The points of every face `(n, 5, 2)`.

    Raises:
        InferenceError: Those of a face coincide, so that no transform can be made of them.
    """
    points: FloatArray = getattr(faces, column)
    if (np.ptp(points, axis=1).max(1) < _LEAST_SPREAD).any():
        raise InferenceError("The points of a face coincide.")
    return points


def _eye_angle(faces: Faces, lean: float) -> FloatArray:
    """How far the eyes are from level, in radians, clockwise; 0 up to `lean` degrees."""
    left, right = spread_points(faces)[:, 0], faces.points[:, 1]  # type: ignore[index]
    across = (right - left).astype(np.float64)
    angle: FloatArray = np.arctan2(across[:, 1], across[:, 0])
    angle[np.abs(angle) <= np.radians(lean)] = 0
    return angle
