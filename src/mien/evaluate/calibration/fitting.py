"""Fit a calibration to comparisons of labelled photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest, RateUnsupported
from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.evidence import METHODS, Evidence, Reliability, cllr, fit_evidence, reliability
from mien.evaluate.measures.intervals import NEEDED, TOO_FEW, Draws
from mien.evaluate.measures.operating import rates_at
from mien.evaluate.measures.rates import threshold_at_fmr
from mien.gallery.calibration import Behind, Calibration, Interval
from mien.ops.vectors import Metric

Floats = NDArray[np.floating[Any]]
FOLDS = 5
_KNOTS = 64
# Five tell a ratio to about a factor of two; thirty of few would leave little of its range.
_FARTHEST = 5
# Cllr of always saying one half.
_KNOWS_NOTHING = 1.0
# Of each kind and stretch, enough to fit a curve of one dimension.
_SAMPLE = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A calibration and what shows whether to trust it.

    Attributes:
        calibration: To be written.
        rates: `(k,)` false-match rates of the curve, rising, those that the data does not support included.
        distances: `(k,)` their distances.
        low: `(k,)` lower ends of 95 % intervals of the rates; NaN where rates are too large to need one.
        high: `(k,)` upper ends.
        reliability: Of probabilities on people that they were not fitted to.
        cllr: By method, on people that it was not fitted to.
    """

    calibration: Calibration
    rates: Floats
    distances: Floats
    low: Floats
    high: Floats
    reliability: Reliability
    cllr: dict[str, float]


def calibrate(
    comparisons: Comparisons,
    *,
    space: str,
    metric: Metric,
    fmr: float,
    acquired: NDArray[np.bool_],
    detector: str = "",
) -> Fitted:
    """Fit threshold, false-match rates and likelihood ratios.

    The threshold is the largest distance at which at most the share `fmr` of the comparisons of two people
    match. No rate is given that the data cannot support: `NEEDED` errors must be expected there, and the
    standard error of the rate over resampled people must be no larger than that of so many independent
    errors.

    Args:
        comparisons: Of labelled photographs, preferably each with every other.
        space: The embedding space.
        metric: What distance means.
        fmr: The false-match rate asked for.
        acquired: `(photographs,)` whether a face was found.
        detector: Pack that found the faces, to be written down.

    Raises:
        BadRequest: Too few comparisons of one person.
        RateUnsupported: Too few people for the rate asked for.
        ExtraMissing: scikit-learn is not installed.
    """
    draws = Draws(comparisons.people)
    impostor = np.sort(comparisons.distance[~comparisons.genuine & comparisons.made])
    genuine = np.sort(comparisons.distance[comparisons.genuine & comparisons.made])
    if len(genuine) < NEEDED:
        raise BadRequest(
            f"{TOO_FEW}: {len(genuine)} of one person, {NEEDED} are needed.",
            hint="Add photographs: two or more of each of many people.",
        )
    rates, distances = _curve(impostor)
    low, high, sure = _support(comparisons, rates, distances, draws)
    first = _first_supported(rates, sure)
    if first is None or fmr < rates[first] * (1 - 1e-9):
        least = f"{rates[first]:.2g} is the least" if first is not None else "none is"
        raise RateUnsupported(
            f"{TOO_FEW} for a false-match rate of {fmr:g}: {least} that {len(impostor):,} comparisons of "
            f"{comparisons.people:,} people support."
        )
    evidence, trust, costs, method = _evidence(
        genuine, impostor, float(distances[first]), _sampled(comparisons)
    )
    threshold = threshold_at_fmr(impostor, fmr)
    fmr_there, fnmr_there = rates_at(comparisons, threshold, draws)
    calibration = Calibration(
        space=space,
        metric=metric,
        made=datetime.now(UTC).date().isoformat(),
        requested_fmr=fmr,
        threshold=threshold,
        fmr=_interval(fmr_there),
        fnmr=_interval(fnmr_there),
        distances=[float(x) for x in distances[first:]],
        rates=[float(x) for x in rates[first:]],
        evidence_distances=[float(x) for x in evidence.distances],
        evidence=[float(x) for x in evidence.log10_ratio],
        method=method,
        detector=detector,
        cllr=costs[method],
        behind=Behind(
            len(np.unique(comparisons.person)),
            len(comparisons.person),
            int((~acquired).sum()),
            len(genuine),
            len(impostor),
        ),
    )
    return Fitted(calibration, rates, distances, low, high, trust, costs)


def _curve(impostor: Floats) -> tuple[Floats, Floats]:
    """False-match rates and their distances: close together where rates are small."""
    count = len(impostor)
    wanted = np.unique(np.concatenate([np.geomspace(1 / count, 0.5, _KNOTS), np.linspace(0.5, 1, 8)]))
    places = np.unique(np.ceil(wanted * count).astype(int)) - 1
    # The rate at a distance counts all that are as near: of equal ones, the last.
    distances = np.unique(impostor[places])
    return np.searchsorted(impostor, distances, side="right") / count, distances


def _support(
    comparisons: Comparisons, rates: Floats, distances: Floats, draws: Draws
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Intervals of small rates, and which rates are known as well as `NEEDED` independent errors tell."""
    counted = ~comparisons.genuine & comparisons.made
    count = int(counted.sum())
    small = rates <= max(0.01, min(1.0, 200_000 / count))
    low, high = np.full((2, len(rates)), np.nan)
    sure = rates * count >= NEEDED * (1 - 1e-9)
    if small.any():
        found = _replicated(comparisons, counted, distances[small], draws)
        low[small], high[small] = np.nanquantile(found, [0.025, 0.975], axis=0)
        sure[small] &= np.nanstd(found, axis=0) <= rates[small] / np.sqrt(NEEDED)
    return low, high, sure


def _replicated(
    comparisons: Comparisons, counted: NDArray[np.bool_], distances: Floats, draws: Draws
) -> Floats:
    """False-match rate at each distance in each replicate; `(replicates, k)`."""
    person = comparisons.person
    totals = draws.totals(person[comparisons.a[counted]], person[comparisons.b[counted]])
    near = np.flatnonzero(counted & (comparisons.distance <= distances[-1]))
    near = near[np.argsort(comparisons.distance[near], kind="stable")]
    a, b = person[comparisons.a[near]], person[comparisons.b[near]]
    places = np.searchsorted(comparisons.distance[near], distances, side="right") - 1
    rows = [np.cumsum(draws.weights(i, a, b), dtype=np.float64)[places] for i in range(len(draws))]
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.array(rows) / totals[:, None]
    return found


def _first_supported(rates: Floats, sure: NDArray[np.bool_]) -> int | None:
    """The smallest rate from which on all are supported."""
    if not sure[-2:].all():
        return None
    unsure = np.flatnonzero(~sure)
    first = int(unsure[-1]) + 1 if len(unsure) else 0
    return first if first < len(rates) - 1 else None


def _interval(rate: Rate) -> Interval:
    return Interval(rate.value or 0.0, rate.low or 0.0, min(rate.high or 0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    distance: Floats
    same: NDArray[np.bool_]
    weight: Floats
    a: NDArray[np.integer[Any]]
    b: NDArray[np.integer[Any]]

    def part(self, chosen: NDArray[np.bool_]) -> _Sample:
        return _Sample(*(getattr(self, name)[chosen] for name in self.__slots__))


def _evidence(
    genuine: Floats, impostor: Floats, nearest: float, sample: _Sample
) -> tuple[Evidence, Reliability, dict[str, float], str]:
    """The method that costs least on people it has not seen, fitted to all.

    No ratio is larger than that of all distances up to `nearest` taken together, nor smaller than that of all
    from the `_FARTHEST` last of one person on: further out there is nothing to tell how it goes on.
    """
    furthest = float(genuine[-_FARTHEST])
    most = (genuine <= nearest).mean() / (impostor <= nearest).mean()
    least = (genuine >= furthest).mean() / max(float((impostor >= furthest).mean()), 1 / len(impostor))
    bounds = np.sort(np.log10(np.maximum([least, most], 1e-12)))
    # Into the strangers, however far they are: what is held constant beyond the end must be theirs.
    wanted = np.linspace(min(genuine[0], impostor[0]), max(genuine[-1], impostor[-1]), _KNOTS * 2)

    def fit(method: str, part: _Sample) -> Evidence:
        found = fit_evidence(method, part.distance, part.same, part.weight, wanted)
        return Evidence(wanted, np.clip(found.log10_ratio, *bounds))

    held = {method: list(_held_out(partial(fit, method), sample)) for method in METHODS}
    ratios = {method: np.concatenate([ratio for ratio, _ in parts]) for method, parts in held.items()}
    same, weight = _joined([part for _, part in held[METHODS[0]]])
    costs = {method: cllr(ratio, same, weight) for method, ratio in ratios.items()}
    method = min(costs, key=lambda name: costs[name])
    if costs[method] >= _KNOWS_NOTHING:
        raise BadRequest(
            "Probabilities would be no better than guesses: their cost on other people is "
            f"{costs[method]:.2f}.",
            hint="Add photographs: two or more of each of many people. Also look for wrong names.",
        )
    return fit(method, sample), reliability(ratios[method], same, weight), costs, method


def _joined(parts: list[_Sample]) -> tuple[NDArray[np.bool_], Floats]:
    return np.concatenate([part.same for part in parts]), np.concatenate([part.weight for part in parts])


def _held_out(fit: Callable[[_Sample], Evidence], sample: _Sample) -> Iterator[tuple[Floats, _Sample]]:
    """Ratios for people of one fold after another, fitted to comparisons among all others.

    Raises:
        BadRequest: There are too few people for folds.
    """
    people = int(max(sample.a.max(), sample.b.max())) + 1
    fold = np.random.default_rng(0).permutation(people) % FOLDS
    parts = []
    for number in range(FOLDS):
        a, b = fold[sample.a] == number, fold[sample.b] == number
        parts.append((sample.part(~a & ~b), sample.part(a & b)))
    if not all(len(np.unique(part.same)) == 2 for pair in parts for part in pair):
        raise BadRequest(
            f"{people} people are too few: probabilities are checked on a fifth of them at a time.",
            hint="Add photographs: two or more of each of many people.",
        )
    for train, test in parts:
        yield fit(train).at(test.distance), test


def _sampled(comparisons: Comparisons) -> _Sample:
    """All of few; of many, all of the nearest of two people, and some of the others, which weigh more."""
    rng = np.random.default_rng(0)
    genuine = np.flatnonzero(comparisons.genuine & comparisons.made)
    impostor = np.flatnonzero(~comparisons.genuine & comparisons.made)
    near = impostor
    rest = impostor[:0]
    if len(impostor) > 2 * _SAMPLE:
        order = np.argpartition(comparisons.distance[impostor], _SAMPLE)
        near, rest = impostor[order[:_SAMPLE]], impostor[order[_SAMPLE:]]
    drawn = rng.choice(rest, min(_SAMPLE, len(rest)), replace=False)
    some = rng.choice(genuine, min(2 * _SAMPLE, len(genuine)), replace=False)
    chosen = np.concatenate([some, near, drawn])
    weight = np.ones(len(chosen))
    if len(drawn):
        weight[-len(drawn) :] = len(rest) / len(drawn)
    person = comparisons.person
    return _Sample(
        comparisons.distance[chosen].astype(np.float64),
        comparisons.genuine[chosen],
        weight,
        person[comparisons.a[chosen]],
        person[comparisons.b[chosen]],
    )
