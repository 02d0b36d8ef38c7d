"""Which faces are compared with which, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.ops.vectors import DISTANCES, ROWWISE, Metric, l2_normalise

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

# Twelve bytes each, and twice as many again while they are made and sorted.
MOST = 50_000_000
_BLOCK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """n comparisons of two photographs each.

    Attributes:
        distance: `(n,)`; infinite where a comparison could not be made, because a face was not found.
        a: `(n,)` number of the first photograph.
        b: `(n,)` number of the second.
        person: `(photographs,)` number of the person on each photograph, counted from 0.

    Raises:
        BadRequest: Lengths differ, a distance is NaN, or there is no comparison of one of the two kinds.
    """

    distance: Floats
    a: Integers
    b: Integers
    person: Integers

    def __post_init__(self) -> None:
        if not len(self.distance) == len(self.a) == len(self.b):
            raise BadRequest(
                f"{len(self.distance)} distances of {len(self.a)} and {len(self.b)} photographs do not fit."
            )
        if np.isnan(self.distance).any():
            raise BadRequest("A distance is not a number.", hint="Say infinity where none could be computed.")
        same = self.genuine
        for kind, count in (("one person", same.sum()), ("two people", (~same).sum())):
            if not count:
                raise BadRequest(
                    f"Nothing compares photographs of {kind}.",
                    hint="Error rates want several people, and several photographs of some of them.",
                )

    @property
    def genuine(self) -> Flags:
        """`(n,)` whether a comparison is of one person with himself."""
        same: Flags = self.person[self.a] == self.person[self.b]
        return same

    @property
    def made(self) -> Flags:
        """`(n,)` whether a comparison could be made."""
        return np.isfinite(self.distance)

    @property
    def people(self) -> int:
        """How many people there are."""
        return int(self.person.max()) + 1

    def __len__(self) -> int:
        return len(self.distance)


def listed(vectors: Floats, person: Integers, pairs: Integers, metric: Metric) -> Comparisons:
    """Compare the photographs of a list of pairs.

    Args:
        vectors: `(photographs, d)`; rows of NaN where there is no face.
        person: `(photographs,)` number of the person on each.
        pairs: `(n, 2)` numbers of photographs.
        metric: What distance means.
    """
    return Comparisons(_distances(vectors, pairs, metric), pairs[:, 0], pairs[:, 1], person)


def everybody(
    vectors: Floats, person: Integers, metric: Metric, *, most: int = MOST, seed: int = 0
) -> Comparisons:
    """Compare every photograph with every other, or as many as can be held.

    Where there are too many, those of two people are every so manieth of all, so that none comes twice;
    those of one person are all kept, up to as many again.

    Args:
        vectors: `(photographs, d)`; rows of NaN where there is no face.
        person: `(photographs,)` number of the person on each.
        metric: What distance means.
        most: Most comparisons of two people.
        seed: Of the random part.
    """
    count = len(vectors)
    if count * (count - 1) // 2 <= most:
        a, b = (side.astype(np.int32) for side in np.triu_indices(count, 1))
        distance = np.concatenate(list(_rows(vectors, metric))) if count else np.zeros(0, np.float32)
        return Comparisons(distance, a, b, person)
    same = of_one_person(person, most, seed)
    spread = _every_so_manieth(count, most, seed)
    different = spread[person[spread[:, 0]] != person[spread[:, 1]]]
    return listed(vectors, person, np.concatenate([same, different]), metric)


def seen(vectors: Floats) -> Flags:
    """`(photographs,)` which of the rows are vectors, not NaN."""
    missing: Flags = np.isnan(vectors).any(axis=1)  # type: ignore[assignment]
    return ~missing


def _rows(vectors: Floats, metric: Metric) -> Iterator[NDArray[np.float32]]:
    """Distances of each photograph to those after it, in the order of `triu_indices`."""
    there = seen(vectors)
    whole = np.where(there[:, None], vectors, 0)
    for start in range(0, len(vectors), _BLOCK):
        block = DISTANCES[metric](whole[start : start + _BLOCK], whole[start:]).astype(np.float32)
        block[~there[start : start + _BLOCK]] = np.inf
        block[:, ~there[start:]] = np.inf
        for i, row in enumerate(block):
            yield row[i + 1 :]


def _distances(vectors: Floats, pairs: Integers, metric: Metric) -> NDArray[np.float32]:
    found = np.full(len(pairs), np.inf, np.float32)
    there = seen(vectors)
    # Once, not for every pair.
    ready = (l2_normalise(vectors) if metric == "cosine" else vectors).astype(np.float32)
    for start in range(0, len(pairs), _BLOCK * 16):
        part = pairs[start : start + _BLOCK * 16]
        made = there[part].all(1)
        distance = ROWWISE[metric](ready[part[:, 0]], ready[part[:, 1]])
        found[start : start + len(part)] = np.where(made, distance, np.inf)
    return found


def _every_so_manieth(count: int, most: int, seed: int) -> NDArray[np.int32]:
    """Pairs `(most, 2)` of so many photographs, evenly spread over all of them."""
    start = np.random.default_rng(seed).random()
    pairs = np.empty((most, 2), np.int32)
    for low in range(0, most, _BLOCK * 512):
        pairs[low : low + _BLOCK * 512] = _spread(
            np.arange(low, min(low + _BLOCK * 512, most)), start, count, most
        )
    return pairs


def _spread(place: Integers, start: float, count: int, most: int) -> Integers:
    """The pairs `(n, 2)` at some places `(n,)` of so many that are evenly spread."""
    total = count * (count - 1) // 2
    number = np.minimum(((place + start) * (total / most)).astype(np.int64), total - 1)
    # Counted from the end, the pairs of the i-th last photograph begin at i (i + 1) / 2.
    back = total - 1 - number
    row = ((np.sqrt(8.0 * back + 1) - 1) / 2).astype(np.int64)
    row -= row * (row + 1) // 2 > back  # the square root may be a trace too large
    row += (row + 1) * (row + 2) // 2 <= back
    return np.stack([count - 2 - row, count - 1 - (back - row * (row + 1) // 2)], 1)


def of_one_person(person: Integers, most: int, seed: int) -> NDArray[np.int32]:
    """Pairs `(n, 2)` of photographs of one person each; where there are more than `most`, some of them."""
    order = np.argsort(person, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(person[order])) + 1)
    sizes = np.array([len(group) for group in groups], np.float64)
    share = min(1.0, most / max(float((sizes * (sizes - 1) / 2).sum()), 1.0))
    rng = np.random.default_rng(seed)
    pairs = []
    for group in groups:
        a, b = np.triu_indices(len(group), 1)
        kept = slice(None) if share == 1 else rng.random(len(a)) < share
        pairs.append(np.stack([group[a[kept]], group[b[kept]]], 1))
    return np.concatenate(pairs).astype(np.int32)
