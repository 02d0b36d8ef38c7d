"""Which groups have faces of one picture: two people, unless the picture is a collage or shows a mirror."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

# Pairs of groups that are looked up at a time.
_BLOCK = 1 << 13


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pictures:
    """The pictures of each group; pictures of one face forbid nothing and are left out.

    Attributes:
        key: Rising `group * count + picture`, every one once.
        count: How many pictures there are.
    """

    key: NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, group: Integers, picture: Integers) -> Self:
        """Note what is in which picture.

        Args:
            group: `(faces,)` group of each face.
            picture: `(faces,)` number of its picture; below 0 if nobody knows.
        """
        _, number, faces = np.unique(picture, return_inverse=True, return_counts=True)
        several = (faces[number] > 1) & (picture >= 0)
        count = int(number.max(initial=0)) + 1
        return cls(np.unique(group[several].astype(np.int64) * count + number[several]), count)

    def moved(self, to: Integers) -> Self:
        """The same after each group `i` became a part of group `to[i]`."""
        return type(self)(
            np.unique(to[self.key // self.count] * self.count + self.key % self.count), self.count
        )

    def shared(self, a: Integers, b: Integers) -> Flags:
        """Whether groups `a` `(n,)` have a picture in common with groups `b` `(n,)`."""
        found = np.zeros(len(a), np.bool_)
        for start in range(0, len(a) if len(self.key) else 0, _BLOCK):
            part = slice(start, start + _BLOCK)
            found[part] = self._shared(a[part].astype(np.int64), b[part].astype(np.int64))
        return found

    def _shared(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> Flags:
        first, last = (
            np.searchsorted(self.key, np.stack([a, b]) * self.count + end) for end in (0, self.count)
        )
        sizes = last - first
        # The group with fewer pictures is asked for each of them.
        fewer = (sizes[1] < sizes[0]).astype(np.int64)
        pair = np.arange(len(a))
        size, begin = sizes[fewer, pair], first[fewer, pair]
        row = np.repeat(pair, size)
        place = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(begin, size)
        wanted = np.where(fewer == 1, a, b)[row] * self.count + self.key[place] % self.count
        there = self.key[np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)] == wanted
        found: Flags = np.bincount(row[there], minlength=len(a)) > 0
        return found
