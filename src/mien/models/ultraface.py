"""Ultra-Light-Fast-Generic-Face-Detector-1MB: an SSD for one size of picture, which decodes its boxes itself.

Linzaer, https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB, 2019. Gives no points.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mien.models.oneshot import Candidates, OneShot, OneShotFacts
from mien.models.stage import read_facts
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Tensor = NDArray[np.float32]


class UltrafaceFacts(OneShotFacts, frozen=True):
    """Facts of a detector of this family.

    Attributes:
        score: Name of the output of scores `(k, 2)`, the second of a face.
        box: Name of the output of boxes xyxy `(k, 4)`, as shares of the tensor's sides.
    """

    score: str
    box: str


def ultraface(pack: Pack, runtime: Runtime, settings: Settings) -> OneShot:
    """Make the stage of a pack of this family."""
    facts = read_facts(pack.manifest, UltrafaceFacts)
    return OneShot(pack, runtime, settings, facts, partial(decode, facts), points=False)


def decode(
    facts: UltrafaceFacts, outputs: Mapping[str, Tensor], size_wh: tuple[int, int], least: float
) -> Candidates:
    """Read the outputs of one view; see `mien.models.oneshot.Decode`."""
    score = outputs[facts.score][:, 1]
    keep = np.flatnonzero(score >= least)
    return Candidates(outputs[facts.box][keep] * np.tile(size_wh, 2), score[keep])
