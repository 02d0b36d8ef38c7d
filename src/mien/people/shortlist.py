"""Who of many may be the person on several photographs, taken perhaps years apart from those that are known.

Each probe speaks through the face of a candidate that is nearest to it, and all probes weigh the same: the
score is the mean of these distances. On photographs of LFW, as they are and spoilt, with three embedders, it
lost at most 0.4 % of the people to the smallest distance or to the sum of log likelihood ratios, and won up
to 6 %; and the likelihood ratio at the mean was never the worst of the three, as each of the others was
(docs/benchmarks.md, "Looking for the missing").

Distances of one person grow with the years between two photographs: of good matchers 99 % of people are
recognised after up to six years, at a false-match rate of 0.01 % (L. Best-Rowden, A. K. Jain: Longitudinal
Study of Automatic Face Recognition, PAMI 40(1), 2018). We know no curve for our embedders, and children
change faster. So nothing is added to a distance; where the gap is larger, or unknown, the list is longer and
the band of the uncertain wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.matches import Decision
from mien.gallery.rule import DecisionRule

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Strings = NDArray[np.bytes_]

NEAR_PLACES = 20
FAR_PLACES = 50
LARGE_GAP_YEARS = 6
# Candidates far apart in time are uncertain up to a false-match rate so many times that of the threshold.
_FAR_RATES = 10


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A candidate of a shortlist.

    Attributes:
        person: Identifier.
        score: Mean over the probes of the distance of the nearest face.
        nearest: `(p,)` number of the face that is nearest to each probe.
        faces: `(f,)` numbers of the person's faces, the nearest to any probe first.
        gap_years: The smallest between a probe and the face nearest to it; None if none is known.
        margin: How much further the next candidate is; None of the last.
    """

    person: bytes
    score: float
    nearest: Ints
    faces: Ints
    gap_years: int | None
    margin: float | None

    @property
    def far_apart(self) -> bool:
        """Whether so many years lie between that a large distance says little, or nobody knows."""
        return self.gap_years is None or self.gap_years > LARGE_GAP_YEARS


def shortlist(
    distance: Floats, person: Strings, probe_years: Sequence[int | None], face_years: Sequence[int | None]
) -> tuple[Listed, ...]:
    """Rank people by all probes, and leave out who is too far down.

    Of people whose photographs are near in time there are `NEAR_PLACES`, of the others `FAR_PLACES`.

    Args:
        distance: `(p, f)` of probes to faces; at least one probe.
        person: `(f,)` whose the faces are.
        probe_years: `(p,)` when each probe was taken.
        face_years: `(f,)` when each face was.

    Returns:
        Best first; of equals, the lower identifier.
    """
    people, owner = np.unique(person, return_inverse=True)
    best = np.full((len(distance), len(people)), np.inf)
    for row, found in zip(best, distance, strict=True):
        np.minimum.at(row, owner, found)
    score = best.mean(axis=0)
    order = np.argsort(score, kind="stable")
    listed = []
    for place, one in enumerate(order[:FAR_PLACES]):
        own = np.flatnonzero(owner == one)
        nearest = own[distance[:, own].argmin(axis=1)]
        last = place + 1 == len(order)
        candidate = Listed(
            person=bytes(people[one]),
            score=float(score[one]),
            nearest=nearest,
            faces=own[np.argsort(distance[:, own].min(axis=0), kind="stable")],
            gap_years=_smallest_gap(probe_years, [face_years[face] for face in nearest]),
            margin=None if last else float(score[order[place + 1]] - score[one]),
        )
        if place < (FAR_PLACES if candidate.far_apart else NEAR_PLACES):
            listed.append(candidate)
    return tuple(listed)


def gap_years(one: int | None, other: int | None) -> int | None:
    """Years between two photographs; None if one is undated."""
    return None if one is None or other is None else abs(one - other)


def far_review_distance(rule: DecisionRule) -> float | None:
    """Up to where candidates far apart in time are uncertain; None where there is no such band.

    It is the distance at ten times the false-match rate of the threshold, which is a choice, not a
    measurement; or `review_distance`, if that is larger or nobody calibrated.
    """
    if rule.calibration is None or rule.fmr is None:
        return rule.review_distance
    rate = min(_FAR_RATES * rule.fmr, rule.calibration.rates[-1])
    wide = rule.calibration.threshold_at(max(rate, rule.fmr))
    return max(wide, rule.distance, rule.review_distance or 0.0)


def decide(candidates: Sequence[Listed], rule: DecisionRule, least_margin: float) -> tuple[Decision, ...]:
    """What the rule says of each candidate; only the nearest may be `known`.

    Args:
        candidates: Best first.
        rule: Threshold and bands.
        least_margin: See `mien.core.matches.Matches.least_margin`.
    """
    far = far_review_distance(rule)
    return tuple(
        _decision(
            one, rule, far if one.far_apart else rule.review_distance, first=place == 0, least=least_margin
        )
        for place, one in enumerate(candidates)
    )


def _decision(
    one: Listed, rule: DecisionRule, review_distance: float | None, *, first: bool, least: float
) -> Decision:
    if one.score > rule.distance:
        near = review_distance is not None and one.score <= review_distance
        return "uncertain" if near else "unknown"
    margin = np.inf if one.margin is None else one.margin
    rivalled = margin < least and one.score + margin <= rule.distance
    return "known" if first and not rivalled else "uncertain"


def _smallest_gap(years: Sequence[int | None], others: Sequence[int | None]) -> int | None:
    gaps = (gap_years(one, other) for one, other in zip(years, others, strict=True))
    return min((gap for gap in gaps if gap is not None), default=None)
