"""How far each of ARKit's 52 movements goes, from the face mesh.

The network that MediaPipe's face landmarker runs on its mesh (`face_blendshapes_graph.cc`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.looks import FloatArray
from mien.models.stage import read_facts, spread
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

# Bounds the memory of crowds.
_MOST_FACES = 256

Number = Annotated[int, msgspec.Meta(ge=0, lt=478)]


class BlendshapesFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of the network.

    Attributes:
        file: The network.
        output: Its output with the 52 numbers.
        points: Numbers of the points of the mesh that it wants, in its order.
        level: The two points whose line is made level: the outer corners of the eyes.
    """

    file: str
    output: str
    points: tuple[Number, ...]
    level: tuple[Number, Number]


class Blendshapes:
    """Adds `blendshapes`.

    The network itself takes no notice of where the points lie and how large the face is, but of how it is
    turned; so the points are turned until the eyes are level.

    Raises:
        ManifestInvalid: The facts do not fit.
    """

    needs = frozenset({"mesh"})
    gives = frozenset({"blendshapes"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - all is in the manifest
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, BlendshapesFacts)
        self._network = runtime.network(pack.file(self.facts.file))

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:  # noqa: ARG002 - it looks at points only
        """Judge the mesh of every face of the batch."""
        meshes = [one.mesh for one in faces if one.mesh is not None]
        found = self.judge(np.concatenate([np.zeros((0, 478, 3)), *meshes]))
        return [one.with_(blendshapes=rows) for one, rows in zip(faces, spread(found, faces), strict=True)]

    def judge(self, mesh: FloatArray) -> FloatArray:
        """The 52 coefficients `(n, 52)` in 0..1 of meshes `(n, 478, 3)`."""
        points = upright(mesh, self.facts.level)[:, list(self.facts.points)].astype(np.float32)
        parts = [np.zeros((0, 52), np.float32)]
        for start in range(0, len(points), _MOST_FACES):
            given = {self._network.input_names[0]: points[start : start + _MOST_FACES]}
            parts.append(self._network.run(given)[self.facts.output].reshape(-1, 52))
        return np.clip(np.concatenate(parts), 0, 1)


def upright(mesh: FloatArray, level: tuple[int, int]) -> FloatArray:
    """The meshes `(n, k, 3)` in the plane, `(n, k, 2)`, turned so that two points lie level.

    They are moved to the first of both, too: far from the origin float32 would round them.
    """
    flat = mesh[..., :2].astype(np.float64)
    start, end = flat[:, level[0]], flat[:, level[1]]
    angle = np.arctan2(*(end - start).T[::-1])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], 1), np.stack([sin, cos], 1)], 1)
    turned: FloatArray = (flat - start[:, None]) @ turn
    return turned
