"""Errors by group where each photograph is judged by itself, and how far groups are apart.

The interval of a ratio of two shares is that of its logarithm, which is nearly normal (D. Katz, J. Baptista,
S. Azen and M. Pike, Biometrics 34, 1978). Where a photograph holds several cases, such as faces to be found,
they stand and fall together, and both intervals use the variance between photographs (J. Rao and A. Scott: A
simple method for the analysis of clustered binary data, Biometrics 48, 1992); with one case each that is
Katz's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.groups import Ratio, ratio_interval
from mien.evaluate.measures.intervals import LEVEL, NEEDED, exact_interval, exact_rate, interval_of, widened
from mien.evaluate.measures.ordering import in_order

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
_REPLICATES = 1000


class GroupRate(msgspec.Struct, frozen=True):
    """One group.

    Attributes:
        group: Its label.
        cases: How many cases are of it, with an answer or without.
        unanswered: Cases without an answer, such as photographs on which no face was found.
        rate: Share of the answered cases that are wrong.
    """

    group: str
    cases: int
    unanswered: int
    rate: Rate


class CaseGroups(msgspec.Struct, frozen=True):
    """All groups of one label column.

    Attributes:
        column: Name of the column.
        measure: What the rate is, such as `bpcer`.
        groups: Each group, in order; none if no case has a label.
        ratio: The worst group's rate over the best group's.
        unlabelled: Cases without a label, which are in no group.
    """

    column: str
    measure: str
    groups: list[GroupRate]
    ratio: Ratio
    unlabelled: int


class MeanError(msgspec.Struct, frozen=True):
    """A mean absolute error in years.

    Attributes:
        value: The mean; None without faces.
        low: Lower end of the 95 % interval; None where there are too few faces for one.
        high: Upper end.
        of: How many faces it is of.
    """

    value: float | None
    low: float | None
    high: float | None
    of: int


class GroupAge(msgspec.Struct, frozen=True):
    """How far ages of one group are off.

    Attributes:
        group: Its label.
        cases: How many photographs are of it, with an answer or without.
        unanswered: Photographs on which no face was found.
        mae: Mean absolute error.
        bias: Mean of said - true, in years: above zero, people are taken for older than they are.
    """

    group: str
    cases: int
    unanswered: int
    mae: MeanError
    bias: float | None


class AgeGroups(msgspec.Struct, frozen=True):
    """How far ages are off, by group.

    Attributes:
        column: Name of the label column.
        groups: Each group, in order; none if no photograph has a label.
        ratio: The worst group's mean absolute error over the best group's.
        unlabelled: Photographs without a label, which are in no group.
    """

    column: str
    groups: list[GroupAge]
    ratio: Ratio
    unlabelled: int


def cases_by_group(
    wrong: Flags,
    counted: Flags,
    label: Sequence[str],
    column: str,
    name: str,
    *,
    photo: Integers | None = None,
) -> CaseGroups:
    """Split a share of cases by a label.

    Args:
        wrong: `(n,)` which cases are errors; of no account where they are not counted.
        counted: `(n,)` which cases have an answer.
        label: `(n,)` the group of each; empty where nobody knows.
        column: Name of the label column.
        name: What the share is called, such as `bpcer`.
        photo: `(n,)` number of the photograph of each case; without it each is on its own.

    Returns:
        Rates, and their ratio among the groups in which `NEEDED` errors would be expected at the rate of all
        of them together.

    Raises:
        BadRequest: Lengths differ.
    """
    members = _members(label, wrong, counted, *([] if photo is None else [photo]))
    rates: dict[str, Rate] = {}
    variance: dict[str, float] = {}
    for group, who in members.items():
        answered = who[counted[who]]
        rates[group], variance[group] = _rate(wrong[answered], None if photo is None else photo[answered])
    of = sum(rate.of or 0 for rate in rates.values())
    overall = sum(rate.count or 0 for rate in rates.values()) / of if of else 0.0
    enough = {
        group: rate.value
        for group, rate in rates.items()
        if rate.value is not None and (rate.of or 0) * overall >= NEEDED
    }
    groups = [
        GroupRate(group, len(who), int((~counted[who]).sum()), rates[group]) for group, who in members.items()
    ]
    ratio = _ratio(
        enough,
        lambda worst, best: _around(enough[worst] / enough[best], variance[worst] + variance[best]),
        f"{NEEDED} errors must be expected in each of two groups",
    )
    return CaseGroups(column, name, groups, ratio, len(label) - sum(map(len, members.values())))


def ages_by_group(
    error: Floats, counted: Flags, label: Sequence[str], column: str, seed: int = 0
) -> AgeGroups:
    """Split errors of age by a label; intervals are from photographs drawn with replacement, 1,000 times.

    Args:
        error: `(n,)` said - true in years; of no account where it is not counted.
        counted: `(n,)` which photographs have an answer.
        label: `(n,)` the group of each; empty where nobody knows.
        column: Name of the label column.
        seed: The same seed draws the same photographs.

    Returns:
        Mean errors, and their ratio among the groups of `NEEDED` faces or more.

    Raises:
        BadRequest: Lengths differ, or an error that counts is no finite number.
    """
    members = _members(label, error, counted)
    if not np.isfinite(error[counted]).all():
        raise BadRequest("An error of age is not a finite number.")
    rng = np.random.default_rng(seed)
    groups: list[GroupAge] = []
    means: dict[str, Floats] = {}
    for group, who in members.items():
        off = np.asarray(error[who[counted[who]]], np.float64)
        if len(off) >= NEEDED:
            means[group] = _resampled(np.abs(off), rng)
        low, high = interval_of(means[group]) if group in means else (None, None)
        mae = MeanError(float(np.abs(off).mean()) if len(off) else None, low, high, len(off))
        bias = float(off.mean()) if len(off) else None
        groups.append(GroupAge(group, len(who), len(who) - len(off), mae, bias))
    enough = {one.group: one.mae.value for one in groups if one.group in means and one.mae.value is not None}
    ratio = _ratio(
        enough,
        lambda worst, best: ratio_interval(means[worst], means[best]),
        f"{NEEDED} faces are needed in each of two groups",
    )
    return AgeGroups(column, groups, ratio, len(label) - sum(map(len, members.values())))


def _members(label: Sequence[str], *columns: NDArray[Any]) -> dict[str, Integers]:
    """Places of the cases of each group, by group in order."""
    if any(np.shape(column) != (len(label),) for column in columns):
        shapes = ", ".join(str(np.shape(column)) for column in columns)
        raise BadRequest(f"{len(label)} labels do not fit cases of shape {shapes}.")
    places: dict[str, list[int]] = {}
    for i, group in enumerate(label):
        places.setdefault(group, []).append(i)
    return {group: np.array(places[group], np.int64) for group in in_order(places) if group}


def _rate(wrong: Flags, photo: Integers | None) -> tuple[Rate, float]:
    """The share of a group, and the variance of its logarithm."""
    errors, of = int(wrong.sum()), len(wrong)
    alone = 1 / errors - 1 / of if errors else math.inf
    if photo is None or not of:
        rate = exact_rate(errors, of)
        return rate, _from_below(rate.low) if errors == of else alone
    excess = np.bincount(np.unique(photo, return_inverse=True)[1], wrong - errors / of)
    photos = len(excess)
    if errors in (0, of):
        # Nothing varies, so nothing says how much cases of a photograph go together: perhaps wholly.
        low, high = exact_interval(photos if errors else 0, photos)
        known = errors and photos > 1
        return Rate(errors / of, low, high, count=errors, of=of), _from_below(low) if known else math.inf
    variance = photos / (photos - 1) * float((excess**2).sum()) / errors**2 if photos > 1 else math.inf
    # A variance out of few photographs is uncertain itself.
    variance *= (_student(photos - 1) / _Z) ** 2 if photos > 1 else 1
    # Where a few photographs happen to be alike, cases still vary as much as independent ones.
    variance = max(variance, alone)
    # On the scale of log odds, which has no ends to fall off.
    odds = errors / (of - errors)
    width = _Z * math.sqrt(variance) * of / (of - errors)
    ends = (0.0, 1.0) if math.isinf(width) else (_share(odds, -width), _share(odds, width))
    low, high = widened(ends, errors, of)
    return Rate(errors / of, low, high, count=errors, of=of), variance


def _from_below(low: float | None) -> float:
    """Variance of the logarithm of a share of one, of which only the lower end is known."""
    return (math.log(low) / _Z) ** 2 if low else math.inf


def _student(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, freedom))


def _share(odds: float, shift: float) -> float:
    """The share whose odds are these, times e to the power of `shift`."""
    return 1 / (1 + math.exp(min(-math.log(odds) - shift, 700.0)))


def _around(ratio: float, variance: float) -> tuple[float, float | None]:
    """The 95 % interval of a ratio whose logarithm has a variance; unbounded if that is."""
    if math.isinf(variance):
        return 0.0, None
    width = math.exp(_Z * math.sqrt(variance))
    return ratio / width, ratio * width


def _ratio(
    value: Mapping[str, float], interval: Callable[[str, str], tuple[float, float | None]], needed: str
) -> Ratio:
    """Worst to best of the groups that have enough cases."""
    if len(value) < 2:
        return Ratio(None, note=f"not enough cases: {needed}")
    best, *_, worst = sorted(value, key=lambda group: value[group])
    if not value[best]:
        return Ratio(None, worst=worst, best=best, note="the best group has no error")
    return Ratio(value[worst] / value[best], *interval(worst, best), worst, best)


def _resampled(values: Floats, rng: np.random.Generator) -> Floats:
    """Mean of so many values, drawn with replacement; `(1000,)`."""
    n = len(values)
    return np.array([values[rng.integers(0, n, n)].mean() for _ in range(_REPLICATES)])
