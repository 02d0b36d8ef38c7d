"""Which faces are compared with which, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.ops.vectors import DISTANCES, Metric

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

# Twelve bytes each, and as many again while they are sorted.
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
        for kind, count in (("one person", self.genuine.sum()), ("two people", (~self.genuine).sum())):
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

    All comparisons of one person are kept; of those of two people, if they are too many, a random part.

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
    same = np.array(list(_of_one_person(person)), np.int32).reshape(-1, 2)
    drawn = np.random.default_rng(seed).integers(0, count, (most, 2), np.int32)
    different = drawn[person[drawn[:, 0]] != person[drawn[:, 1]]]
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
    possible = np.flatnonzero(there[pairs].all(1))
    # A few rows against a few: the matrix of a block of pairs would be mostly of pairs that nobody asked for.
    for start in range(0, len(possible), _BLOCK * 16):
        part = possible[start : start + _BLOCK * 16]
        one, other = (vectors[pairs[part, side]].astype(np.float64) for side in (0, 1))
        found[part] = _ROWWISE[metric](one, other)
    return found


def _cosine(one: Floats, other: Floats) -> Floats:
    length = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    distance: Floats = 1 - np.clip((one * other).sum(1) / np.where(length > 0, length, 1), -1, 1)
    return distance


def _euclidean(one: Floats, other: Floats) -> Floats:
    distance: Floats = np.linalg.norm(one - other, axis=1)
    return distance


_ROWWISE = {"cosine": _cosine, "euclidean": _euclidean}


def _of_one_person(person: Integers) -> Iterator[tuple[int, int]]:
    order = np.argsort(person, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(person[order])) + 1):
        for i, a in enumerate(group):
            for b in group[i + 1 :]:
                yield int(a), int(b)
