"""Age, gender, expression: networks that read off one crop what a face looks like.

One family for all of them. A network has heads, and the manifest says of each which outputs it reads and
how they become a column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.columns import BY_NAME
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.crops import Cut, FaceNetwork, cut_out
from mien.models.stage import read_facts, spread
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]
Degrees = Annotated[float, msgspec.Meta(ge=0, le=90)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1000)]

# A probability of 0, which int8 networks give, has no logarithm.
_LEAST_PROBABILITY = 1e-7
# Eyes that are nearer to each other than this, in pixels, are seen from the side.
_LEAST_EYES = 1e-3


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    """What every head has.

    Attributes:
        column: What it gives.
        output: Output of the network that it reads.
        part: First and one past the last number of that output, flattened, that are its own; None: all.
    """

    column: str
    output: str
    part: tuple[int, int] | None = None

    def values(self, outputs: dict[str, NDArray[np.float32]]) -> FloatArray:
        """Its own numbers of each face, `(n, k)` float64."""
        found = outputs[self.output].astype(np.float64)
        # The product, because -1 is ambiguous where there are no faces.
        flat: FloatArray = found.reshape(len(found), math.prod(found.shape[1:]))
        first, last = self.part or (0, flat.shape[1])
        return flat[:, first:last]

    def fits(self, count: int) -> bool:
        """Whether it can be read from so many numbers a face."""
        raise NotImplementedError

    def read(self, values: FloatArray) -> FloatArray:
        """The column, from the head's own numbers `(n, k)`."""
        raise NotImplementedError


class Number(Head, frozen=True, tag="number", kw_only=True):
    """One number: `scale * output + offset`, kept within `span`."""

    scale: float = 1.0
    offset: float = 0.0
    span: tuple[float, float]

    def fits(self, count: int) -> bool:
        """One number."""
        return count == 1

    def read(self, values: FloatArray) -> FloatArray:
        """The number, `(n,)`."""
        number: FloatArray = np.clip(values[:, 0] * self.scale + self.offset, *self.span)
        return number


class Ranks(Number, frozen=True, tag="ranks"):
    """A number as pairs of logits, one for each step: "below it", "beyond it".

    The number is how many steps lie behind, counted as the sum of their probabilities. Z. Niu et al., Ordinal
    Regression with Multiple Output CNN for Age Estimation, CVPR 2016.
    """

    def fits(self, count: int) -> bool:
        """Pairs."""
        return count > 0 and count % 2 == 0

    def read(self, values: FloatArray) -> FloatArray:
        """The number, `(n,)`."""
        # Differences of logits beyond 50 change no float64.
        beyond = 1 / (1 + np.exp(np.clip(values[:, ::2] - values[:, 1::2], -50, 50)))
        return super().read(beyond.sum(1, keepdims=True))


class Frontal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a head may be turned for a head of the network to be believed.

    Expressions are learned from faces that look into the camera. The angle is estimated from the five
    points, so that it is the same whatever else is computed; without points every face is believed.

    Attributes:
        trusted: Up to this angle probabilities stay as they are, in degrees to either side.
        blind: From this angle on all are equally likely, which decides nothing; between the two
            probabilities go over from one to the other.
        nose: How far the nose stands out before the eyes, in distances between the eyes.
    """

    trusted: Degrees
    blind: Degrees
    nose: Positive

    def __post_init__(self) -> None:
        if self.trusted >= self.blind:
            raise ValueError("frontal wants trusted < blind")

    def temper(self, probability: FloatArray, points: FloatArray) -> FloatArray:
        """Take certainty from the probabilities `(n, k)` of heads that are turned."""
        turned = np.abs(turn_deg(points, self.nose))
        doubt = np.clip((turned - self.trusted) / (self.blind - self.trusted), 0, 1)[:, None]
        tempered: FloatArray = (1 - doubt) * probability + doubt / probability.shape[1]
        return tempered


class Classes(Head, frozen=True, tag="classes", kw_only=True):
    """Probabilities of classes that exclude each other.

    Attributes:
        labels: The column's labels in the network's order.
        logits: Whether the network leaves the softmax to us.
        temperature: Logits are divided by it, so that a probability of 0.8 comes true in 80 of 100
            cases. C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
        frontal: Doubt about heads that are turned away.
    """

    labels: tuple[str, ...]
    logits: bool
    temperature: Positive = 1.0
    frontal: Frontal | None = None

    def fits(self, count: int) -> bool:
        """One number for each label."""
        return count == len(self.labels)

    def read(self, values: FloatArray) -> FloatArray:
        """The probabilities `(n, k)`, in the order of the column."""
        logits = values if self.logits else np.log(np.maximum(values, _LEAST_PROBABILITY))
        order = [self.labels.index(label) for label in BY_NAME[self.column].labels]
        return softmax(logits[:, order] / self.temperature)


class AttributesFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of a network that reads attributes.

    Attributes:
        file: The network.
        cut: What it sees.
        heads: What it tells.
    """

    file: str
    cut: Cut
    heads: Annotated[tuple[Number | Ranks | Classes, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        for head in self.heads:
            column = BY_NAME.get(head.column)
            if column is None:
                raise ValueError(f"{head.column} is no column")
            labels = head.labels if isinstance(head, Classes) else ()
            if sorted(labels) != sorted(column.labels):
                raise ValueError(f"{head.column} wants the labels {', '.join(column.labels) or 'none'}")


class Attributes:
    """Adds a column for each head of its network."""

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002 - nothing to choose
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, AttributesFacts)
        self.needs = self.facts.cut.needs
        self.gives = frozenset(head.column for head in self.facts.heads)
        self._network = FaceNetwork(pack, self.facts.file, runtime)
        seen = self._network.run([])
        for head in self.facts.heads:
            if head.output not in seen:
                raise ManifestInvalid(f"The network of {self.name} has no output {head.output}.")
            count = head.values(seen).shape[1]
            if not head.fits(count):
                raise ManifestInvalid(f"{self.name} cannot read {head.column} from {count} numbers.")

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Read every face of the batch."""
        chips, _ = cut_out(images, faces, self.facts.cut, self._network.size_wh)
        outputs = self._network.run(chips)
        columns: list[dict[str, FloatArray]] = [{} for _ in faces]
        for head in self.facts.heads:
            pieces = spread(head.read(head.values(outputs)), faces)
            for given, found, piece in zip(columns, faces, pieces, strict=True):
                given[head.column] = _tempered(head, piece, found)
        return [found.with_(**given) for found, given in zip(faces, columns, strict=True)]


def _tempered(head: Head, piece: FloatArray, faces: Faces) -> FloatArray:
    frontal = head.frontal if isinstance(head, Classes) else None
    if frontal is None or faces.points is None:
        return piece
    return frontal.temper(piece, faces.points)


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities `(n, k)` from logits `(n, k)`."""
    raised = np.exp(logits - logits.max(1, keepdims=True))
    probability: FloatArray = raised / raised.sum(1, keepdims=True)
    return probability


def turn_deg(points: FloatArray, nose: float) -> FloatArray:
    """How far heads are turned towards image right, in degrees, by the nose between the eyes.

    Seen from above, the eyes are a bar of length 1 and the nose stands out from its middle by `nose`.
    Turned by an angle, the bar looks `cos` long and the nose has moved `nose * sin` along it.

    Args:
        points: `(n, 5, 2)`.
        nose: How far the nose stands out, in distances between the eyes.

    Returns:
        `(n,)`, -90..90; 90 where the eyes cover each other.
    """
    points = points.astype(np.float64)
    across = points[:, 1] - points[:, 0]
    length = np.linalg.norm(across, axis=1)
    moved = ((points[:, 2] - points[:, :2].mean(1)) * across).sum(1)
    angle: FloatArray = np.degrees(np.arctan2(moved, nose * length**2))
    return np.where(length < _LEAST_EYES, 90.0, angle)
