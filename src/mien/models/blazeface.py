"""BlazeFace: MediaPipe's detector for faces near a telephone's camera.

Bazarevsky, Kartynnik, Vakunov, Raveendran and Grundmann, BlazeFace: Sub-millisecond Neural Face Detection on
Mobile GPUs, 2019, arXiv:1907.05047. Read as `mediapipe/modules/face_detection/face_detection.pbtxt` says.

Its six points are eyes, tip of the nose, middle of the mouth and ears. Mouth corners are not among them and
do not follow from them, so it gives none of the five points of other detectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mien.models.oneshot import Candidates, OneShot, OneShotFacts
from mien.models.retinaface import anchors
from mien.models.stage import Count, read_facts
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Tensor = NDArray[np.float32]

# The raw score beyond which MediaPipe cuts it, which also keeps the exponential finite.
_MOST_LOGIT = 80.0


class BlazefaceFacts(OneShotFacts, frozen=True):
    """Facts of a detector of this family.

    Attributes:
        score: Name of the output of raw scores `(k, 1)`.
        box: Name of the output of regressors `(k, 16)`: centre, size and six points in pixels.
        strides: Pixels between the cells of each map.
        anchors: Anchors at each cell of each map; all alike, one pixel large.
    """

    score: str
    box: str
    strides: tuple[Count, ...]
    anchors: tuple[Count, ...]

    def __post_init__(self) -> None:
        if len(self.strides) != len(self.anchors):
            raise ValueError("strides and anchors want one entry for each map")


def blazeface(pack: Pack, runtime: Runtime, settings: Settings) -> OneShot:
    """Make the stage of a pack of this family."""
    facts = read_facts(pack.manifest, BlazefaceFacts)
    return OneShot(pack, runtime, settings, facts, partial(decode, facts), points=False)


def decode(
    facts: BlazefaceFacts, outputs: Mapping[str, Tensor], size_wh: tuple[int, int], least: float
) -> Candidates:
    """Read the outputs of one view; see `mien.models.oneshot.Decode`."""
    logit = np.clip(outputs[facts.score][:, 0], -_MOST_LOGIT, _MOST_LOGIT)
    score = 1 / (1 + np.exp(-logit))
    keep = np.flatnonzero(score >= least)
    sides = tuple((1,) * count for count in facts.anchors)
    anchor = anchors(size_wh, facts.strides, sides)[keep, :2]
    shift, size = np.split(outputs[facts.box][keep, :4], 2, 1)
    centre = anchor + shift
    return Candidates(np.concatenate([centre - size / 2, centre + size / 2], 1), score[keep])
