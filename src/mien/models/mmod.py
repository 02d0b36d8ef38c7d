"""dlib's max-margin detector: a small fully convolutional network over a tiled image pyramid.

King, Max-Margin Object Detection, 2015, arXiv:1502.00046. The layout of the tiles decides on which
pixels the strided convolutions land, so it follows `dlib/image_transforms/image_pyramid.h` exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.stage import Count, Share, read_facts
from mien.ops.boxes import intersection
from mien.ops.warp import resize
from mien.packs.manifest import Input
from mien.packs.store import Pack
from mien.runtime.prepare import to_tensor
from mien.runtime.session import Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]
Tensor = NDArray[np.float32]

_COLUMNS = frozenset({"box", "score"})


class MmodFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decode constants of a detector of this family.

    Attributes:
        window: Side of the square window in pixels of a tile: the smallest face it finds.
        stride: Pixels of the tiled image from one output cell to the next.
        offset: Pixel of the tiled image under the centre of output cell 0.
        rate: Shrinking from one level of the pyramid to the next is `(rate - 1) / rate`.
        padding: Empty pixels between tiles.
        outer_padding: Empty pixels around all tiles.
        most_pixels: Larger pictures are shrunk to this first, which bounds memory and finds larger faces.
        threshold: Least raw score of a face.
        iou: Overlap of two boxes above which the worse one is dropped.
        covered: Share of the smaller box above which likewise.
        score_scale: Raw scores are squashed to 0..1 by `1 - exp(-score / score_scale)`.
    """

    window: Count
    stride: Count
    offset: int
    rate: Annotated[int, msgspec.Meta(ge=2)]
    padding: Annotated[int, msgspec.Meta(ge=0)]
    outer_padding: Annotated[int, msgspec.Meta(ge=0)]
    most_pixels: Count
    threshold: float
    iou: Share
    covered: Share
    score_scale: Annotated[float, msgspec.Meta(gt=0)]


class Mmod:
    """Finds faces of at least `window` pixels at many angles; gives boxes and scores, no points."""

    needs = frozenset[str]()
    gives = _COLUMNS

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, MmodFacts)
        if pack.manifest.input is None:
            raise ManifestInvalid(f"Pack {self.name} needs an [input].")
        self._input: Input = pack.manifest.input
        least = settings.least_score
        # Scores are 1 - exp(-raw / scale), so that they lie in 0..1.
        self._least = self.facts.threshold if least is None else -self.facts.score_scale * np.log1p(-least)
        self._network = runtime.network(pack.file("mmod.onnx"))

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:  # noqa: ARG002 - a detector comes first
        """Detect in each picture; pictures differ in size, so each is one call."""
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> Faces:
        shrink = min(1.0, (self.facts.most_pixels / (image.width * image.height)) ** 0.5)
        seen_wh = (max(1, int(image.width * shrink)), max(1, int(image.height * shrink)))
        rgb = image.rgb if shrink == 1 else resize(image.rgb, seen_wh)
        tiles, size_wh = tile_layout(seen_wh, self.facts)
        if min(size_wh) < self.facts.window:
            return Faces.empty(image.size_wh)
        tensor = tiled_pyramid(to_tensor([rgb], self._input)[0], tiles, size_wh)
        score = self._network.run({"image": tensor[None]})["score"][0, 0]
        rows, columns = np.nonzero(score > self._least)
        centre = np.stack([columns, rows], 1) * float(self.facts.stride) + self.facts.offset
        box = boxes_from_centres(centre, tiles, self.facts)
        raw = score[rows, columns].astype(np.float64)
        keep = suppress(box, raw, self.facts.iou, self.facts.covered)
        back = np.tile(np.array(image.size_wh) / seen_wh, 2)
        return Faces(image.size_wh, box[keep] * back, 1 - np.exp(-raw[keep] / self.facts.score_scale))


def tile_layout(size_wh: tuple[int, int], facts: MmodFacts) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Place the levels of the pyramid on one canvas.

    The first column runs down from the picture itself; from where the next level fits beside the
    one before, levels climb back up on the right.

    Returns:
        `(levels, 4)` x, y, width, height of each level, and width and height of the canvas.
    """
    levels = [size_wh]
    while True:
        width, height = (side * (facts.rate - 1) // facts.rate for side in levels[-1])
        if width == 0 or height < 5:
            break
        levels.append((width, height))
    gap = facts.padding
    total = sum(height + gap for _, height in levels) - 2 * gap
    column, before = 0, 0
    for width, height in levels:
        if width <= size_wh[0] - before - gap and (column - size_wh[1]) * 2 >= total - size_wh[1]:
            break
        column += height + gap
        before = width
    column -= gap

    placed: list[tuple[int, int, int, int]] = []
    y = facts.outer_padding
    for width, height in levels:
        if y >= column + facts.outer_padding:
            break
        placed.append((facts.outer_padding, y, width, height))
        y += height + gap
    y -= gap
    for width, height in levels[len(placed) :]:
        x = facts.outer_padding + size_wh[0] - width
        top = y - height
        if top <= facts.outer_padding + size_wh[1] - 1:
            break  # it would run into the picture itself
        placed.append((x, top, width, height))
        y -= height + gap
    canvas = (size_wh[0] + 2 * facts.outer_padding, column + 2 * facts.outer_padding)
    return np.array(placed), canvas


def tiled_pyramid(picture: Tensor, tiles: NDArray[np.int64], size_wh: tuple[int, int]) -> Tensor:
    """Draw a normalised picture `(3, h, w)` and its smaller copies on a canvas of zeros."""
    canvas = np.zeros((3, size_wh[1], size_wh[0]), np.float32)
    level = picture
    for x, y, width, height in tiles:
        level = resize_corners(level, int(width), int(height))
        canvas[:, y : y + height, x : x + width] = level
    return canvas


def resize_corners(planes: Tensor, width: int, height: int) -> Tensor:
    """Bilinear resize of `(c, h, w)` that maps corner pixels to corner pixels."""
    if planes.shape[1:] == (height, width):
        return planes
    for axis, size in ((1, height), (2, width)):
        position = np.linspace(0, planes.shape[axis] - 1, size)
        low = np.minimum(position.astype(np.intp), max(planes.shape[axis] - 2, 0))
        share = (position - low).astype(np.float32)
        share = share[:, None] if axis == 1 else share
        near, far = planes.take(low, axis), planes.take(np.minimum(low + 1, planes.shape[axis] - 1), axis)
        far -= near
        far *= share
        near += far
        planes = near
    return planes


def boxes_from_centres(centre: FloatArray, tiles: NDArray[np.int64], facts: MmodFacts) -> FloatArray:
    """Map window centres `(n, 2)` on the canvas to boxes `(n, 4)` in the picture."""
    if not len(centre):
        return np.zeros((0, 4))
    low = tiles[:, :2]
    high = tiles[:, :2] + tiles[:, 2:] - 1
    nearest = np.clip(centre[:, None], low[None], high[None])
    level = np.argmin(((nearest - centre[:, None]) ** 2).sum(2), axis=1)
    half = (facts.window - 1) / 2
    box = np.concatenate([centre - half, centre + half], 1) - np.tile(tiles[level, :2], 2)
    # Going up one level multiplies by `ratio` and shifts by 0.3 (dlib's pyramid_down::point_up).
    ratio = facts.rate / (facts.rate - 1)
    grown = ratio ** level[:, None].astype(np.float64)
    scaled: FloatArray = box * grown + 0.3 * (grown - 1) / (ratio - 1)
    return scaled


def suppress(box: FloatArray, score: FloatArray, iou: float, covered: float) -> NDArray[np.intp]:
    """Greedy suppression by dlib's two tests: IoU, and share of either box that is covered."""
    order = np.argsort(-score, kind="stable")
    pixels = box + np.array([0, 0, 1, 1])  # dlib's boxes include their last pixel
    shared = intersection(pixels, pixels)
    own = np.diag(shared)
    overlaps = shared > iou * (own[:, None] + own[None, :] - shared)
    overlaps |= shared > covered * np.minimum(own[:, None], own[None, :])
    keep: list[int] = []
    for i in order:
        if not overlaps[i, keep].any():
            keep.append(int(i))
    return np.array(keep, np.intp)
