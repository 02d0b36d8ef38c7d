"""Passive liveness: whether a face is there itself, or a photograph or screen of it is.

Such networks look for the traces that printing, displaying and photographing again leave, one of which is
that fine detail is lost. So their chips are made as those they were trained on, without smoothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.attributes import FloatArray, softmax
from mien.models.crops import Cut, FaceNetwork, transforms
from mien.models.stage import read_facts, spread
from mien.ops.align import Matrix, invert_transform
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network of an ensemble.

    Attributes:
        file: The network.
        cut: What it sees.
        output: Its logits, one for each of its classes.
        live: Which of its classes is the live face, counted from 0.
    """

    file: str
    cut: Cut
    output: str
    live: Annotated[int, msgspec.Meta(ge=0)]


class LivenessFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of passive liveness: the networks whose mean probability of "live" is the score."""

    networks: Annotated[tuple[Member, ...], msgspec.Meta(min_length=1)]


class Liveness:
    """Adds `live`."""

    gives = frozenset({"live"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - nothing to choose
        self.name = pack.manifest.name
        looks = read_facts(pack.manifest, LivenessFacts).networks
        self.needs = frozenset[str]().union(*(look.cut.needs for look in looks))
        self._looks = [(look, FaceNetwork(pack, look.file, runtime)) for look in looks]
        for look, network in self._looks:
            found = network.run([]).get(look.output)
            if found is None or found.ndim != 2 or look.live >= found.shape[1]:
                raise ManifestInvalid(
                    f"{look.file} of {self.name} has no class {look.live} in {look.output}."
                )

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Score every face of the batch."""
        scores = []
        for look, network in self._looks:
            chips = [
                sample(image.rgb, matrix, network.size_wh)
                for image, found in zip(images, faces, strict=True)
                for matrix in transforms(found, look.cut, network.size_wh)
            ]
            logits = network.run(chips)[look.output].astype(np.float64)
            scores.append(softmax(logits)[:, look.live])
        live: FloatArray = np.mean(scores, axis=0)
        return [found.with_(live=piece) for found, piece in zip(faces, spread(live, faces), strict=True)]


def sample(rgb: NDArray[np.uint8], matrix: Matrix, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Cut out a chip whose pixels are each interpolated between the four nearest only.

    That is how OpenCV resizes by default, and so how most networks' chips were made. A chip that is much
    smaller than what it shows skips pixels and keeps their sharpness; `mien.ops.warp.warp` smooths.

    Args:
        rgb: `(h, w, 3)`.
        matrix: `(2, 3)`, from the picture's frame to the chip's.
        size_wh: Width and height of the chip.

    Returns:
        `(height, width, 3)`; black outside of the picture.
    """
    height, width = rgb.shape[:2]
    back = invert_transform(matrix)
    grid = np.stack(np.meshgrid(np.arange(size_wh[0]), np.arange(size_wh[1])), -1)
    at = grid @ back[:, :2].T + back[:, 2]
    limit = np.array([width, height])
    outside = ((at < -0.5) | (at > limit - 0.5)).any(-1)
    at = np.clip(at, 0, limit - 1)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, limit - 1)
    across, down = np.moveaxis(at - low, -1, 0)[..., None]
    top = rgb[low[..., 1], low[..., 0]] * (1 - across) + rgb[low[..., 1], high[..., 0]] * across
    bottom = rgb[high[..., 1], low[..., 0]] * (1 - across) + rgb[high[..., 1], high[..., 0]] * across
    chip: NDArray[np.uint8] = np.rint(top * (1 - down) + bottom * down).astype(np.uint8)
    chip[outside] = 0
    return chip
