"""RetinaFace: a single-stage detector whose anchors are squares of several sizes.

Deng, Guo, Ververas, Kotsia and Zafeiriou, RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild,
CVPR 2020, arXiv:1905.00641. Boxes and points are coded relative to the anchors as in SSD (Liu et al., ECCV
2016, arXiv:1512.02325).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mien.models.oneshot import Candidates, OneShot, OneShotFacts
from mien.models.stage import Count, read_facts
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Tensor = NDArray[np.float32]


class RetinaOutputs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the outputs: scores `(k, 2)`, the second a face; boxes `(k, 4)`; points `(k, 10)`, if any."""

    score: str
    box: str
    points: str | None = None


class RetinafaceFacts(OneShotFacts, frozen=True):
    """Facts of a detector of this family.

    Attributes:
        outputs: What they are called.
        strides: Pixels between the cells of each map.
        sides: Sides of the anchors at each cell of each map, in pixels.
        variances: Factors of shifts and of logarithms of sizes.
    """

    outputs: RetinaOutputs
    strides: tuple[Count, ...]
    sides: tuple[tuple[Count, ...], ...]
    variances: tuple[Annotated[float, Meta(gt=0)], Annotated[float, Meta(gt=0)]]

    def __post_init__(self) -> None:
        if len(self.strides) != len(self.sides):
            raise ValueError("strides and sides want one entry for each map")


def retinaface(pack: Pack, runtime: Runtime, settings: Settings) -> OneShot:
    """Make the stage of a pack of this family."""
    facts = read_facts(pack.manifest, RetinafaceFacts)
    points = facts.outputs.points is not None
    return OneShot(pack, runtime, settings, facts, partial(decode, facts), points=points)


def decode(
    facts: RetinafaceFacts, outputs: Mapping[str, Tensor], size_wh: tuple[int, int], least: float
) -> Candidates:
    """Read the outputs of one view; see `mien.models.oneshot.Decode`."""
    names = facts.outputs
    score = outputs[names.score][:, 1]
    keep = np.flatnonzero(score >= least)
    centre, side = np.split(anchors(size_wh, facts.strides, facts.sides)[keep], [2], 1)
    shift, size = np.split(outputs[names.box][keep], 2, 1)
    middle = centre + shift * facts.variances[0] * side
    half = side * np.exp(size * facts.variances[1]) / 2
    points = None
    if names.points is not None:
        shifts = outputs[names.points][keep].reshape(-1, 5, 2)
        points = centre[:, None] + shifts * facts.variances[0] * side[:, None]
    return Candidates(np.concatenate([middle - half, middle + half], 1), score[keep], points)


@lru_cache(maxsize=16)
def anchors(
    size_wh: tuple[int, int], strides: tuple[int, ...], sides: tuple[tuple[int, ...], ...]
) -> NDArray[np.float64]:
    """Centre x, centre y and side of every anchor `(k, 3)`: map by map, row by row, cell by cell."""
    width, height = size_wh
    found = []
    for stride, own in zip(strides, sides, strict=True):
        rows, columns, side = np.meshgrid(
            (np.arange(-(-height // stride)) + 0.5) * stride,
            (np.arange(-(-width // stride)) + 0.5) * stride,
            np.array(own, float),
            indexing="ij",
        )
        found.append(np.stack([columns, rows, side], -1).reshape(-1, 3))
    return np.concatenate(found)
