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
from mien.evaluate.measures.intervals import Draws
from mien.ops.vectors import DISTANCES, Metric

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

# Distances that are held at a time.
_BLOCK = 1 << 24
NEVER = np.iinfo(np.int32).max
_MORE_PHOTOGRAPHS = "Wanted are people with more photographs than are enrolled."


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
    for count, what, hint in (
        (found.enrolled.sum(), "is enrolled", "Lower --strangers."),
        ((found.probes & found.mated).sum(), "of the gallery is searched for", _MORE_PHOTOGRAPHS),
        ((~found.mated).sum(), "is a stranger", "Raise --strangers, or leave people out of the list."),
    ):
        if not count:
            raise BadRequest(f"Nobody {what}.", hint=hint)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """q searches of one gallery.

    Attributes:
        photo: `(q,)` number of the photograph searched with.
        person: `(q,)` number of the person on it.
        mated: `(q,)` which are for people of the gallery.
        nearest: `(q,)` distance of the first candidate; infinite where a face is missing.
        mate_distance: `(q,)` distance of the person searched for; infinite for strangers and without a face.
        rank: `(q,)` place of the person searched for, from 1; of equally near people, the last. `NEVER` if
            never.
        people: How many people the gallery holds.
    """

    photo: Integers
    person: Integers
    mated: Flags
    nearest: Floats
    mate_distance: Floats
    rank: Integers
    people: int

    @property
    def pointless(self) -> Flags:
        """`(q,)` searches for strangers with a photograph without a face: they could alarm nobody."""
        return ~self.mated & ~np.isfinite(self.nearest)

    def only(self, chosen: Flags) -> Searches:
        """Some of the searches."""
        return Searches(
            self.photo[chosen],
            self.person[chosen],
            self.mated[chosen],
            self.nearest[chosen],
            self.mate_distance[chosen],
            self.rank[chosen],
            self.people,
        )


def search(
    vectors: Floats,
    person: Integers,
    divided: Split,
    metric: Metric,
    galleries: Sequence[Integers] = (),
) -> list[Searches]:
    """Compare every probe with everybody enrolled; a person is as near as the nearest of his photographs.

    Only what is asked of a search is kept, not its distance to everybody.

    Args:
        vectors: `(photographs, d)`; rows of NaN where there is no face.
        person: `(photographs,)` number of the person on each.
        divided: Which are enrolled and which are searched with.
        metric: What distance means.
        galleries: Smaller galleries, as places in the sorted list of the people who are enrolled.

    Returns:
        Searches of the whole gallery, then of each of the smaller ones, in which people who were left out are
        not searched for.
    """
    there = seen(vectors)
    whole = np.where(there[:, None], vectors, 0).astype(np.float32)
    shelf = np.flatnonzero(divided.enrolled)
    shelf = shelf[np.argsort(person[shelf], kind="stable")]
    if not there[shelf].any():
        raise BadRequest("No face was found on any photograph that is enrolled.")
    people, first = np.unique(person[shelf], return_index=True)
    probes = np.flatnonzero(divided.probes)
    mate = np.where(divided.mated[probes], np.searchsorted(people, person[probes]), -1)
    columns = [np.arange(len(people)), *galleries]
    found: list[list[tuple[Floats, Floats, Integers]]] = [[] for _ in columns]
    rows = max(1, _BLOCK // max(len(shelf), 1))
    for start in range(0, len(probes), rows):
        part = probes[start : start + rows]
        block = DISTANCES[metric](whole[part], whole[shelf]).astype(np.float32)
        block[~there[part]] = np.inf
        block[:, ~there[shelf]] = np.inf
        distance = np.minimum.reduceat(block, first, axis=1)
        for parts, chosen in zip(found, columns, strict=True):
            parts.append(_looked_up(distance, mate[start : start + rows], chosen))
    return [
        _joined(parts, probes, person[probes], mate, chosen)
        for parts, chosen in zip(found, columns, strict=True)
    ]


def _looked_up(distance: Floats, mate: Integers, chosen: Integers) -> tuple[Floats, Floats, Integers]:
    """Distance of the first candidate, of the person searched for, and his place, among the people chosen."""
    among = distance[:, chosen]
    own = np.where(mate >= 0, distance[np.arange(len(mate)), np.maximum(mate, 0)], np.inf)
    nearer = (among <= own[:, None]).sum(axis=1)
    return among.min(axis=1), own, np.where(np.isfinite(own), nearer, NEVER)


def _joined(
    parts: list[tuple[Floats, Floats, Integers]],
    photo: Integers,
    person: Integers,
    mate: Integers,
    chosen: Integers,
) -> Searches:
    nearest, own, rank = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = (mate < 0) | np.isin(mate, chosen)
    return Searches(photo, person, mate >= 0, nearest, own, rank, len(chosen)).only(kept)


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


def resample_searches(searches: Searches, rates: Sequence[float], draws: Draws) -> Floats:
    """FNIR at each FPIR when other people are drawn, each time with the threshold that they give; `(r, k)`.

    Args:
        searches: Of people of the gallery and of strangers; none of them `pointless`.
        rates: The k false-positive identification rates.
        draws: The resampled people, of whom there are r sets.
    """
    strangers = np.flatnonzero(~searches.mated)
    strangers = strangers[np.argsort(searches.nearest[strangers], kind="stable")]
    # Somebody else in front is a miss at any threshold.
    first = np.where(searches.rank == 1, searches.mate_distance, np.inf)
    mates = np.flatnonzero(searches.mated)
    mates = mates[np.argsort(first[mates], kind="stable")]
    before = np.searchsorted(first[mates], searches.nearest[strangers], side="left")
    found = np.full((len(draws), len(rates)), np.nan)
    for i, times in enumerate(draws.times):
        weight = np.cumsum(times[searches.person[strangers]], dtype=np.float64)
        hits = np.concatenate([[0.0], np.cumsum(times[searches.person[mates]], dtype=np.float64)])
        if weight[-1] and hits[-1]:
            places = np.searchsorted(weight / weight[-1], rates, side="right")
            ends = np.where(places < len(before), before[np.minimum(places, len(before) - 1)], len(mates))
            found[i] = 1 - hits[ends] / hits[-1]
    return found
