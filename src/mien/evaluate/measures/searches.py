"""One-to-many: searching a gallery for people who are in it, and for strangers.

ISO/IEC 19795-1:2021; P. Grother, M. Ngan, K. Hanaoka: Face Recognition Technology Evaluation 1:N, NIST IR
8271.

FPIR: share of searches for strangers that give somebody, of those that could be made. FNIR: share of searches
for people of the gallery that do not give them, first and within the threshold; searches with a photograph
without a face are among these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.measures.comparisons import seen
from mien.ops.vectors import DISTANCES, Metric

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

_BLOCK = 1024
NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Who is enrolled with which photographs, and which are searched with.

    Attributes:
        enrolled: `(photographs,)` which are in the gallery.
        probes: `(photographs,)` which are searched with.
        mated: `(photographs,)` whether the person of a photograph is in the gallery.
    """

    enrolled: Flags
    probes: Flags
    mated: Flags


def split(
    person: Integers,
    *,
    enrol: int = 1,
    strangers: float = 0.5,
    listed: Sequence[int] | None = None,
    seed: int = 0,
) -> Split:
    """Divide photographs into a gallery and searches.

    Args:
        person: `(photographs,)` number of the person on each.
        enrol: How many photographs of a person are enrolled, the first ones; all others are searched with.
        strangers: Share of the people who are not enrolled, drawn at random; all their photographs are
            searched with.
        listed: Numbers of the people who are enrolled, as on a watch list, instead of a random share.
        seed: Of the draw.

    Raises:
        BadRequest: Nobody is enrolled, nobody is a stranger, or there is nothing to search with.
    """
    people = np.unique(person)
    if listed is None:
        known = np.random.default_rng(seed).permutation(people)[round(strangers * len(people)) :]
    else:
        known = np.array(listed, dtype=np.int64)
    order = np.argsort(person, kind="stable")
    start = np.searchsorted(person[order], person[order])
    place = np.empty(len(person), np.int64)
    place[order] = np.arange(len(person)) - start
    mated = np.isin(person, known)
    enrolled = mated & (place < enrol)
    found = Split(enrolled, ~enrolled, mated)
    for count, what in (
        (found.enrolled.sum(), "is enrolled"),
        ((found.probes & found.mated).sum(), "of the gallery is searched for"),
        ((~found.mated).sum(), "is a stranger"),
    ):
        if not count:
            raise BadRequest(
                f"Nobody {what}.",
                hint="Wanted are several people, some of them with more photographs than are enrolled.",
            )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """q searches of a gallery of g people.

    Attributes:
        distance: `(q, g)` distance of each search to the nearest photograph of each person; infinite where a
            face is missing.
        mate: `(q,)` column of the person searched for; -1 for strangers.
        person: `(q,)` number of the person searched with.
    """

    distance: Floats
    mate: Integers
    person: Integers

    @property
    def mated(self) -> Flags:
        """`(q,)` which searches are for people of the gallery."""
        return self.mate >= 0

    @property
    def nearest(self) -> Floats:
        """`(q,)` distance of the first candidate."""
        nearest: Floats = self.distance.min(axis=1)
        return nearest

    @property
    def mate_distance(self) -> Floats:
        """`(q,)` distance of the person searched for; infinite for strangers."""
        own = self.distance[np.arange(len(self.mate)), np.maximum(self.mate, 0)]
        return np.where(self.mated, own, np.inf)

    @property
    def rank(self) -> Integers:
        """`(q,)` place of the person searched for, from 1; of equals, the last. `NEVER` if never."""
        own = self.mate_distance
        nearer: Integers = (self.distance <= own[:, None]).sum(axis=1)
        return np.where(np.isfinite(own), nearer, NEVER)

    @property
    def pointless(self) -> Flags:
        """`(q,)` searches for strangers with a photograph without a face: they could alarm nobody."""
        return ~self.mated & ~np.isfinite(self.nearest)

    def only(self, chosen: Flags) -> Searches:
        """Some of the searches."""
        return Searches(self.distance[chosen], self.mate[chosen], self.person[chosen])

    def within(self, chosen: Integers) -> Searches:
        """The same searches of a gallery of only some people, without those for people who are left out."""
        column = np.full(self.distance.shape[1], -1)
        column[chosen] = np.arange(len(chosen))
        mate = np.where(self.mated, column[np.maximum(self.mate, 0)], -1)
        kept = ~self.mated | (mate >= 0)
        return Searches(self.distance[np.ix_(kept, chosen)], mate[kept], self.person[kept])


def search(vectors: Floats, person: Integers, divided: Split, metric: Metric) -> Searches:
    """Compare every probe with everybody enrolled; a person is as near as the nearest of his photographs.

    Args:
        vectors: `(photographs, d)`; rows of NaN where there is no face.
        person: `(photographs,)` number of the person on each.
        divided: Which are enrolled and which are searched with.
        metric: What distance means.
    """
    there = seen(vectors)
    whole = np.where(there[:, None], vectors, 0).astype(np.float32)
    shelf = np.flatnonzero(divided.enrolled)
    shelf = shelf[np.argsort(person[shelf], kind="stable")]
    people, first = np.unique(person[shelf], return_index=True)
    probes = np.flatnonzero(divided.probes)
    distance = np.empty((len(probes), len(people)), np.float32)
    for start in range(0, len(probes), _BLOCK):
        part = probes[start : start + _BLOCK]
        block = DISTANCES[metric](whole[part], whole[shelf]).astype(np.float32)
        block[~there[part]] = np.inf
        block[:, ~there[shelf]] = np.inf
        distance[start : start + _BLOCK] = np.minimum.reduceat(block, first, axis=1)
    mate = np.where(divided.mated[probes], np.searchsorted(people, person[probes]), -1)
    return Searches(distance, mate, person[probes])


def missed(searches: Searches, threshold: float, rank: int = 1) -> Flags:
    """`(q,)` of searches for people of the gallery, which do not give them at this threshold and rank."""
    found = (searches.mate_distance <= threshold) & (searches.rank <= rank)
    return searches.mated & ~found


def alarmed(searches: Searches, threshold: float) -> Flags:
    """`(q,)` of searches for strangers, which give somebody."""
    return ~searches.mated & (searches.nearest <= threshold)


def cumulative_match(searches: Searches, ranks: int) -> Floats:
    """Share of searches for people of the gallery that give them among the first 1, 2 ...; `(ranks,)`."""
    rank = searches.rank[searches.mated]
    return np.array([(rank <= k).mean() for k in range(1, ranks + 1)])
