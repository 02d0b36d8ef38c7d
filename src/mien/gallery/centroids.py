"""One vector for each person: the mean of all."""

from __future__ import annotations

import numpy as np

from mien.gallery.store.reading import Templates
from mien.ops.vectors import Metric, l2_normalise


def centroids(found: Templates, metric: Metric) -> Templates:
    """One row for each person: the mean of their templates, of length one each if the metric is cosine.

    The identifier of such a row is that of the person.
    """
    if not len(found):
        return found
    people, row = np.unique(found.person, return_inverse=True)
    vectors = l2_normalise(found.vectors) if metric == "cosine" else found.vectors
    count = np.bincount(row)
    sums = np.add.reduceat(
        vectors[np.argsort(row, kind="stable")], np.cumsum(count) - count, dtype=np.float64
    )
    means = (sums / count[:, None]).astype(np.float32)
    return Templates(people, people, means)
