"""Some of a list of pairs, so that a comparison takes minutes and not hours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.reading.pairs import Pairs

Integers = NDArray[np.integer[Any]]


def some(pairs: Pairs, limit: int) -> Pairs:
    """At most this many pairs, as evenly as possible of every fold and kind, the first ones of each.

    Photographs that no longer occur are left out.
    """
    if limit >= len(pairs.same):
        return pairs
    group = pairs.same.astype(np.int64) if pairs.fold is None else 2 * pairs.fold + pairs.same
    # In order of the place within their group, so that the groups take turns.
    kept = np.sort(np.lexsort((group, _place(group)))[:limit])
    photos, renumbered = np.unique(pairs.pairs[kept], return_inverse=True)
    return replace(
        pairs,
        photos=tuple(pairs.photos[i] for i in photos),
        person=pairs.person[photos],
        pairs=renumbered.reshape(-1, 2).astype(np.int32),
        same=pairs.same[kept],
        fold=None if pairs.fold is None else pairs.fold[kept],
    )


def _place(group: Integers) -> Integers:
    """How many of the same group come before each `(n,)`."""
    place = np.zeros(len(group), np.int64)
    for number in np.unique(group):
        place[group == number] = np.arange((group == number).sum())
    return place
