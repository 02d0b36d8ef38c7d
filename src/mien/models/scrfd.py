"""SCRFD: a face detector whose anchors regress the distances to the sides of the box.

Guo, Deng, Lattas and Zafeiriou, Sample and Computation Redistribution for Efficient Face Detection,
ICLR 2022, arXiv:2105.04714. Files come with and without points.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.models.oneshot import Candidates, OneShot, OneShotFacts, join
from mien.models.stage import Count, read_facts
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Tensor = NDArray[np.float32]


class ScrfdMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scale of the outputs.

    Attributes:
        stride: Pixels between its cells.
        score: Name of the output of scores.
        box: Name of the output of distances, in strides.
        points: Name of the output of points; None for files without.
    """

    stride: Count
    score: str
    box: str
    points: str | None = None


class ScrfdFacts(OneShotFacts, frozen=True):
    """Facts of a detector of this family.

    Attributes:
        maps: The outputs, which files name in many ways.
        anchors: Anchors at each cell.
    """

    maps: tuple[ScrfdMap, ...]
    anchors: Count


def scrfd(pack: Pack, runtime: Runtime, settings: Settings) -> OneShot:
    """Make the stage of a pack of this family."""
    facts = read_facts(pack.manifest, ScrfdFacts)
    points = all(one.points is not None for one in facts.maps)
    return OneShot(pack, runtime, settings, facts, partial(decode, facts), points=points)


def decode(
    facts: ScrfdFacts, outputs: Mapping[str, Tensor], size_wh: tuple[int, int], least: float
) -> Candidates:
    """Read the outputs of one view; see `mien.models.oneshot.Decode`."""
    return join([_decode_map(one, facts.anchors, outputs, size_wh[0], least) for one in facts.maps])


def _decode_map(
    one: ScrfdMap, anchors: int, outputs: Mapping[str, Tensor], width: int, least: float
) -> Candidates:
    score = outputs[one.score][:, 0]
    keep = np.flatnonzero(score >= least)
    cell = keep // anchors
    columns = width // one.stride
    anchor = np.stack([cell % columns, cell // columns], 1) * one.stride
    low, high = np.split(outputs[one.box][keep] * one.stride, 2, 1)
    points = None
    if one.points is not None:
        points = anchor[:, None] + outputs[one.points][keep].reshape(-1, 5, 2) * one.stride
    return Candidates(np.concatenate([anchor - low, anchor + high], 1), score[keep], points)
