"""Groups of faces that were found, against the people they are of.

Everything is counted from how many faces each group shares with each person, so that a million faces take
about a second.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest

Labels = NDArray[Any]


class Clusters(msgspec.Struct, frozen=True):
    """How well groups are people.

    Attributes:
        faces: How many were grouped.
        people: How many they are of.
        clusters: How many groups there are.
        pairwise_precision: Share of the pairs within groups that are of one person; None without a pair.
        pairwise_recall: Share of the pairs of one person that are within a group; None without a pair.
        pairwise_f: Harmonic mean of the two; None where nobody has two faces and no group either.
        bcubed_precision: Share of a face's group that is of its person, averaged over faces (A. Bagga and
            B. Baldwin, COLING-ACL 1998; E. Amigó et al., Information Retrieval 12, 2009).
        bcubed_recall: Share of a person's faces that are in a face's group, averaged over faces.
        bcubed_f: Harmonic mean of the two.
        adjusted_rand: Agreement beyond chance, 1 at best (L. Hubert and P. Arabie, J. Classification 1985).
    """

    faces: int
    people: int
    clusters: int
    pairwise_precision: float | None
    pairwise_recall: float | None
    pairwise_f: float | None
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f: float
    adjusted_rand: float


def measure_clusters(person: Labels, cluster: Labels) -> Clusters:
    """Measure groups.

    Args:
        person: `(n,)` whose face each is: integers or text.
        cluster: `(n,)` which group it was put into: integers or text.

    Raises:
        BadRequest: Lengths differ, there is no face, or a label is NaN.
    """
    people, row = _numbered(person, "person")
    clusters, column = _numbered(cluster, "cluster")
    if len(row) != len(column) or not len(row):
        raise BadRequest(f"{len(row)} people and {len(column)} groups of faces do not fit.")
    # Only what is shared is kept: a table of all people by all groups would not fit into memory.
    cell, shared = np.unique(row * clusters + column, return_counts=True)
    of_person, of_cluster = np.bincount(row), np.bincount(column)
    together, true, said = _pairs(shared), _pairs(of_person), _pairs(of_cluster)
    squared = shared.astype(np.float64) ** 2
    precision = float((squared / of_cluster[cell % clusters]).sum() / len(row))
    recall = float((squared / of_person[cell // clusters]).sum() / len(row))
    return Clusters(
        faces=len(row),
        people=people,
        clusters=clusters,
        pairwise_precision=together / said if said else None,
        pairwise_recall=together / true if true else None,
        pairwise_f=2 * together / (true + said) if true + said else None,
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f=2 * precision * recall / (precision + recall),
        adjusted_rand=_adjusted_rand(together, true, said, len(row) * (len(row) - 1) // 2),
    )


def _numbered(labels: Labels, what: str) -> tuple[int, NDArray[np.int64]]:
    """How many different labels there are, and the number of each."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise BadRequest(f"Each {what} must be a whole number or text, in one row.")
    names, number = np.unique(array, return_inverse=True)
    return len(names), number.astype(np.int64)


def _pairs(sizes: NDArray[np.int64]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _adjusted_rand(together: int, true: int, said: int, pairs: int) -> float:
    expected = true * said / pairs if pairs else 0.0
    most = (true + said) / 2
    # Both are all singletons, or both one group: they agree, and chance has no choice.
    return 1.0 if most == expected else (together - expected) / (most - expected)
