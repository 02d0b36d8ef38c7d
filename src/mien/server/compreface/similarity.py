"""Similarities as clients of CompreFace expect them: 0.5 is where one person ends and two begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.matches import Match
from mien.gallery.rule import DecisionRule
from mien.ops.vectors import Metric
from mien.server.compreface.shapes import ComparedEmbedding, ComparedEmbeddings, SimilarSubject

Floats = NDArray[np.floating[Any]]

# How steeply it falls around the threshold. CompreFace fits threshold and steepness to each of its embedders;
# their products lie between 6.2 and 8.7.
_STEEPNESS = 7.0


def similarity(distance: Floats, rule: DecisionRule) -> Floats:
    """Distances of any shape as similarities, 0..1.

    1/2 at the threshold of the rule, whoever measured that, and falling with the straight-line distance d
    between embeddings as in CompreFace: `(1 + tanh(k (1 - d / threshold))) / 2`. It is no probability.
    """
    share = _straight(np.asarray(distance, np.float64), rule.metric) / _straight(
        np.asarray(rule.distance), rule.metric
    )
    return np.round((1 + np.tanh(_STEEPNESS * (1 - share))) / 2, 5)


def _straight(distance: Floats, metric: Metric) -> Floats:
    """The distance between the ends of embeddings; of those that compare by angle, at length one."""
    return np.sqrt(np.maximum(2 * distance, 0)) if metric == "cosine" else distance


def ranked(embeddings: Sequence[list[float]], distance: Floats, rule: DecisionRule) -> ComparedEmbeddings:
    """Embeddings that were sent with how similar they are, the most similar first; distances are `(n,)`."""
    rows = [
        ComparedEmbedding(one, float(found))
        for one, found in zip(embeddings, similarity(distance, rule), strict=True)
    ]
    return ComparedEmbeddings(sorted(rows, key=lambda row: -row.similarity))


def alike(matches: Sequence[Match], rule: DecisionRule) -> list[SimilarSubject]:
    """Who a face may be, the most similar first."""
    found = similarity(np.array([match.distance for match in matches]), rule)
    return [SimilarSubject(match.person, float(one)) for match, one in zip(matches, found, strict=True)]
