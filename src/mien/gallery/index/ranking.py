"""From rows that were found to the k nearest faces or people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.gallery.index.answers import Floats, Names, Numbers, Slots


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The best of the rows that were found for one probe.

    Attributes:
        slots: `(m,)` at most k rows, best first.
        distance: `(m,)` theirs.
        depth: How many of the rows found are at least as near as the last of these.
    """

    slots: Slots
    distance: Floats
    depth: int


def rank(slots: Slots, distance: Floats, faces: Names, owners: Numbers | None, k: int) -> Ranking:
    """Sort rows by distance, and by the id of the face among equals.

    Args:
        slots: `(n,)` rows.
        distance: `(n,)` of each.
        faces: `(n,)` whose ids decide between equal distances.
        owners: `(n,)` only the nearest row of each is kept; None: every row is.
        k: How many to keep.
    """
    order = np.lexsort((faces, distance))
    place = np.arange(len(order))
    if owners is not None:
        place = np.sort(np.unique(owners[order], return_index=True)[1])
    place = place[:k]
    kept = order[place]
    return Ranking(slots[kept], distance[kept], int(place[-1]) + 1 if len(place) else 0)
