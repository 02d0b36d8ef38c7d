"""Whether a calibration still holds for photographs that it was not made from."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.intervals import NEEDED, TOO_FEW, Draws, clustered_rate
from mien.gallery.calibration import Calibration, Interval

Verdict = Literal["holds", "drifted", "too few"]


class Drift(msgspec.Struct, frozen=True):
    """What the check found.

    Attributes:
        verdict: `holds`, `drifted`, or `too few` comparisons to tell either way.
        reasons: What drifted, or is missing, in words.
        threshold: The threshold that was checked.
        requested_fmr: The false-match rate that it was chosen for.
        fmr: Measured on the new photographs.
        fnmr: Measured on the new photographs.
        fnmr_then: When it was calibrated.
    """

    verdict: Verdict
    reasons: list[str]
    threshold: float
    requested_fmr: float
    fmr: Rate
    fnmr: Rate
    fnmr_then: Interval


def check_drift(calibration: Calibration, comparisons: Comparisons) -> Drift:
    """Compare rates on new photographs with those of the calibration.

    The false-match rate has drifted if its 95 % interval on the new photographs and the one it had on the old
    do not overlap, so that neither sample's own uncertainty is taken for drift; likewise the false non-match
    rate.

    Args:
        calibration: What is in use.
        comparisons: Of new labelled photographs, in the same embedding space.
    """
    draws = Draws(comparisons.people)
    made, genuine = comparisons.made, comparisons.genuine
    person = comparisons.person
    rates = []
    for counted, wrong in (
        (~genuine & made, comparisons.distance <= calibration.threshold),
        (genuine, comparisons.distance > calibration.threshold),
    ):
        a, b = person[comparisons.a[counted]], person[comparisons.b[counted]]
        rates.append(clustered_rate(wrong[counted], a, b, draws))
    fmr, fnmr = rates
    reasons = [
        f"the {name} was {then.value:.3g} ({then.low:.3g} to {then.high:.3g}) and is {now.value:.3g} "
        f"({now.low:.3g} to {now.high:.3g})"
        for name, then, now in (
            ("false-match rate", calibration.fmr, fmr),
            ("false non-match rate", calibration.fnmr, fnmr),
        )
        if _apart(then, now)
    ]
    verdict: Verdict = "drifted" if reasons else "holds"
    if not reasons and (missing := _missing(calibration, comparisons)):
        verdict, reasons = "too few", missing
    return Drift(
        verdict,
        reasons,
        calibration.threshold,
        calibration.requested_fmr,
        fmr,
        fnmr,
        calibration.fnmr,
    )


def _apart(then: Interval, now: Rate) -> bool:
    if now.low is None or now.high is None:
        return False
    return now.low > then.high or now.high < then.low


def _missing(calibration: Calibration, comparisons: Comparisons) -> list[str]:
    """What there is too little of to say that all is well."""
    impostor = int((~comparisons.genuine & comparisons.made).sum())
    needed = int(np.ceil(NEEDED / calibration.requested_fmr * (1 - 1e-9)))
    genuine = int(comparisons.genuine.sum())
    counts = (("two people", impostor, needed), ("one person", genuine, NEEDED))
    return [
        f"{TOO_FEW} of {kind}: {count:,}, {least:,} are needed"
        for kind, count, least in counts
        if count < least
    ]
