"""Who a face may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Match:
    """One candidate for one probe.

    Attributes:
        person: Name under which the person is enrolled.
        similarity: Cosine of the angle between the two embeddings, -1..1, higher is more alike.
        distance: Distance in the metric of the embedder, lower is more alike.
        accepted: Whether the distance is within the threshold.
        probability: That it is this person, if that and a stranger were equally probable before; None
            without a calibration.
    """

    person: str
    similarity: float
    distance: float
    accepted: bool
    probability: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The nearest people of a gallery for each probe, best first.

    Attributes:
        person: `(q, k)` names; k is at most the number of people.
        similarity: `(q, k)` float32 cosine similarity, higher is more alike.
        distance: `(q, k)` float32 in the embedder's metric, lower is more alike.
        threshold: Largest distance that counts as the same person.
        fmr: False-match rate that the threshold was measured at: the share of comparisons of two
            different people that it accepts; None when nobody measured it.
        space: Embedding space of both sides.
        probability: `(q, k)` that it is this person, if that and a stranger were equally probable before;
            None without a calibration. With n people enrolled, somebody is near by chance more easily: `fmr`
            is of one comparison, and there are n.
    """

    person: NDArray[np.str_]
    similarity: NDArray[np.float32]
    distance: NDArray[np.float32]
    threshold: float
    fmr: float | None
    space: str
    probability: NDArray[np.floating[Any]] | None = None

    def __repr__(self) -> str:
        """Numbers only; who was compared with whom stays out of logs."""
        return (
            f"Matches({len(self)} probes, threshold={self.threshold}, fmr={self.fmr}, space={self.space!r})"
        )

    def __len__(self) -> int:
        return len(self.person)

    def __iter__(self) -> Iterator[tuple[Match, ...]]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, probe: int) -> tuple[Match, ...]:
        """All candidates of one probe, best first."""
        rows = zip(self.person[probe], self.similarity[probe], self.distance[probe], strict=True)
        chances = [None] * len(self.person[probe]) if self.probability is None else self.probability[probe]
        return tuple(
            Match(str(p), float(s), float(d), bool(d <= self.threshold), None if c is None else float(c))
            for (p, s, d), c in zip(rows, chances, strict=True)
        )

    def best(self, probe: int) -> Match | None:
        """The accepted nearest person of one probe; None means unknown."""
        candidates = self[probe]
        return candidates[0] if candidates and candidates[0].accepted else None
