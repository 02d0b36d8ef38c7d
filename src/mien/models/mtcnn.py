"""MTCNN: three cascaded networks that find faces and five points.

Zhang, Zhang, Li and Qiao, Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks, 2016, arXiv:1604.02878.

The proposal network slides over a pyramid of the picture; what it proposes is cut out and judged
twice more, all pictures of a batch together. Boxes name their first and last pixel, and windows are
rounded where the published code rounds: the networks were trained with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.stage import Count, Share, read_facts
from mien.ops.boxes import nms, square
from mien.ops.mipmap import Mipmap
from mien.packs.manifest import Input
from mien.packs.store import Pack
from mien.runtime.prepare import to_tensor
from mien.runtime.session import Network, Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]
Tensor = NDArray[np.float32]

# The architecture of the proposal network: it sees 12 pixels and moves by 2.
_CELL, _STRIDE = 12, 2
# Crops that are judged together: memory stays bounded on crowds.
_MOST_CROPS = 256


class MtcnnFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decode constants of a cascade of this family.

    Attributes:
        thresholds: Least probability of a face after each of the three networks.
        factor: From one level of the pyramid to the next.
        min_face: Side of the smallest face to look for, in pixels of the picture.
        most_pixels: Largest first level of the pyramid; larger pictures are searched for larger faces.
        most_proposals: Proposals per picture that go on to the second network, best first.
        overlaps: Suppression thresholds: within a level, between levels, after the second network,
            and after the third (there over the smaller box).
    """

    thresholds: tuple[Share, Share, Share]
    factor: Annotated[float, Meta(gt=0, lt=1)]
    min_face: Annotated[int, Meta(ge=_CELL)]
    most_pixels: Count
    most_proposals: Count
    overlaps: tuple[Share, Share, Share, Share]


@dataclass(frozen=True, slots=True)
class _Windows:
    """Candidates of a whole batch: boxes `(n, 4)`, probability `(n,)`, number of their picture `(n,)`."""

    box: FloatArray
    score: FloatArray
    picture: NDArray[np.intp]

    def __getitem__(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> _Windows:
        return _Windows(self.box[keep], self.score[keep], self.picture[keep])


@dataclass(frozen=True, slots=True)
class _Judge:
    """The second or third network with the side of the crops it looks at."""

    network: Network
    side: int


class Mtcnn:
    """Finds faces of at least `min_face` pixels; gives boxes, scores and five points."""

    needs = frozenset[str]()
    gives = frozenset({"box", "score", "points"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, MtcnnFacts)
        if pack.manifest.input is None:
            raise ManifestInvalid(f"Pack {self.name} needs an [input].")
        self._input: Input = pack.manifest.input
        # Of the last network, whose probability is the score; the first two only propose.
        self._least = settings.least_score or self.facts.thresholds[2]
        self._pnet = runtime.network(pack.file("pnet.onnx"))
        self._refine = _Judge(runtime.network(pack.file("rnet.onnx")), 24)
        self._output = _Judge(runtime.network(pack.file("onet.onnx")), 48)

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:  # noqa: ARG002 - a detector comes first
        """Detect in all pictures of the batch."""
        facts = self.facts
        pictures = [Mipmap(image.rgb) for image in images]
        found = _concatenate(
            [
                self._propose(picture, image.size_wh, i)
                for i, (picture, image) in enumerate(zip(pictures, images, strict=True))
            ]
        )

        found, shift, _ = self._judge(self._refine, pictures, found, facts.thresholds[1])
        keep = nms(found.box, found.score, facts.overlaps[2], group=found.picture)
        found = found[keep]
        found = replace(found, box=square(_shifted(found.box, shift[keep], 1)))

        found, shift, shares = self._judge(self._output, pictures, found, self._least)
        sides = found.box[:, 2:] - found.box[:, :2] + 1
        points = found.box[:, None, :2] + shares.reshape(-1, 2, 5).transpose(0, 2, 1) * sides[:, None]
        found = replace(found, box=_shifted(found.box, shift, 1))
        keep = nms(found.box, found.score, facts.overlaps[3], measure="smaller", group=found.picture)
        found, points = found[keep], points[keep]

        results = []
        for i, image in enumerate(images):
            mine = found.picture == i
            results.append(Faces(image.size_wh, found.box[mine], found.score[mine], points[mine]))
        return results

    def _propose(self, picture: Mipmap, size_wh: tuple[int, int], number: int) -> _Windows:
        """Slide the first network over the pyramid of one picture."""
        found = []
        for scale, level_wh in pyramid_levels(size_wh, self.facts):
            maps = self._pnet.run({"image": to_tensor(picture.resized(level_wh)[None], self._input)})
            face, shift = maps["face"][0, 0], maps["shift"][0]
            rows, columns = np.nonzero(face >= self.facts.thresholds[0])
            corner = np.stack([columns, rows], 1) * _STRIDE
            box = np.floor(np.concatenate([corner + 1, corner + _CELL], 1) / scale) - 1
            score = face[rows, columns].astype(np.float64)
            keep = nms(box, score, self.facts.overlaps[0])
            box = _shifted(box[keep], shift[:, rows[keep], columns[keep]].T, 0)
            found.append(_Windows(box, score[keep], np.full(len(keep), number)))
        merged = _concatenate(found)
        keep = nms(merged.box, merged.score, self.facts.overlaps[1])[: self.facts.most_proposals]
        merged = merged[keep]
        return replace(merged, box=square(merged.box))

    def _judge(
        self, judge: _Judge, pictures: Sequence[Mipmap], found: _Windows, least: float
    ) -> tuple[_Windows, Tensor, Tensor]:
        """Look at every window again; returns those that pass, how to move their sides, and points."""
        found = found[(found.box[:, 2] - found.box[:, 0]) >= 2]
        if not len(found.box):
            return found, np.zeros((0, 4), np.float32), np.zeros((0, 10), np.float32)
        # A box names its last pixel, a crop ends after it.
        edges = np.floor(found.box) + np.array([0, 0, 1, 1])
        seen = [
            self._look(
                judge,
                pictures,
                edges[start : start + _MOST_CROPS],
                found.picture[start : start + _MOST_CROPS],
            )
            for start in range(0, len(edges), _MOST_CROPS)
        ]
        face, shift, points = (np.concatenate(part) for part in zip(*seen, strict=True))
        keep = face >= least
        found = replace(found, score=face.astype(np.float64))
        return found[keep], shift[keep], points[keep]

    def _look(
        self, judge: _Judge, pictures: Sequence[Mipmap], edges: FloatArray, picture: NDArray[np.intp]
    ) -> tuple[Tensor, Tensor, Tensor]:
        crops = [pictures[i].square(box, judge.side) for box, i in zip(edges, picture, strict=True)]
        seen = judge.network.run({"image": to_tensor(crops, self._input)})
        face = seen["face"][:, 0]
        return face, seen["shift"], seen.get("points", np.zeros((len(face), 10), np.float32))


def pyramid_levels(size_wh: tuple[int, int], facts: MtcnnFacts) -> list[tuple[float, tuple[int, int]]]:
    """Scale, and width and height, of each level; a face of `min_face` pixels is 12 wide on the first."""
    width, height = size_wh
    scale = min(_CELL / facts.min_face, (facts.most_pixels / (width * height)) ** 0.5, 1.0)
    levels = []
    while min(width, height) * scale >= _CELL:
        levels.append((scale, (int(width * scale + 1), int(height * scale + 1))))
        scale *= facts.factor
    return levels


def _shifted(box: FloatArray, shift: Tensor, last: int) -> FloatArray:
    """Move the sides of boxes by the regressed shares of their size.

    The first network was trained with sides of `x2 - x1`, the others with `x2 - x1 + 1` pixels.
    """
    sides = box[:, 2:] - box[:, :2] + last
    return box + shift * np.tile(sides, 2)


def _concatenate(parts: Sequence[_Windows]) -> _Windows:
    if not parts:
        return _Windows(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.intp))
    return _Windows(
        np.concatenate([part.box for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.picture for part in parts]),
    )
