"""Whether a calibration still holds for photographs that it was not made from."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.intervals import NEEDED, TOO_FEW, Draws, exact_rate
from mien.evaluate.measures.operating import rates_at
from mien.evaluate.showing import percent
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
        failure_to_acquire: New photographs without a face, which make pairs of one person errors.
        fmr_then: When it was calibrated.
        fnmr_then: When it was calibrated.
    """

    verdict: Verdict
    reasons: list[str]
    threshold: float
    requested_fmr: float
    fmr: Rate
    fnmr: Rate
    failure_to_acquire: Rate
    fmr_then: Interval
    fnmr_then: Interval


def check_drift(calibration: Calibration, comparisons: Comparisons, acquired: NDArray[np.bool_]) -> Drift:
    """Compare rates on new photographs with those of the calibration.

    The false-match rate has drifted if its 95 % interval on the new photographs and the one it had on the old
    do not overlap, so that neither sample's own uncertainty is taken for drift; likewise the false non-match
    rate.

    Args:
        calibration: What is in use.
        comparisons: Of new labelled photographs, in the same embedding space.
        acquired: `(photographs,)` whether a face was found.
    """
    fmr, fnmr = rates_at(comparisons, calibration.threshold, Draws(comparisons.people))
    reasons = [
        f"the {name} was {percent(then.value)} ({percent(then.low)} to {percent(then.high)}) and is "
        f"{percent(now.value)} ({percent(now.low)} to {percent(now.high)})"
        for name, then, now in (
            ("false-match rate", calibration.fmr, fmr),
            ("false non-match rate", calibration.fnmr, fnmr),
        )
        if _apart(then, now)
    ]
    unseen = exact_rate(int((~acquired).sum()), len(acquired))
    if reasons and unseen.value and unseen.low is not None and unseen.low > calibration.behind.without_share:
        reasons.append(f"no face was found on {int((~acquired).sum()):,} of {len(acquired):,} photographs")
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
        unseen,
        calibration.fmr,
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
