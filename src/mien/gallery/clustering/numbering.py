"""Numbers of groups that stay when faces are added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]


def number_groups(
    group: Integers, previous: Integers, fixed: Flags | None = None, first: int = 0
) -> NDArray[np.int64]:
    """Give groups the numbers that their faces had.

    A number that a person fixed stays with the faces it was fixed for. Otherwise the number and the group
    that share most faces belong together, then those that share most of the rest, and so on; of equals, the
    lower number and the group with the earlier face. So a group that grows keeps its number, of merged groups
    the larger gives its number, of a split group the larger part keeps it. All other groups get new numbers
    above all that were there, in the order of their first faces.

    Args:
        group: `(n,)` group of each face, numbered anyhow.
        previous: `(n,)` number each face had; below 0 if none.
        fixed: `(n,)` faces whose number a person decided. All of one number must be in one group, those of
            two numbers in two.
        first: Smallest number for a new group, for numbers that were given away and have no face any more.

    Returns:
        `(n,)`, from 0.
    """
    _, start, group = np.unique(group, return_index=True, return_inverse=True)
    # Groups are now counted in the order of their first faces.
    group = np.argsort(np.argsort(start))[group]
    number = np.full(len(start), -1, np.int64)
    held = np.zeros(len(group), np.bool_) if fixed is None else fixed
    number[group[held]] = previous[held]
    taken = set(previous[held].tolist())
    for old, place in _by_faces_shared(group, previous):
        if number[place] < 0 and old not in taken:
            number[place] = old
            taken.add(old)
    new = number < 0
    number[new] = max(first, int(previous.max(initial=-1)) + 1) + np.arange(new.sum())
    return number[group]


def _by_faces_shared(group: Integers, previous: Integers) -> list[tuple[int, int]]:
    """Old numbers with the groups that have faces of them, most faces first."""
    known = previous >= 0
    pair, faces = np.unique(np.stack([previous[known], group[known]]), axis=1, return_counts=True)
    order = np.lexsort((pair[1], pair[0], -faces))
    return [(int(old), int(place)) for old, place in pair[:, order].T]
