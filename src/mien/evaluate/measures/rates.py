"""Error rates of comparisons, in the terms of ISO/IEC 19795-1:2021.

A comparison is a match if its distance is at most the threshold.

FMR: share of the comparisons of two people that match. Only those that could be made count, so that pictures
in which nobody is found do not make it look better.
FNMR: share of the comparisons of one person that do not match. Those that could not be made count as errors,
so that pictures in which nobody is found do not go unnoticed; the standard calls this the generalised rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurve:
    """FMR and FNMR at every threshold that makes a difference.

    Attributes:
        threshold: `(k,)` rising; the first is below all distances.
        fmr: `(k,)` rising from 0.
        fnmr: `(k,)` falling from 1.
    """

    threshold: Floats
    fmr: Floats
    fnmr: Floats


def error_curve(genuine: Floats, impostor: Floats) -> ErrorCurve:
    """The trade of one error for the other.

    Args:
        genuine: `(g,)` distances of comparisons of one person, infinite where one could not be made.
        impostor: `(i,)` distances of comparisons of two people; infinite ones do not count.

    Raises:
        BadRequest: One of the kinds is empty, or a distance is NaN.
    """
    same, different = _sorted(genuine, "one person"), made_of(_sorted(impostor, "two people"))
    if not len(different):
        raise BadRequest("No comparison of two people could be made.")
    values = np.unique(np.concatenate([same[np.isfinite(same)], different]))
    threshold = np.concatenate([[-np.inf], values])
    return ErrorCurve(
        threshold,
        np.searchsorted(different, threshold, side="right") / len(different),
        1 - np.searchsorted(same, threshold, side="right") / len(same),
    )


def made_of(ordered: Floats) -> Floats:
    """Of sorted distances, those of comparisons that could be made."""
    return ordered[: np.searchsorted(ordered, np.inf)]


def equal_error_rate(curve: ErrorCurve) -> tuple[float, float]:
    """Where FMR and FNMR are equal, and the threshold there.

    Between the two thresholds where their order changes the curve is taken for a straight line.
    """
    # The last threshold matches everything that was compared: FMR is 1 there, and they have met.
    crossed = int(np.argmax(curve.fmr >= curve.fnmr))
    before = crossed - 1
    gap, next_gap = curve.fnmr[before] - curve.fmr[before], curve.fmr[crossed] - curve.fnmr[crossed]
    share = gap / (gap + next_gap)
    rate = curve.fmr[before] + share * (curve.fmr[crossed] - curve.fmr[before])
    return float(rate), float(curve.threshold[crossed])


def area_under_roc(genuine: Floats, impostor: Floats) -> float:
    """Probability that a person is nearer to himself than somebody else is to somebody; ties count half."""
    same, different = _sorted(genuine, "one person"), made_of(_sorted(impostor, "two people"))
    farther = len(different) - np.searchsorted(different, same, side="right")
    equal = len(different) - np.searchsorted(different, same, side="left") - farther
    return float((farther + equal / 2).mean() / len(different))


def threshold_at_fmr(impostor: Floats, rate: float) -> float:
    """Largest threshold whose FMR is at most `rate`: just below the next distance of two people.

    Args:
        impostor: `(i,)` distances of comparisons of two people; infinite ones do not count.
        rate: FMR asked for, 0..1.

    Raises:
        BadRequest: Nothing was compared, or the rate is no share.
    """
    different = made_of(_sorted(impostor, "two people"))
    if not 0 <= rate <= 1 or not len(different):
        raise BadRequest(f"There is no threshold for a false-match rate of {rate}.")
    allowed = int(np.floor(rate * len(different) * (1 + 1e-12)))
    if allowed >= len(different):
        return float(different[-1])
    # In the precision of the distances: a finer number would be rounded back when it is compared with them.
    return float(np.nextafter(different[allowed], different.dtype.type(-np.inf)))


def _sorted(distance: Floats, kind: str) -> Floats:
    if not len(distance):
        raise BadRequest(f"Nothing compares photographs of {kind}.")
    if np.isnan(distance).any():
        raise BadRequest("A distance is not a number.", hint="Say infinity where none could be computed.")
    # Stable, because that takes no time where the caller has sorted before.
    return np.sort(distance, kind="stable")
