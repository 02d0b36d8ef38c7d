"""Where the head is turned, by networks that regress the three angles from a crop.

Yang et al., FSA-Net: Learning Fine-Grained Structure Aggregation for Head Pose Estimation from a Single
Image, CVPR 2019; Intel's head-pose-estimation-adas-0001.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.crops import FaceNetwork
from mien.models.looks import FloatArray, Look, around_box, in_rows, lean, see
from mien.models.stage import read_facts, spread
from mien.models.turns import OUR_ORDER, Angle, pose_of, rotation
from mien.ops.align import Matrix
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Sign = Literal[-1, 1]


class HeadPoseFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of an ensemble of networks for head pose.

    Attributes:
        files: The networks; their angles are averaged.
        outputs: Outputs of each network that hold, one after the other, yaw, pitch and roll in degrees.
        signs: What turns its yaw, pitch and roll into ours: 1 or -1 for each.
        order: In which order its angles make a rotation; see `mien.models.turns`.
        level: The pitch, in our signs, that it gives to people who look straight at the camera.
        look: What it sees.
    """

    files: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    outputs: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    signs: tuple[Sign, Sign, Sign]
    order: tuple[Angle, Angle, Angle]
    look: Look
    level: float = 0.0

    def __post_init__(self) -> None:
        if set(self.order) != set(OUR_ORDER):
            raise ValueError("order wants yaw, pitch and roll, each once")


class HeadPose:
    """Adds `pose`.

    Needs only boxes; with five points the crop is turned upright first, so that heads may lean by any
    angle, although the networks have seen upright ones only.

    Raises:
        ManifestInvalid: The facts do not fit.
    """

    needs = frozenset({"box"})
    gives = frozenset({"pose"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - all is in the manifest
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, HeadPoseFacts)
        self._networks = [FaceNetwork(pack, file, runtime) for file in self.facts.files]

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Judge every face of the batch."""
        size_wh = self._networks[0].size_wh
        matrices = [around_box(one, self.facts.look, size_wh) for one in faces]
        said = np.mean([self._angles(network, images, matrices) for network in self._networks], 0)
        leaning = np.concatenate([np.zeros(0), *(lean(one) for one in faces)])
        pose = in_our_convention(said, self.facts, np.degrees(leaning))
        return [one.with_(pose=rows) for one, rows in zip(faces, spread(pose, faces), strict=True)]

    def _angles(
        self, network: FaceNetwork, images: Sequence[Image], matrices: Sequence[Matrix]
    ) -> FloatArray:
        seen = see(network, images, matrices)
        return np.concatenate([in_rows(seen[name]) for name in self.facts.outputs], 1)


def in_our_convention(said: FloatArray, facts: HeadPoseFacts, lean_deg: FloatArray) -> FloatArray:
    """Translate a network's angles.

    Args:
        said: `(n, 3)` yaw, pitch and roll in degrees, as the network means them.
        facts: What it means by them.
        lean_deg: `(n,)`, by which its crops were turned upright, in degrees clockwise.

    Returns:
        `(n, 3)` yaw, pitch and roll in our convention.
    """
    pose = pose_of(rotation(said * np.array(facts.signs), facts.order))
    roll = (pose[:, 2] + lean_deg + 180) % 360 - 180
    return np.stack([pose[:, 0], pose[:, 1] - facts.level, roll], 1)
