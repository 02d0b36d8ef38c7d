"""YuNet: a face detector of 76,000 parameters without anchors.

Wu, Peng and Yu, YuNet: A Tiny Millisecond-level Face Detector, Machine Intelligence Research 20(5), 2023.
Read as `modules/objdetect/src/face_detect.cpp` of OpenCV reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mien.models.oneshot import Candidates, OneShot, OneShotFacts, join
from mien.models.stage import Count, read_facts
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Tensor = NDArray[np.float32]


class YunetFacts(OneShotFacts, frozen=True):
    """Facts of a detector of this family.

    Attributes:
        strides: Pixels between the cells of each output map; outputs are called `cls_8` and so on.
    """

    strides: tuple[Count, ...]


def yunet(pack: Pack, runtime: Runtime, settings: Settings) -> OneShot:
    """Make the stage of a pack of this family."""
    facts = read_facts(pack.manifest, YunetFacts)
    return OneShot(pack, runtime, settings, facts, partial(decode, facts), points=True)


def decode(
    facts: YunetFacts, outputs: Mapping[str, Tensor], size_wh: tuple[int, int], least: float
) -> Candidates:
    """Read the outputs of one view; see `mien.models.oneshot.Decode`."""
    return join([_decode_map(outputs, stride, size_wh[0] // stride, least) for stride in facts.strides])


def _decode_map(outputs: Mapping[str, Tensor], stride: int, columns: int, least: float) -> Candidates:
    face, object_ness = outputs[f"cls_{stride}"][:, 0], outputs[f"obj_{stride}"][:, 0]
    score = np.sqrt(np.clip(face, 0, 1) * np.clip(object_ness, 0, 1))
    keep = np.flatnonzero(score >= least)
    cell = np.stack([keep % columns, keep // columns], 1)
    shift, size = np.split(outputs[f"bbox_{stride}"][keep], 2, 1)
    centre, half = (cell + shift) * stride, np.exp(size) * stride / 2
    points = (cell[:, None] + outputs[f"kps_{stride}"][keep].reshape(-1, 5, 2)) * stride
    return Candidates(np.concatenate([centre - half, centre + half], 1), score[keep], points)
