"""How far eyes and mouth are open, from the contours in the face mesh.

The eye aspect ratio of Soukupová and Čech, Real-Time Eye Blink Detection using Facial Landmarks, CVWW
2016: how far the lids are apart, as a share of how far the corners are. It is taken in three dimensions,
so that a face that turns away does not seem to open its eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import InferenceError
from mien.models.looks import FloatArray
from mien.models.stage import read_facts
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Number = Annotated[int, msgspec.Meta(ge=0, lt=478)]
Ratio = Annotated[float, msgspec.Meta(ge=0, le=10)]


class Slit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An opening of the face, by numbers of points of the mesh.

    Attributes:
        upper: Points on its upper rim.
        lower: Those on the lower rim that each of them meets when it closes.
        across: Two points whose distance is the measure.
        closed: Ratio at which it counts as closed, 0.
        open: Ratio at which it counts as open, 1; linear between.
    """

    upper: tuple[Number, ...]
    lower: tuple[Number, ...]
    across: tuple[Number, Number]
    closed: Ratio
    open: Ratio

    def __post_init__(self) -> None:
        if not self.upper or len(self.upper) != len(self.lower):
            raise ValueError("upper and lower want as many points, at least one")
        if self.open <= self.closed:
            raise ValueError("open must be more than closed")


class OpennessFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts: the viewer's-left and the viewer's-right eye, and the mouth."""

    left: Slit
    right: Slit
    mouth: Slit


class Openness:
    """Adds `eyes_open` and `mouth_open`.

    Raises:
        ManifestInvalid: The facts do not fit.
    """

    needs = frozenset({"mesh"})
    gives = frozenset({"eyes_open", "mouth_open"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - it runs no network
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, OpennessFacts)

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:  # noqa: ARG002 - it looks at points only
        """Measure every face of the batch."""
        return [self._add(one) for one in faces]

    def _add(self, faces: Faces) -> Faces:
        if faces.mesh is None:
            raise InferenceError(f"{self.name} needs the column mesh.")
        left, right, mouth = (
            openness(faces.mesh, slit) for slit in (self.facts.left, self.facts.right, self.facts.mouth)
        )
        return faces.with_(eyes_open=np.stack([left, right], 1), mouth_open=mouth)


def openness(mesh: FloatArray, slit: Slit) -> FloatArray:
    """How far the slit of meshes `(n, k, 3)` is open, `(n,)` in 0..1."""
    apart = np.linalg.norm(mesh[:, list(slit.upper)] - mesh[:, list(slit.lower)], axis=2).mean(1)
    start, end = slit.across
    across = np.linalg.norm(mesh[:, start] - mesh[:, end], axis=1)
    ratio = apart / np.maximum(across, 1e-6)
    opened: FloatArray = np.clip((ratio - slit.closed) / (slit.open - slit.closed), 0, 1)
    return opened
