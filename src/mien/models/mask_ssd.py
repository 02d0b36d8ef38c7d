"""Masks: a small SSD that finds faces with and without one, asked about faces that are already found.

W. Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016, arXiv:1512.02325.
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
from mien.models.crops import Cut, FaceNetwork, cut_out
from mien.models.stage import Share, read_facts, spread
from mien.ops.align import Matrix, apply_transform
from mien.ops.boxes import iou
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]
Positive = Annotated[float, msgspec.Meta(gt=0, le=10)]


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One feature map with its anchors.

    Attributes:
        cells: Cells per side.
        sizes: Sides of the anchors, as shares of the network's picture; all of them are made with the
            first ratio, the first of them with all ratios.
        ratios: Width over height.
    """

    cells: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    sizes: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1)]
    ratios: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1)]


class MaskSsdFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of an SSD for masks.

    Attributes:
        file: The network.
        cut: What it sees of each face.
        boxes: Output with the offsets of the anchors, `(n, anchors, 4)`.
        classes: Output with the scores of the classes, `(n, anchors, classes)`, 0..1.
        masked: Which class is a face with a mask, counted from 0.
        bare: Which class is a face without one.
        grids: Feature maps, in the order of the outputs.
        variances: Offsets are multiplied by these: x, y, width, height.
        overlap: Anchors whose boxes overlap the face by less are about something else.
        doubt: Added to the scores of both classes, so that a face that the network does not see at all
            comes out near 0.5.
    """

    file: str
    cut: Cut
    boxes: str
    classes: str
    masked: Annotated[int, msgspec.Meta(ge=0)]
    bare: Annotated[int, msgspec.Meta(ge=0)]
    grids: Annotated[tuple[Grid, ...], msgspec.Meta(min_length=1)]
    variances: tuple[Positive, Positive, Positive, Positive]
    overlap: Share
    doubt: Annotated[float, msgspec.Meta(gt=0, le=1)]


class MaskSsd:
    """Adds `mask`."""

    gives = frozenset({"mask"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - nothing to choose
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, MaskSsdFacts)
        self.needs = self.facts.cut.needs
        self._network = FaceNetwork(pack, self.facts.file, runtime)
        self._anchors = make_anchors(self.facts.grids)
        self._check()

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Ask about every face of the batch."""
        facts = self.facts
        chips, matrices = cut_out(images, faces, facts.cut, self._network.size_wh)
        outputs = self._network.run(chips)
        decoded = decode(outputs[facts.boxes], self._anchors, facts.variances)
        own = shares_of_chip(faces, matrices, self._network.size_wh)
        scores = outputs[facts.classes][..., [facts.masked, facts.bare]].astype(np.float64)
        best = np.zeros((len(own), 2))
        for i, box in enumerate(own):
            best[i] = match(scores[i], iou(decoded[i], box[None])[:, 0], facts.overlap)
        masked = (best[:, 0] + facts.doubt) / (best.sum(1) + 2 * facts.doubt)
        return [found.with_(mask=piece) for found, piece in zip(faces, spread(masked, faces), strict=True)]

    def _check(self) -> None:
        facts, count = self.facts, len(self._anchors)
        seen = {name: value.shape[1:] for name, value in self._network.run([]).items()}
        if seen.get(facts.boxes) != (count, 4):
            raise ManifestInvalid(f"{self.name} wants an output {facts.boxes} of {count} boxes.")
        shape = seen.get(facts.classes, ())
        if len(shape) != 2 or shape[0] != count or shape[1] <= max(facts.masked, facts.bare):
            raise ManifestInvalid(f"{self.name} wants an output {facts.classes} of {count} boxes' classes.")


def make_anchors(grids: Sequence[Grid]) -> FloatArray:
    """All anchors `(n, 4)`: centre x, y, width, height as shares of the picture."""
    return np.concatenate([_anchors_of(grid) for grid in grids])


def _anchors_of(grid: Grid) -> FloatArray:
    shapes = [(size, grid.ratios[0]) for size in grid.sizes]
    shapes += [(grid.sizes[0], ratio) for ratio in grid.ratios[1:]]
    sides = np.array([[size * ratio**0.5, size / ratio**0.5] for size, ratio in shapes])
    middle = (np.arange(grid.cells) + 0.5) / grid.cells
    y, x = np.meshgrid(middle, middle, indexing="ij")
    centre = np.stack([x.ravel(), y.ravel()], 1)
    return np.concatenate([np.repeat(centre, len(sides), 0), np.tile(sides, (len(centre), 1))], 1)


def decode(offsets: FloatArray, anchors: FloatArray, variances: Sequence[float]) -> FloatArray:
    """Boxes `(n, anchors, 4)` xyxy from offsets of that shape, as shares of the picture."""
    moved = offsets.astype(np.float64) * np.array(variances)
    centre = anchors[:, :2] + moved[..., :2] * anchors[:, 2:]
    # Nothing sensible is e**10 times as large as its anchor; beyond it numbers overflow.
    half = anchors[:, 2:] * np.exp(np.clip(moved[..., 2:], -10, 10)) / 2
    return np.concatenate([centre - half, centre + half], -1)


def shares_of_chip(faces: Sequence[Faces], matrices: Matrix, size_wh: tuple[int, int]) -> FloatArray:
    """Where each face's box lies in its chip `(n, 4)`, as shares of the chip's sides."""
    box = np.concatenate([np.zeros((0, 4)), *(found.box for found in faces)])
    # Edges of pixels, half a pixel outside of their centres.
    corners = apply_transform(matrices, box.reshape(-1, 2, 2) - 0.5) + 0.5
    shares: FloatArray = np.concatenate([corners.min(1), corners.max(1)], 1) / np.tile(np.array(size_wh), 2)
    return shares


def match(scores: FloatArray, overlap: FloatArray, least: float) -> FloatArray:
    """Scores `(2,)` of the surest of the anchors whose box is the face's; zeros if there is none."""
    about = overlap >= least
    if not about.any():
        return np.zeros(2)
    candidates = scores[about]
    best: FloatArray = candidates[candidates.max(1).argmax()]
    return best
