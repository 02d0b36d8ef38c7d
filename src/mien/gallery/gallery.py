"""Policy over a store: one embedding space, one threshold, the nearest face speaks for a person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.core.matches import Matches
from mien.errors import BadRequest, SpaceMismatch
from mien.gallery.rule import DecisionRule
from mien.gallery.store import Store
from mien.ops.vectors import DISTANCES, cosine_similarity

Vectors = NDArray[np.float32]


class Gallery:
    """Known people, in one embedding space.

    Args:
        store: Where embeddings are kept.
        rule: Space, metric and threshold.
    """

    def __init__(self, store: Store, rule: DecisionRule) -> None:
        self.store = store
        self.rule = rule

    def enroll(self, person: str, vectors: Vectors, space: str) -> None:
        """Add embeddings `(n, d)` to a person, known or new.

        Raises:
            SpaceMismatch: They come from another embedder.
            BadRequest: The name is empty, or there is no embedding.
        """
        self._check(space)
        if not person.strip():
            raise BadRequest("A person needs a name.")
        if vectors.ndim != 2:
            raise BadRequest(f"Embeddings want shape (n, d), got {vectors.shape}.")
        if not len(vectors):
            raise BadRequest(f"No embedding was given for {person!r}.")
        self.store.add(person, vectors)

    def identify(self, vectors: Vectors, space: str, k: int = 1) -> Matches:
        """Find the k nearest people for each probe `(q, d)`; fewer if fewer are known.

        Raises:
            SpaceMismatch: The probes come from another embedder.
            BadRequest: k is less than one.
        """
        self._check(space)
        if k < 1:
            raise BadRequest(f"k must be at least 1, got {k}.")
        owners, known = self.store.all_vectors()
        people = tuple(dict.fromkeys(owners))
        distance = np.zeros((len(vectors), len(people)), np.float32)
        similarity = np.zeros_like(distance)
        if len(vectors) and people:
            distances = DISTANCES[self.rule.metric](vectors, known)
            cosines = cosine_similarity(vectors, known)
            number = {person: i for i, person in enumerate(people)}
            owner = np.array([number[person] for person in owners])
            first = np.searchsorted(np.sort(owner), np.arange(len(people)))
            for row in range(len(vectors)):
                # By person, and within a person by distance: the first of each is the nearest face.
                nearest = np.lexsort((distances[row], owner))[first]
                distance[row], similarity[row] = distances[row, nearest], cosines[row, nearest]
        order = np.argsort(distance, axis=1, kind="stable")[:, :k]
        nearest_first = np.take_along_axis(distance, order, 1)
        return Matches(
            person=np.array(people, dtype=np.str_)[order],
            similarity=np.take_along_axis(similarity, order, 1),
            distance=nearest_first,
            probability=self.rule.probability(nearest_first),
            threshold=self.rule.distance,
            fmr=self.rule.fmr,
            space=self.rule.space,
        )

    def _check(self, space: str) -> None:
        if space != self.rule.space:
            raise SpaceMismatch(f"The gallery holds embeddings of {self.rule.space}, not of {space}.")
