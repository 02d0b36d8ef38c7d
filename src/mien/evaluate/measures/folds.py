"""Accuracy in folds: a threshold is chosen on all folds but one, and judged on that one.

The protocol of Labeled Faces in the Wild (G. B. Huang et al., UMass Amherst 07-49, 2007): ten folds of 300
pairs of one person and 300 of two, of people who are in no other fold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest

Floats = NDArray[np.floating[Any]]


def ten_folds(
    distance: Floats, same: NDArray[np.bool_], fold: NDArray[np.integer[Any]]
) -> tuple[Floats, Floats]:
    """Accuracy and threshold of each fold, in the order of the folds' numbers.

    A pair is taken for one person if its distance is at most the threshold, which is the one of the distances
    of the other folds that is right most often there; of several, the smallest.

    Args:
        distance: `(n,)`; infinite where a pair could not be compared, which counts as two people.
        same: `(n,)` whether a pair shows one person.
        fold: `(n,)` which fold a pair belongs to.

    Returns:
        Accuracies `(folds,)` in 0..1, and thresholds `(folds,)`.

    Raises:
        BadRequest: A distance is NaN, lengths differ, or there are fewer than two folds.
    """
    if not len(distance) == len(same) == len(fold):
        raise BadRequest(f"{len(distance)} distances, {len(same)} answers and {len(fold)} folds do not fit.")
    if np.isnan(distance).any():
        raise BadRequest("A distance is not a number.", hint="Say infinity where a pair cannot be compared.")
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise BadRequest("Accuracy in folds wants two folds or more.")
    thresholds = np.array([best_threshold(distance[fold != held], same[fold != held]) for held in numbers])
    accuracies = [
        ((distance[fold == held] <= threshold) == same[fold == held]).mean()
        for held, threshold in zip(numbers, thresholds, strict=True)
    ]
    return np.array(accuracies), thresholds


def folds_of_people(person: NDArray[np.integer[Any]], count: int = 10) -> NDArray[np.integer[Any]]:
    """Folds for pairs that come without: all that begin with one person are of one fold.

    Unlike in LFW's folds, the other person of a pair may be in another fold.

    Args:
        person: `(n,)` number of the first person of each pair.
        count: How many folds, or as many as there are people.

    Returns:
        `(n,)` numbers of folds; the pairs of people are dealt out in turn.
    """
    fold: NDArray[np.integer[Any]] = np.unique(person, return_inverse=True)[1] % count
    return fold


def best_threshold(distance: Floats, same: NDArray[np.bool_]) -> float:
    """The distance that decides most of these pairs rightly; the smallest of several.

    Where no pair could be compared, minus infinity: nothing is one person's.
    """
    order = np.argsort(distance, kind="stable")
    ranked, truth = distance[order], same[order]
    candidates = np.unique(ranked[np.isfinite(ranked)])
    if not len(candidates):
        return -np.inf
    accepted = np.searchsorted(ranked, candidates, side="right")
    genuine = np.concatenate([[0], np.cumsum(truth)])[accepted]
    right = genuine + (~truth).sum() - (accepted - genuine)
    return float(candidates[int(np.argmax(right))])
