"""Embedders: an aligned crop of a face in, a vector out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import InferenceError, ManifestInvalid
from mien.models.stage import read_facts, spread
from mien.ops.align import Matrix, invert_transform, similarity_transform
from mien.ops.vectors import l2_normalise
from mien.ops.warp import warp
from mien.packs.manifest import Input, space
from mien.packs.store import Pack
from mien.runtime.prepare import to_tensor
from mien.runtime.session import Runtime

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.floating[Any]]

# Memory stays bounded on crowds; larger batches were measured to bring nothing on a CPU.
_MOST_CHIPS = 32
# Points that are nearer to each other, in pixels, say nothing about how a face lies.
_LEAST_SPREAD = 1e-3


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

    def __init__(self, pack: Pack, runtime: Runtime) -> None:
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, EmbedderFacts)
        self.needs = frozenset({self.facts.points})
        if pack.manifest.input is None or pack.manifest.input.size_wh is None:
            raise ManifestInvalid(f"Pack {self.name} needs an [input] with size_wh.")
        self._input: Input = pack.manifest.input
        self._size_wh: tuple[int, int] = pack.manifest.input.size_wh
        self._space = space(pack.manifest)
        self._network = runtime.network(pack.file(self.facts.file))
        if len(self._network.input_names) != 1:
            raise ManifestInvalid(f"The network of pack {self.name} wants more than a picture.")

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
        points = getattr(faces, self.facts.points)
        if (np.ptp(points, axis=1).max(1) < _LEAST_SPREAD).any():
            raise InferenceError(f"The points of a face in {image.source or 'a picture'} coincide.")
        matrices = align(points, np.array(self.facts.template), self.facts.fit, self._size_wh)
        return [warp(image.rgb, matrix, self._size_wh) for matrix in matrices]

    def embed(self, chips: Sequence[Pixels]) -> NDArray[np.float32]:
        """Embed aligned chips; `(n, d)` float32."""
        if not len(chips):
            # What no face gives has the width of what a face gives.
            width, height = self._size_wh
            return self.embed([np.zeros((height, width, 3), np.uint8)])[:0]
        parts = [self._run(chips[start : start + _MOST_CHIPS]) for start in range(0, len(chips), _MOST_CHIPS)]
        vectors = np.concatenate(parts)
        return l2_normalise(vectors).astype(np.float32) if self.facts.normalise else vectors

    def _run(self, chips: Sequence[Pixels]) -> NDArray[np.float32]:
        seen = self._network.run({self._network.input_names[0]: to_tensor(chips, self._input)})
        return seen[self._network.output_names[0]].reshape(len(chips), -1)


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
