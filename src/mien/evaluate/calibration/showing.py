"""A calibration, and the check of one, in words, tables and charts."""

from __future__ import annotations

import msgspec
import numpy as np

from mien.evaluate.calibration.drift import Drift
from mien.evaluate.calibration.fitting import Fitted
from mien.evaluate.evaluation import Chart, Curves, Evaluation, Line, Rate, Table
from mien.evaluate.showing import number, percent, rate_cell
from mien.gallery.calibration import Calibration, Interval

_SOME = 10
_LISTED = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


class CalibrationMeasures(msgspec.Struct, frozen=True):
    """The outcome of calibrating.

    Attributes:
        space: The embedding space.
        metric: What distance means.
        requested_fmr: The false-match rate that was asked for.
        threshold: Largest distance of one person.
        fmr: False-match rate there.
        fnmr: False non-match rate there.
        least_fmr: The smallest false-match rate that the data supports.
        cllr: Cost of the log likelihood ratio by method, on people it was not fitted to.
        method: The method used.
        calibration_error: Mean difference between probabilities and what came of them, on such people.
        people: How many.
        photographs: How many.
        genuine: Comparisons of one person.
        impostor: Comparisons of two people.
        without_face: Photographs on which no face was found.
    """

    space: str
    metric: str
    requested_fmr: float
    threshold: float
    fmr: Interval
    fnmr: Interval
    least_fmr: float
    cllr: dict[str, float]
    method: str
    calibration_error: float
    people: int
    photographs: int
    genuine: int
    impostor: int
    without_face: int


def show_calibration(fitted: Fitted) -> Evaluation:
    """Tables and charts of a calibration."""
    found = fitted.calibration
    behind = found.behind
    measures = CalibrationMeasures(
        space=found.space,
        metric=found.metric,
        requested_fmr=found.requested_fmr,
        threshold=found.threshold,
        fmr=found.fmr,
        fnmr=found.fnmr,
        least_fmr=found.least_fmr,
        cllr=fitted.cllr,
        method=found.method,
        calibration_error=fitted.reliability.error,
        people=behind.people,
        photographs=behind.photographs,
        genuine=behind.genuine,
        impostor=behind.impostor,
        without_face=behind.without_face,
    )
    headline = (
        f"{found.metric.capitalize()} distances up to {number(found.threshold)} are one person's: "
        f"{percent(found.fmr.value)} of strangers pass, {percent(found.fnmr.value)} of people are missed."
    )
    shown = {
        "threshold": number(found.threshold),
        "false-match rate there": percent(found.fmr.value),
        "false non-match rate there": percent(found.fnmr.value),
        "smallest false-match rate": percent(found.least_fmr),
    }
    return Evaluation("calibration", headline, measures, _tables(fitted), _charts(fitted), shown)


def _tables(fitted: Fitted) -> list[Table]:
    found = fitted.calibration
    behind = found.behind
    rates = [rate for rate in _LISTED if found.least_fmr <= rate <= found.rates[-1]]
    by_rate = [
        (percent(rate), number(at), percent(float(found.probability(np.array(at)))))
        for rate in rates
        for at in (found.threshold_at(rate),)
    ]
    rows = [
        ("threshold", number(found.threshold)),
        ("false-match rate there", _interval(found.fmr)),
        ("false non-match rate there", _interval(found.fnmr)),
        ("smallest false-match rate that can be asked for", percent(found.least_fmr)),
        ("cost of the log likelihood ratio, on other people", _costs(fitted)),
        ("error of probabilities, on other people", percent(fitted.reliability.error)),
    ]
    note = (
        f"{behind.people:,} people on {behind.photographs:,} photographs, {behind.without_face:,} of them "
        f"without a face; {behind.genuine:,} comparisons of one person and {behind.impostor:,} of two. "
        "Intervals are of 95 %, from people drawn with replacement."
    )
    return [
        Table("What was measured", ("measure", "value"), rows, note),
        Table(
            "Thresholds",
            ("false-match rate", f"{found.metric} distance", "probability of one person there"),
            by_rate,
            "Probabilities take one person and two people for equally probable before looking.",
        ),
    ]


def _costs(fitted: Fitted) -> str:
    told = [f"{cost:.4f} {method}" for method, cost in fitted.cllr.items()]
    return f"{', '.join(told)}; {fitted.calibration.method} is used"


def _interval(rate: Interval) -> str:
    return f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})"


def _charts(fitted: Fitted) -> list[Chart]:
    found = fitted.calibration
    label = f"{found.metric} distance"
    places = np.linspace(found.evidence_distances[0], fitted.distances[-1], 200)
    trust = fitted.reliability
    # As heavy as some pairs of one person: a bin of strangers alone says little, since one pair would move it
    # far.
    seen = trust.share >= _SOME / (2 * found.behind.genuine)
    return [
        Curves(
            "False matches by threshold",
            label,
            "false-match rate",
            [Line("measured", fitted.distances, fitted.rates, fitted.low, fitted.high)],
            y_scale="log",
            y_percent=True,
            verticals={"threshold": found.threshold, "least supported": found.distances[0]},
            note="Thresholds left of the least supported one are refused: too few strangers come so near. "
            "The band is the 95 % interval.",
        ),
        Curves(
            "Probability of one person",
            label,
            "probability",
            [Line("probability", places, found.probability(places))],
            y_percent=True,
            verticals={"threshold": found.threshold},
            note="If one person and two people were equally probable before looking.",
        ),
        Curves(
            "Can the probabilities be believed?",
            "probability that was said",
            "share that was one person",
            [Line("on people it was not fitted to", trust.said[seen], trust.came[seen], marks=True)],
            x_percent=True,
            y_percent=True,
            diagonal=True,
            note=f"On the diagonal, what was said came true. The mean error is {percent(trust.error)}; bins "
            f"that weigh less than {_SOME} pairs of one person are left out.",
        ),
    ]


def _between(rate: Rate) -> str:
    return f"{percent(rate.low)} to {percent(rate.high)}"


def show_drift(drift: Drift, calibration: Calibration) -> Evaluation:
    """The outcome of a check in a sentence and a table."""
    why = "; ".join(drift.reasons)
    said = {
        "holds": f"Nothing speaks against the calibration: here {_between(drift.fmr)} of strangers pass and "
        f"{_between(drift.fnmr)} of people are missed.",
        "drifted": f"The calibration does not hold for these photographs: {why}.",
        "too few": f"Nothing speaks against the calibration, but too little was seen: {why}.",
    }
    rows = [
        ("false-match rate", _interval(calibration.fmr), rate_cell(drift.fmr)),
        ("false non-match rate", _interval(calibration.fnmr), rate_cell(drift.fnmr)),
        (
            "photographs without a face",
            percent(calibration.behind.without_share),
            rate_cell(drift.failure_to_acquire),
        ),
    ]
    chosen = f"{percent(drift.requested_fmr)} on {calibration.made}"
    note = f"At the threshold {number(drift.threshold)}, chosen for {chosen}."
    table = Table("Then and now", ("rate", "when calibrated", "on these photographs"), rows, note)
    return Evaluation("drift", said[drift.verdict], drift, [table], [])
