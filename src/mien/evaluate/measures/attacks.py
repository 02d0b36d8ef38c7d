"""Error rates of presentation-attack detection, in the terms of ISO/IEC 30107-3.

A score says how likely a face is live; it is taken for live (bona fide) from the threshold on. APCER is the
share of attacks of one kind (PAI species) that are taken for live, BPCER the share of live faces that are
not. Both are of the presentations that were answered; those without an answer, because no face was found,
are APNRR and BPNRR.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.intervals import NEEDED, exact_rate, supported

Floats = NDArray[np.floating[Any]]

# Where BPCER is stated beside the threshold in use; ISO/IEC 30107-3 calls them BPCER20 and BPCER100.
TARGETS = (0.05, 0.01)
_SILENT = "no face was found on any"


class AtApcer(msgspec.Struct, frozen=True):
    """BPCER at the least threshold at which no kind of attack has an APCER above a target.

    Attributes:
        bpcer: Without a value where some kind has too few attacks to tell.
        threshold: Chosen on these very data; None without a value.
    """

    bpcer: Rate
    threshold: float | None


class Attacks(msgspec.Struct, frozen=True):
    """How well attacks are told from live faces.

    Attributes:
        threshold: A face is taken for live from this score on.
        apcer: By kind of attack.
        apcer_max: That of the worst kind.
        worst_kind: Which one that is.
        bpcer: Of the live faces.
        acer: `(apcer_max + bpcer) / 2`.
        d_eer: Where the APCER of the worst kind and BPCER are equal as the threshold moves.
        d_eer_by_kind: The same for each kind alone.
        bpcer_at_apcer: By target, such as `0.01`.
        apnrr: Attacks without an answer, by kind.
        bpnrr: Live presentations without an answer.
    """

    threshold: float
    apcer: Mapping[str, Rate]
    apcer_max: float
    worst_kind: str
    bpcer: Rate
    acer: float
    d_eer: float
    d_eer_by_kind: Mapping[str, float]
    bpcer_at_apcer: Mapping[str, AtApcer]
    apnrr: Mapping[str, Rate]
    bpnrr: Rate


def measure_attacks(
    live: Floats,
    attacks: Mapping[str, Floats],
    threshold: float,
    *,
    live_unanswered: int = 0,
    unanswered: Mapping[str, int] | None = None,
) -> Attacks:
    """Measure scores of live faces and of attacks.

    Args:
        live: `(n,)` scores of live presentations that were answered, higher is more live.
        attacks: The same for each kind of attack; a kind of which none was answered is empty.
        threshold: Least score that is taken for live.
        live_unanswered: Live presentations without a score.
        unanswered: Attacks without a score, by kind.

    Raises:
        BadRequest: There is no live score or none of an attack, or one is no finite number.
    """
    if not np.isfinite(threshold):
        raise BadRequest(f"A threshold of {threshold} is no number.")
    bona_fide = _checked(live, "live faces")
    scores = {kind: _checked(given, kind) for kind, given in attacks.items()}
    judged = {kind: given for kind, given in scores.items() if len(given)}
    if not len(bona_fide) or not judged:
        missing = "attack" if len(bona_fide) else "live presentation"
        raise BadRequest(
            f"There is no score of any {missing}.", hint="Both are needed. Was no face found on any?"
        )
    apcer = {
        kind: exact_rate(int((given >= threshold).sum()), len(given), note="" if len(given) else _SILENT)
        for kind, given in scores.items()
    }
    passed = {kind: float((given >= threshold).mean()) for kind, given in judged.items()}
    worst = max(passed, key=lambda kind: passed[kind])
    bpcer = exact_rate(int((bona_fide < threshold).sum()), len(bona_fide))
    silent = unanswered or {}
    return Attacks(
        threshold=threshold,
        apcer=apcer,
        apcer_max=passed[worst],
        worst_kind=worst,
        bpcer=bpcer,
        acer=(passed[worst] + float((bona_fide < threshold).mean())) / 2,
        d_eer=equal_error(bona_fide, judged),
        d_eer_by_kind={kind: equal_error(bona_fide, {kind: given}) for kind, given in judged.items()},
        bpcer_at_apcer={f"{target:g}": _at_apcer(bona_fide, judged, target) for target in TARGETS},
        apnrr={kind: _silence(silent.get(kind, 0), len(given)) for kind, given in scores.items()},
        bpnrr=_silence(live_unanswered, len(bona_fide)),
    )


def error_trade_off(live: Floats, attacks: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """APCER of the worst kind and BPCER at every threshold at which one of them changes.

    Args:
        live: `(n,)` scores, all answered.
        attacks: The same for each kind.

    Returns:
        APCER `(k,)` from 1 to 0, and BPCER `(k,)` from 0 to 1.
    """
    thresholds = np.append(np.unique(np.concatenate([live, *attacks.values()])), np.inf)
    apcer = np.max([_share_from(scores, thresholds) for scores in attacks.values()], axis=0)
    return apcer, 1 - _share_from(live, thresholds)


def equal_error(live: Floats, attacks: Mapping[str, Floats]) -> float:
    """D-EER: where the lines between the points of `error_trade_off` cross APCER = BPCER."""
    apcer, bpcer = error_trade_off(live, attacks)
    after = int(np.argmax(bpcer >= apcer))  # the first point is (1, 0), the last (0, 1)
    gap, before = bpcer - apcer, after - 1
    share = gap[before] / (gap[before] - gap[after])
    return float(apcer[before] + share * (apcer[after] - apcer[before]))


def _checked(scores: Floats, what: str) -> Floats:
    array = np.asarray(scores, np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise BadRequest(f"The scores of {what} must be one row of finite numbers.")
    return array


def _silence(unanswered: int, answered: int) -> Rate:
    return exact_rate(unanswered, unanswered + answered)


def _share_from(scores: Floats, thresholds: Floats) -> Floats:
    """Share of the scores that are at or above each threshold."""
    below = np.searchsorted(np.sort(scores), thresholds, side="left")
    share: Floats = (len(scores) - below) / len(scores)
    return share


def _at_apcer(live: Floats, attacks: Mapping[str, Floats], target: float) -> AtApcer:
    fewest = min(len(scores) for scores in attacks.values())
    if not supported(target, fewest):
        kind = min(attacks, key=lambda name: len(attacks[name]))
        needed = round(NEEDED / target)
        note = (
            f"not enough comparisons: {fewest} of {kind}, {needed:,} of each kind needed (rule of {NEEDED})"
        )
        return AtApcer(Rate(None, note=note), None)
    thresholds = []
    for scores in attacks.values():
        # 0.29 of 100 is 28.999...
        allowed = int(len(scores) * target + 1e-9)
        first_refused = np.sort(scores)[::-1][allowed]
        thresholds.append(np.nextafter(first_refused, np.inf))
    threshold = float(max(thresholds))
    return AtApcer(exact_rate(int((live < threshold).sum()), len(live)), threshold)
