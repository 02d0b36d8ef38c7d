"""Who a face may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Decision = Literal["known", "uncertain", "unknown"]


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
        person_id: Identifier of the person, which stays when the name changes.
        face_id: Identifier of the person's nearest face; None where the mean of all speaks for the person.
    """

    person: str
    similarity: float
    distance: float
    accepted: bool
    probability: float | None = None
    person_id: str | None = None
    face_id: str | None = None


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
        person_id: `(q, k)` identifiers of the people; "" where fewer are known.
        face_id: `(q, k)` identifiers of their nearest faces; None where means speak for people.
        margin: `(q,)` how much further the second person is than the first; inf if there is no second.
        review_distance: Up to this distance a person above the threshold is `uncertain` rather than
            `unknown`; None: there is no such band.
        least_margin: With a smaller margin to a second person who is within the threshold too, a match is
            `uncertain`.
    """

    person: NDArray[np.str_]
    similarity: NDArray[np.float32]
    distance: NDArray[np.float32]
    threshold: float
    fmr: float | None
    space: str
    probability: NDArray[np.floating[Any]] | None = None
    person_id: NDArray[np.str_] | None = None
    face_id: NDArray[np.str_] | None = None
    margin: NDArray[np.float32] | None = None
    review_distance: float | None = None
    least_margin: float = 0.0

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
        return tuple(
            Match(
                str(self.person[probe, i]),
                float(self.similarity[probe, i]),
                float(distance),
                bool(distance <= self.threshold),
                None if self.probability is None else float(self.probability[probe, i]),
                None if self.person_id is None else str(self.person_id[probe, i]),
                None if self.face_id is None else str(self.face_id[probe, i]),
            )
            for i, distance in enumerate(self.distance[probe])
            if np.isfinite(distance)
        )

    def decision(self, probe: int) -> Decision:
        """Whether the nearest person is who it is (`known`), may be (`uncertain`), or is not (`unknown`).

        Uncertain is who lies between the threshold and `review_distance`, and who is within the threshold but
        hardly nearer than somebody else who is too.
        """
        nearest = self.distance[probe, 0] if self.distance.shape[1] else np.inf
        if nearest > self.threshold:
            near = self.review_distance is not None and nearest <= self.review_distance
            return "uncertain" if near else "unknown"
        margin = np.inf if self.margin is None else self.margin[probe]
        rivalled = margin < self.least_margin and nearest + margin <= self.threshold
        return "uncertain" if rivalled else "known"

    def best(self, probe: int) -> Match | None:
        """The nearest person of one probe, if `known`; None otherwise."""
        return self[probe][0] if self.decision(probe) == "known" else None
