"""Between what a measured share may lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest, ExtraMissing
from mien.evaluate.evaluation import Rate

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

LEVEL = 0.95
# Fewer expected errors than this, and a rate is not stated: at 30 the true rate lies within 30 % of what was
# seen with 90 % confidence (G. Doddington's rule of 30; ISO/IEC 19795-1:2021, annex B).
NEEDED = 30
TOO_FEW = "not enough comparisons"


def exact_interval(errors: int, of: int) -> tuple[float, float]:
    """Interval of 95 % for a share of independent cases (Clopper and Pearson, Biometrika 1934).

    Args:
        errors: Cases counted.
        of: Cases in all; with none, the interval is everything.

    Raises:
        BadRequest: There are more errors than cases, or fewer than none.
        ExtraMissing: SciPy is not installed.
    """
    if not 0 <= errors <= of:
        raise BadRequest(f"{errors} of {of} is no share.")
    try:
        from scipy.stats import beta
    except ImportError as error:
        raise ExtraMissing.of(
            "evaluate", "Intervals are computed by SciPy, which is not installed."
        ) from error
    tail = (1 - LEVEL) / 2
    low = float(beta.ppf(tail, errors, of - errors + 1)) if errors else 0.0
    high = float(beta.ppf(1 - tail, errors + 1, of - errors)) if errors < of else 1.0
    return low, high


def exact_rate(errors: int, of: int, *, note: str = "") -> Rate:
    """A share of independent cases with its interval; no value if there are no cases."""
    if not of:
        return Rate(None, count=0, of=0, note=note or "nothing to count")
    return Rate(errors / of, *exact_interval(errors, of), count=errors, of=of, note=note)


def supported(rate: float, of: int) -> bool:
    """Whether so many comparisons can tell what happens at a rate: `NEEDED` errors are to be expected."""
    # Rates such as 1e-3 are no binary fractions: 30,000 comparisons shall do.
    return of * rate >= NEEDED * (1 - 1e-9)


class Draws:
    """People drawn with replacement, again and again: a bootstrap that keeps together what is one person's.

    Comparisons that share a person are not independent, and an interval that takes them for independent is
    too narrow. A comparison of two people counts as often as both were drawn, multiplied (the vertex
    bootstrap of T. Snijders and S. Borgatti, Connections 22(2), 1999); one of a person with himself as often
    as he was drawn.

    Args:
        people: How many people there are.
        replicates: How often to draw.
        seed: The same seed draws the same people.
    """

    def __init__(self, people: int, replicates: int = 500, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        share = np.full(max(people, 1), 1 / max(people, 1))
        # Row by replicate: one replicate is read as a whole.
        self.times = rng.multinomial(people, share, size=replicates).astype(np.float32)

    def __len__(self) -> int:
        return len(self.times)

    def weights(self, replicate: int, a: Integers, b: Integers) -> Floats:
        """How often each comparison of persons `a` `(n,)` and `b` `(n,)` counts in one replicate; `(n,)`."""
        times = self.times[replicate]
        weights: Floats = np.where(a == b, times[a], times[a] * times[b])
        return weights

    def totals(self, a: Integers, b: Integers) -> Floats:
        """Sum of the weights of comparisons `(n,)` in each replicate; `(replicates,)` float64."""
        from scipy.sparse import coo_array

        people = self.times.shape[1]
        same = a == b
        alone = self.times @ np.bincount(a[same], minlength=people).astype(np.float32)
        ones = np.ones(int((~same).sum()), np.float32)
        pairs = coo_array((ones, (a[~same], b[~same])), shape=(people, people)).tocsr()
        totals: Floats = alone.astype(np.float64)
        for start in range(0, len(self), 50):
            part = self.times[start : start + 50].T.astype(np.float64)
            totals[start : start + 50] += (part * (pairs @ part)).sum(0)
        return totals


def interval_of(replicates: Floats) -> tuple[float, float]:
    """The middle 95 % of what replicates gave; those that gave nothing (NaN) are left out."""
    given = replicates[np.isfinite(replicates)]
    if not len(given):
        return 0.0, 1.0
    low, high = np.quantile(given, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def clustered_rate(
    wrong: NDArray[np.bool_], a: Integers, b: Integers, draws: Draws, *, note: str = ""
) -> Rate:
    """A share of comparisons with an interval that knows that people recur.

    Args:
        wrong: `(n,)` which comparisons are counted.
        a: `(n,)` number of the one person of each comparison.
        b: `(n,)` number of the other; the same number where a person is compared with himself.
        draws: The resampled people.
        note: Put into the rate.
    """
    errors, of = int(wrong.sum()), len(wrong)
    if not of:
        return Rate(None, count=0, of=0, note=note or TOO_FEW)
    share = replicated_share(wrong, a, b, draws)
    return Rate(errors / of, *widened(interval_of(share), errors, of), count=errors, of=of, note=note)


def replicated_share(wrong: NDArray[np.bool_], a: Integers, b: Integers, draws: Draws) -> Floats:
    """The share in each replicate, NaN where nobody who matters was drawn; `(replicates,)`."""
    totals = draws.totals(a, b)
    one, other = a[wrong], b[wrong]
    errors = np.array([draws.weights(i, one, other).sum(dtype=np.float64) for i in range(len(draws))])
    share: Floats = np.divide(errors, totals, out=np.full(len(draws), np.nan), where=totals > 0)
    return share


def widened(interval: tuple[float, float], errors: int, of: int) -> tuple[float, float]:
    """An interval of replicates, made as wide as the exact one where errors are few.

    A bootstrap that has seen no error never draws one and would be sure of zero.
    """
    if min(errors, of - errors) >= NEEDED:
        return interval
    exact = exact_interval(errors, of)
    return min(interval[0], exact[0]), max(interval[1], exact[1])
