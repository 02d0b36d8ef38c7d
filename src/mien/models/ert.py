"""Face points by an ensemble of regression trees.

Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, CVPR 2014.
Each cascade compares pairs of pixels placed relative to the present shape and adds up what the
leaves say. All trees of a cascade, and all faces of a picture, are walked at once.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import PackCorrupt
from mien.models.stage import read_facts
from mien.ops.align import Matrix, apply_transform, similarity_transform
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]


class ErtFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of a predictor of this family.

    Attributes:
        frame: Where the five points of `Faces.points` lie on average in the unit square that
            stands for the box the trees were trained with.
        points: How the five points of `Faces.points` follow from its own: the numbers of the
            points to average for each. Empty when they do not follow.
    """

    frame: Annotated[list[tuple[float, float]], msgspec.Meta(min_length=5, max_length=5)]
    points: list[list[Annotated[int, msgspec.Meta(ge=0, lt=68)]]] = []


@dataclass(frozen=True, slots=True)
class Trees:
    """The arrays that `mien.convert.dlib.shape` writes; see there for shapes."""

    mean: NDArray[np.float32]
    splits: NDArray[np.uint16]
    limits: NDArray[np.float32]
    leaves: NDArray[np.float32]
    anchors: NDArray[np.uint16]
    deltas: NDArray[np.float32]


class Ert:
    """Adds face points; starts from the detector's points when there are any, else from the box."""

    needs = frozenset({"box"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - trees need neither
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, ErtFacts)
        self.gives = frozenset(pack.manifest.gives)
        self.column = pack.manifest.gives[0]
        try:
            with pack.file("shape.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
                self.trees = Trees(**{name: archive[name] for name in Trees.__slots__})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise PackCorrupt(f"The trees of pack {self.name} cannot be read: {error}") from error

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Add the points of every face."""
        return [self._add(image, found) for image, found in zip(images, faces, strict=True)]

    def _add(self, image: Image, faces: Faces) -> Faces:
        found = predict(self.trees, image.rgb, self._frames(faces))
        added = {self.column: found}
        if self.facts.points and faces.points is None:
            added["points"] = np.stack([found[:, group].mean(1) for group in self.facts.points], 1)
        return faces.with_(**added)

    def _frames(self, faces: Faces) -> Matrix:
        """Transforms `(n, 2, 3)` from the trees' unit square to the picture."""
        if faces.points is not None:
            return similarity_transform(np.array(self.facts.frame), faces.points)
        sides = faces.box[:, 2:] - faces.box[:, :2]
        zero = np.zeros(len(faces))
        matrix = [[sides[:, 0], zero, faces.box[:, 0]], [zero, sides[:, 1], faces.box[:, 1]]]
        return np.array(matrix, np.float64).transpose(2, 0, 1)


def predict(trees: Trees, rgb: NDArray[np.uint8], frames: Matrix) -> FloatArray:
    """Find the points of n faces.

    Args:
        trees: The ensemble.
        rgb: `(h, w, 3)` uint8.
        frames: `(n, 2, 3)` transforms from the unit square to the picture.

    Returns:
        `(n, p, 2)` float64 in the picture's frame.
    """
    shape = np.repeat(trees.mean[None], len(frames), 0)
    turning = _turning(trees.mean)
    rgb = np.ascontiguousarray(rgb)
    for cascade in range(len(trees.splits)):
        offsets = _turned(turning, shape, trees.deltas[cascade])
        value = _intensity(rgb, apply_transform(frames, shape[:, trees.anchors[cascade]] + offsets))
        steps = _leaves(trees, cascade, value)
        shape = np.concatenate([shape[:, None], steps], 1).sum(1)
    return apply_transform(frames, shape.astype(np.float64))


def _leaves(trees: Trees, cascade: int, value: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each tree of a cascade says, `(n, t, p, 2)`, given the pixels looked at `(n, f)`."""
    splits, limits, leaves = trees.splits[cascade], trees.limits[cascade], trees.leaves[cascade]
    # All comparisons at once are fewer calls than those on the way down, level by level.
    left = value.take(splits[..., 0], 1) - value.take(splits[..., 1], 1) > limits
    faces, count, inner = left.shape
    start = np.arange(faces * count).reshape(faces, count) * inner
    node = np.zeros((faces, count), np.intp)
    for _ in range(int(np.log2(inner + 1))):
        node = 2 * node + 2 - left.take(start + node)
    each = np.arange(count) * (inner + 1)
    said: NDArray[np.float32] = leaves.reshape(-1, *leaves.shape[2:]).take(each + node - inner, 0)
    return said


def _turning(mean: NDArray[np.float32]) -> NDArray[np.float64]:
    """What gives the turn and scale of a shape against the mean: `shape.ravel() @ it` is (cos, sin).

    The least-squares similarity of `mien.ops.align`, with all that does not depend on the shape done
    beforehand.
    """
    centred = mean.astype(np.float64) - mean.mean(0, dtype=np.float64)
    across = np.stack([-centred[:, 1], centred[:, 0]], 1)
    both: NDArray[np.float64] = np.stack([centred.ravel(), across.ravel()], 1) / (centred**2).sum()
    return both


def _turned(
    turning: NDArray[np.float64], shape: NDArray[np.float32], deltas: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Offsets `(f, 2)` turned and scaled as each present shape `(n, p, 2)` is against the mean.

    In float32 and term by term, as dlib does: a rounding that differs can send a pixel next door, and
    a face through other leaves.
    """
    cos_sin = (shape.reshape(-1, len(turning)).astype(np.float64) @ turning).astype(np.float32)
    cos, sin = cos_sin[:, :1], cos_sin[:, 1:]
    x, y = deltas[:, 0], deltas[:, 1]
    offsets = np.empty((len(shape), len(deltas), 2), np.float32)
    offsets[..., 0] = cos * x - sin * y
    offsets[..., 1] = sin * x + cos * y
    return offsets


def _intensity(rgb: NDArray[np.uint8], place: FloatArray) -> NDArray[np.float32]:
    """Mean of red, green and blue, rounded down, at the nearest pixels of `(n, f, 2)`; 0 outside."""
    height, width = rgb.shape[:2]
    x, y = np.moveaxis(np.floor(place + 0.5).astype(np.intp), 2, 0)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    pixel = rgb.reshape(-1, 3).take(np.where(inside, y * width + x, 0), 0)
    mean: NDArray[np.uint16] = pixel.sum(-1, dtype=np.uint16) // 3
    return np.where(inside, mean, 0).astype(np.float32)
