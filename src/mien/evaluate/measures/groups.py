"""Error rates of groups of people at one threshold, and how far apart they are.

Within a group only: a comparison counts for a group if both photographs are of it, because people of one
group are taken for each other more easily than people of two (P. Grother et al.: NIST IR 8280, 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.intervals import (
    NEEDED,
    TOO_FEW,
    Draws,
    clustered_rate,
    replicated_share,
)
from mien.evaluate.measures.ordering import in_order

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]
Integers = NDArray[np.integer[Any]]


class GroupRates(msgspec.Struct, frozen=True):
    """One group at the operating threshold.

    Attributes:
        group: Its label.
        people: How many people.
        photographs: How many photographs.
        fmr: Share of comparisons of two of its people that match.
        fnmr: Share of comparisons of one person that do not match.
    """

    group: str
    people: int
    photographs: int
    fmr: Rate
    fnmr: Rate


class Ratio(msgspec.Struct, frozen=True):
    """The worst group's rate over the best group's.

    Attributes:
        value: The ratio; None if fewer than two groups have enough comparisons, or the best has no error.
        low: Lower end of the 95 % interval, for these two groups; that they were picked as worst and best
            after looking makes the ratio larger than the next sample's.
        high: Upper end; None if it is unbounded, because the best group may well have no error at all.
        worst: Label of the worst group.
        best: Label of the best group.
        note: Why there is no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    worst: str = ""
    best: str = ""
    note: str = ""


class Groups(msgspec.Struct, frozen=True):
    """All groups of one label column.

    Attributes:
        column: Name of the column.
        threshold: The one threshold that all are judged at.
        groups: Rates of each group.
        fmr_ratio: Worst to best FMR.
        fnmr_ratio: Worst to best FNMR.
        unlabelled: Photographs without a label, which are in no group.
    """

    column: str
    threshold: float
    groups: list[GroupRates]
    fmr_ratio: Ratio
    fnmr_ratio: Ratio
    unlabelled: int


def by_group(
    comparisons: Comparisons, label: Sequence[str], threshold: float, draws: Draws, column: str
) -> Groups:
    """Split comparisons by a label of the photographs.

    Args:
        comparisons: What was compared.
        label: `(photographs,)` the group of each; empty where nobody knows.
        threshold: Largest distance of a match.
        draws: The resampled people.
        column: Name of the label column.

    Raises:
        BadRequest: There is not one label for each photograph, or no photograph has one.
    """
    labels = np.array(label, dtype=np.str_)
    if len(labels) != len(comparisons.person):
        raise BadRequest(f"{len(labels)} labels of {len(comparisons.person)} photographs do not fit.")
    names = in_order(set(labels.tolist()) - {""})
    if not names:
        raise BadRequest(f"No photograph has a label in the column {column!r}.")
    # Numbers, not words: there are as many as comparisons.
    code = np.array([names.index(one) if one else -1 for one in labels.tolist()], np.int16)
    first = code[comparisons.a]
    first[first != code[comparisons.b]] = -1
    errors = {
        "fmr": (~comparisons.genuine & comparisons.made, comparisons.distance <= threshold),
        "fnmr": (comparisons.genuine, comparisons.distance > threshold),
    }
    rates: dict[str, dict[str, Rate]] = {}
    ratios: dict[str, Ratio] = {}
    for kind, (counted, wrong) in errors.items():
        chosen: dict[str, Integers] = {
            name: np.flatnonzero(counted & (first == i)) for i, name in enumerate(names)
        }
        rates[kind] = {name: _rate(comparisons, which, wrong, draws) for name, which in chosen.items()}
        ratios[kind] = _ratio(comparisons, chosen, wrong, rates[kind], draws)
    groups = [
        GroupRates(
            name,
            len(np.unique(comparisons.person[labels == name])),
            int((labels == name).sum()),
            rates["fmr"][name],
            rates["fnmr"][name],
        )
        for name in names
    ]
    return Groups(column, threshold, groups, ratios["fmr"], ratios["fnmr"], int((labels == "").sum()))


def _rate(comparisons: Comparisons, chosen: Integers, wrong: Flags, draws: Draws) -> Rate:
    person = comparisons.person
    return clustered_rate(wrong[chosen], person[comparisons.a[chosen]], person[comparisons.b[chosen]], draws)


def _ratio(
    comparisons: Comparisons, chosen: dict[str, Integers], wrong: Flags, rates: dict[str, Rate], draws: Draws
) -> Ratio:
    """Of the groups that have enough comparisons for the rate of all of them together."""
    of = sum(rate.of or 0 for rate in rates.values())
    overall = sum(rate.count or 0 for rate in rates.values()) / of if of else 0.0
    judged = {name: rate.value for name, rate in rates.items() if rate.value is not None and rate.of}
    enough = {name: value for name, value in judged.items() if (rates[name].of or 0) * overall >= NEEDED}
    if len(enough) < 2:
        return Ratio(None, note=TOO_FEW)
    best, *_, worst = sorted(enough, key=lambda name: enough[name])
    if not enough[best]:
        return Ratio(None, worst=worst, best=best, note="the best group has no error")
    person = comparisons.person
    share = [
        replicated_share(wrong[which], person[comparisons.a[which]], person[comparisons.b[which]], draws)
        for which in (chosen[worst], chosen[best])
    ]
    return Ratio(enough[worst] / enough[best], *ratio_interval(*share), worst, best)


def ratio_interval(worst: Floats, best: Floats) -> tuple[float, float | None]:
    """The middle 95 % of the ratios of replicates; None where the upper end is unbounded."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = worst / best
    ratio = ratio[~np.isnan(ratio)]
    # By order, not between neighbours: infinity has no neighbours.
    low, high = np.quantile(ratio, [0.025, 0.975], method="higher") if len(ratio) else (0.0, np.inf)
    return float(low), float(high) if np.isfinite(high) else None
