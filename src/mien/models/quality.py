"""How well a face can be recognised, by a network that was taught what embedders fail at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.crops import Cut, FaceNetwork, cut_out
from mien.models.stage import Share, read_facts, spread
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]


class QualityFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of a network that judges quality.

    Attributes:
        file: The network; its one output is a number per face.
        cut: What part of the picture it sees.
        calibration: Pairs of the network's number and the quality it stands for, both rising, straight
            lines between them. It gives numbers a meaning and keeps their order.
    """

    file: str
    cut: Cut
    calibration: Annotated[tuple[tuple[float, Share], ...], Meta(min_length=2)]

    def __post_init__(self) -> None:
        if (np.diff(np.array(self.calibration), axis=0) <= 0).any():
            raise ValueError("calibration must rise from pair to pair")


class Quality:
    """Adds `quality`."""

    gives = frozenset({"quality"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, QualityFacts)
        self.needs = self.facts.cut.needs
        self._network = FaceNetwork(pack, self.facts.file, runtime)

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Judge every face of the batch."""
        chips, _ = cut_out(images, faces, self.facts.cut, self._network.size_wh)
        raw = self._network.run(chips)[self._network.output_names[0]]
        quality = calibrated(raw.reshape(len(chips)), self.facts.calibration)
        return [
            found.with_(quality=values) for found, values in zip(faces, spread(quality, faces), strict=True)
        ]


def calibrated(raw: FloatArray, calibration: Sequence[tuple[float, float]]) -> FloatArray:
    """Quality `(n,)` for the network's numbers `(n,)`; beyond the first and last pair that of the pair."""
    numbers, qualities = np.array(calibration).T
    quality: FloatArray = np.interp(raw, numbers, qualities)
    return quality
