"""Face points in the plane, by one small network that regresses all of them at once.

Guo et al., PFLD: A Practical Facial Landmark Detector, arXiv:1902.10859, and its descendants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.looks import PointFacts, PointNetwork
from mien.models.stage import read_facts, spread
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings


class Landmarks:
    """Adds the column that its manifest names first, and `points` where the detector gave none.

    Needs only boxes; with five points, faces may lie at any angle.

    Raises:
        ManifestInvalid: The facts do not fit.
    """

    needs = frozenset({"box"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - all is in the manifest
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, PointFacts)
        self.gives = frozenset(pack.manifest.gives)
        self.column = pack.manifest.gives[0]
        self._network = PointNetwork(pack, self.facts, 2, runtime)

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Find the points of every face of the batch."""
        found = self._network.find(images, faces)
        done = [
            one.with_(**{self.column: rows}) for one, rows in zip(faces, spread(found, faces), strict=True)
        ]
        if not self.facts.points:
            return done
        groups = [list(group) for group in self.facts.points]
        five = np.stack([found[:, group].mean(1) for group in groups], 1)
        return [
            one.with_(points=rows) if one.points is None else one
            for one, rows in zip(done, spread(five, faces), strict=True)
        ]
