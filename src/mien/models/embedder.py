"""Embedders: an aligned crop of a face in, a vector out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.crops import FaceNetwork, spread_points
from mien.models.stage import read_facts, spread
from mien.ops.align import Matrix, invert_transform, similarity_transform
from mien.ops.vectors import l2_normalise
from mien.ops.warp import warp
from mien.packs.manifest import Manifest, space
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.floating[Any]]


class EmbedderFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of an embedder.

    Attributes:
        file: The network.
        points: Column of face points that the alignment uses.
        template: Where those points lie in the aligned chip, in its pixels.
        fit: How the chip is cut: `umeyama` brings the points nearest to the template; `dlib` as dlib
            cuts chips, see `dlib_chip`.
        normalise: Whether embeddings are scaled to length one.
    """

    file: str
    points: Literal["points", "corners"]
    template: Annotated[list[tuple[float, float]], msgspec.Meta(min_length=5, max_length=5)]
    fit: Literal["umeyama", "dlib"]
    normalise: bool


class Embedder:
    """Adds `embedding` and its `space`."""

    gives = frozenset({"embedding"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, EmbedderFacts)
        self.needs = frozenset({self.facts.points})
        self._network = FaceNetwork(pack, self.facts.file, runtime)
        self._flip = settings.flipping
        self._space = embedding_space(pack.manifest, flip=self._flip)

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Embed every face of the batch."""
        chips = [
            chip for image, found in zip(images, faces, strict=True) for chip in self.chips(image, found)
        ]
        vectors = self.embed(chips)
        return [
            found.with_(embedding=rows, space=self._space)
            for found, rows in zip(faces, spread(vectors, faces), strict=True)
        ]

    def chips(self, image: Image, faces: Faces) -> list[Pixels]:
        """Cut out the aligned chip of every face: uint8 RGB `(h, w, 3)` of the network's input size."""
        points, size_wh = spread_points(faces, self.facts.points), self._network.size_wh
        matrices = align(points, np.array(self.facts.template), self.facts.fit, size_wh)
        return [warp(image.rgb, matrix, size_wh) for matrix in matrices]

    def embed(self, chips: Sequence[Pixels]) -> NDArray[np.float32]:
        """Embed aligned chips; `(n, d)` float32."""
        vectors = self._once(chips)
        if self._flip:
            # Mirror images first made equally long: neither side shall outweigh the other.
            mirrored = self._once([chip[:, ::-1] for chip in chips])
            length = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = l2_normalise(l2_normalise(vectors) + l2_normalise(mirrored)) * length
        return l2_normalise(vectors).astype(np.float32) if self.facts.normalise else vectors

    def _once(self, chips: Sequence[Pixels]) -> NDArray[np.float32]:
        seen = self._network.run(chips)[self._network.output_names[0]]
        return seen.reshape(len(chips), int(np.prod(seen.shape[1:])))


def embedding_space(manifest: Manifest, *, flip: bool) -> str:
    """Name of the space of the vectors: means with mirror images are not compared with plain ones."""
    return space(manifest) + ("+flip" if flip else "")


def align(points: FloatArray, template: FloatArray, fit: str, size_wh: tuple[int, int]) -> Matrix:
    """Transforms `(n, 2, 3)` from the picture to the chip, for points `(n, k, 2)` and template `(k, 2)`."""
    return (
        similarity_transform(points, template) if fit == "umeyama" else dlib_chip(points, template, size_wh)
    )


def dlib_chip(points: FloatArray, template: FloatArray, size_wh: tuple[int, int]) -> Matrix:
    """Transforms as dlib's `get_face_chip_details` and `extract_image_chip` have them.

    The template is brought nearest to the points, with the error measured in the picture. Template
    coordinates count from the chip's edge, and the chip's corner pixels are the corner pixels of the
    rectangle cut out, which is therefore a trace wider than the similarity says. Each halving of a
    large face moves what is seen by a quarter of a pixel left and down (`pyramid_down::point_down`
    subtracts 1.25 and 0.75 where 1 would be true); the network was trained on such chips.
    """
    size = np.array(size_wh, np.float64)
    back = similarity_transform(template, points)
    scale = np.linalg.norm(back[:, :, 0], axis=1)[:, None, None]
    centre = back[:, :, :2] @ (size / 2)[:, None] + back[:, :, 2:]
    turn = back[:, :, :2] * (size * scale - 1) / ((size - 1) * scale)
    halvings = np.floor(np.log2(np.maximum(scale, 1)))
    drift = (2**halvings - 1) / 2 * np.array([[-1], [1]])
    shift = centre + drift - turn @ ((size - 1) / 2)[:, None]
    return invert_transform(np.concatenate([turn, shift], 2))
