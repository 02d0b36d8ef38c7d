"""How likely a distance is for one person and for two: likelihood ratios, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest, ExtraMissing

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

# As far as an isotonic fit goes where all of a stretch are of one kind.
_LEAST = 1e-6
METHODS = ("logistic", "isotonic")


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A fitted likelihood ratio.

    Attributes:
        distances: `(k,)` rising.
        log10_ratio: `(k,)` falling; constant beyond the ends.
    """

    distances: Floats
    log10_ratio: Floats

    def at(self, distance: Floats) -> Floats:
        """Log10 of the likelihood ratio at distances of any shape."""
        return np.interp(distance, self.distances, self.log10_ratio)


def fit_evidence(method: str, distance: Floats, same: Flags, weight: Floats, distances: Floats) -> Evidence:
    """Fit how the likelihood ratio falls with distance.

    Both kinds are given the same weight in all, so that the odds of the fit are likelihood ratios.

    Args:
        method: `logistic` (D. Platt 1999: the logarithm of the ratio is a straight line), or `isotonic` (pool
            adjacent violators, N. Brümmer 2006: it only has to fall).
        distance: `(n,)` finite distances.
        same: `(n,)` whether a comparison is of one person.
        weight: `(n,)` how many comparisons each stands for.
        distances: `(k,)` rising distances at which the ratio is wanted.

    Raises:
        BadRequest: One kind is missing, or the method is unknown.
        ExtraMissing: scikit-learn is not installed.
    """
    if not same.any() or same.all():
        raise BadRequest("Evidence wants comparisons of one person and of two.")
    balanced = _balanced(same, weight)
    probability = _FITS[method](distance, same, balanced, distances)
    clipped = np.clip(probability, _LEAST, 1 - _LEAST)
    falling = np.minimum.accumulate(np.log10(clipped / (1 - clipped)))
    return Evidence(distances, falling)


def _logistic(distance: Floats, same: Flags, weight: Floats, wanted: Floats) -> Floats:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise _missing() from error
    # Scaled, so that the small penalty of scikit-learn means the same for every metric.
    centre, spread = distance.mean(), distance.std() or 1.0
    model = LogisticRegression(C=1e6, max_iter=1000)
    model.fit(((distance - centre) / spread)[:, None], same, sample_weight=weight * len(weight))
    probability: Floats = model.predict_proba(((wanted - centre) / spread)[:, None])[:, 1]
    return probability


def _isotonic(distance: Floats, same: Flags, weight: Floats, wanted: Floats) -> Floats:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise _missing() from error
    model = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
    model.fit(distance, same.astype(np.float64), sample_weight=weight)
    probability: Floats = model.predict(wanted)
    return probability


def _missing() -> ExtraMissing:
    return ExtraMissing.of("evaluate", "Evidence is fitted by scikit-learn, which is not installed.")


_FITS = {"logistic": _logistic, "isotonic": _isotonic}


def cllr(log10_ratio: Floats, same: Flags, weight: Floats) -> float:
    """Cost of log likelihood ratios: 0 is perfect, 1 is what says nothing, more is misleading.

    N. Brümmer, J. du Preez: Application-independent evaluation of speaker detection, 2006.

    Args:
        log10_ratio: `(n,)` for comparisons that the ratio was not fitted to.
        same: `(n,)` whether a comparison is of one person.
        weight: `(n,)` how many comparisons each stands for.
    """
    balanced = _balanced(same, weight)
    against = np.where(same, -1, 1) * log10_ratio * np.log(10)
    return float((balanced * np.logaddexp(0, against)).sum() / np.log(2))


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """What came of what was said to be so probable.

    Attributes:
        said: `(k,)` mean probability of each bin.
        came: `(k,)` share of one person in it, both kinds weighing the same in all.
        of: `(k,)` comparisons in it.
        share: `(k,)` its weight, in parts of the weight of all.
        error: Mean difference of the two, weighted; the expected calibration error.
    """

    said: Floats
    came: Floats
    of: NDArray[np.integer[Any]]
    share: Floats
    error: float


def reliability(log10_ratio: Floats, same: Flags, weight: Floats, bins: int = 10) -> Reliability:
    """Compare probabilities (at even odds before) with what is true, in bins of equal width."""
    probability = 1 / (1 + 10.0**-log10_ratio)
    balanced = _balanced(same, weight)
    place = np.minimum((probability * bins).astype(int), bins - 1)
    total: Floats = np.bincount(place, balanced, bins).astype(np.float64)
    kept = total > 0
    said = np.bincount(place, balanced * probability, bins)[kept] / total[kept]
    came = np.bincount(place, balanced * same, bins)[kept] / total[kept]
    return Reliability(
        said,
        came,
        np.bincount(place, minlength=bins)[kept],
        total[kept],
        float((np.abs(said - came) * total[kept]).sum()),
    )


def _balanced(same: Flags, weight: Floats) -> Floats:
    """Weights in which each kind weighs one half."""
    of_one, of_two = weight[same].sum(), weight[~same].sum()
    balanced: Floats = weight / np.where(same, 2 * of_one, 2 * of_two)
    return balanced
