"""MediaPipe's face mesh: 478 points with depth, among them the irises.

Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019, and
Grishchenko et al., Attention Mesh, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.looks import PointFacts, PointNetwork
from mien.models.stage import read_facts, spread
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings


class Mesh:
    """Adds `mesh`. Needs only boxes; with five points, faces may lie at any angle.

    Raises:
        ManifestInvalid: The facts do not fit.
    """

    needs = frozenset({"box"})
    gives = frozenset({"mesh"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - all is in the manifest
        self.name = pack.manifest.name
        self._network = PointNetwork(pack, read_facts(pack.manifest, PointFacts), 3, runtime)

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Find the mesh of every face of the batch."""
        found = self._network.find(images, faces)
        return [one.with_(mesh=rows) for one, rows in zip(faces, spread(found, faces), strict=True)]
