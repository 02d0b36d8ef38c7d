"""How often two photographs are taken for one person wrongly, and how often they are not wrongly.

Terms and counting are those of ISO/IEC 19795-1:2021; see `mien.evaluate.measures.rates`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.evaluation import Evaluation, Rate
from mien.evaluate.measures.bands import Bands, resample
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.folds import ten_folds
from mien.evaluate.measures.groups import by_group
from mien.evaluate.measures.intervals import (
    NEEDED,
    TOO_FEW,
    Draws,
    exact_rate,
    interval_of,
    supported,
    widened,
)
from mien.evaluate.measures.operating import rates_at
from mien.evaluate.measures.rates import (
    area_under_roc,
    equal_error_rate,
    error_curve,
    threshold_at_fmr,
)
from mien.evaluate.showing import rate_key
from mien.evaluate.verification.charts import charts
from mien.evaluate.verification.results import AtFmr, Counts, Operating, Threshold, VerificationMeasures
from mien.evaluate.verification.tables import facts, headline, tables

Floats = NDArray[np.floating[Any]]
RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def evaluate_verification(
    comparisons: Comparisons,
    *,
    metric: str,
    space: str,
    acquired: NDArray[np.bool_],
    fold: NDArray[np.integer[Any]] | None = None,
    threshold: Threshold | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Evaluation:
    """Measure everything about verification that these comparisons can tell.

    Args:
        comparisons: Distances between photographs of one person and of two.
        metric: What distance means.
        space: The embedding space.
        acquired: `(photographs,)` whether a face was found.
        fold: `(n,)` number of the fold of each comparison; None: no accuracy is computed.
        threshold: The threshold that decides; None if there is none yet.
        labels: Groups of the photographs, `(photographs,)` each, by the name of the label column.

    Raises:
        BadRequest: Nothing can be measured: one kind of comparison is missing, or a distance is NaN.
    """
    draws = Draws(comparisons.people)
    same = comparisons.genuine
    genuine, impostor = np.sort(comparisons.distance[same]), np.sort(comparisons.distance[~same])
    curve = error_curve(genuine, impostor)
    made = int(np.isfinite(impostor).sum())
    asked = [rate for rate in RATES if supported(rate, made)]
    grid = _grid(made)
    eer, eer_at = equal_error_rate(curve)
    bands = resample(comparisons, [*asked, *grid], eer, draws)
    accuracies, thresholds = _accuracy(comparisons, fold)
    measures = VerificationMeasures(
        accuracy=float(accuracies.mean()) if len(accuracies) else None,
        accuracy_sd=float(accuracies.std()) if len(accuracies) else None,
        accuracy_folds=[float(one) for one in accuracies],
        accuracy_thresholds=[float(one) for one in thresholds],
        eer=Rate(eer, *widened(interval_of(bands.eer), round(eer * len(genuine)), len(genuine))),
        eer_threshold=eer_at,
        auc=area_under_roc(genuine, impostor),
        fnmr_at_fmr=_at_rates(genuine, impostor, bands, asked),
        operating=_operating(comparisons, threshold, draws) if threshold else None,
        failure_to_acquire=exact_rate(int((~acquired).sum()), len(acquired)),
        comparisons=Counts(
            people=len(np.unique(comparisons.person)),
            photographs=len(comparisons.person),
            genuine=len(genuine),
            impostor=len(impostor),
            genuine_not_made=int(np.isinf(genuine).sum()),
            impostor_not_made=len(impostor) - made,
        ),
        groups=[
            by_group(comparisons, label, threshold.distance if threshold else eer_at, draws, name)
            for name, label in (labels or {}).items()
        ],
        metric=metric,
        space=space,
    )
    band = Bands(bands.eer, bands.fnmr[:, len(asked) :])
    return Evaluation(
        "verification",
        headline(measures),
        measures,
        tables(measures),
        charts(comparisons, curve, grid, band, measures),
        facts(measures),
    )


def _accuracy(comparisons: Comparisons, fold: NDArray[np.integer[Any]] | None) -> tuple[Floats, Floats]:
    if fold is None:
        return np.zeros(0), np.zeros(0)
    return ten_folds(comparisons.distance, comparisons.genuine, fold)


def _at_rates(genuine: Floats, impostor: Floats, bands: Bands, asked: Sequence[float]) -> dict[str, AtFmr]:
    """FNMR at each of `RATES`; the columns of the bands begin with those asked for."""
    made = int(np.isfinite(impostor).sum())
    found: dict[str, AtFmr] = {}
    for rate in RATES:
        name = rate_key(rate)
        if rate not in asked:
            note = f"{TOO_FEW}: {made:,} of two people, {round(NEEDED / rate):,} are needed"
            found[name] = AtFmr(rate, None, Rate(None, note=note))
            continue
        threshold = threshold_at_fmr(impostor, rate)
        errors = int((genuine > threshold).sum())
        interval = interval_of(bands.fnmr[:, asked.index(rate)])
        fnmr = Rate(
            errors / len(genuine), *widened(interval, errors, len(genuine)), count=errors, of=len(genuine)
        )
        found[name] = AtFmr(rate, threshold, fnmr)
    return found


def _operating(comparisons: Comparisons, threshold: Threshold, draws: Draws) -> Operating:
    rates = rates_at(comparisons, threshold.distance, draws)
    return Operating(threshold.distance, threshold.fmr, threshold.source, *rates)


def _grid(made: int) -> list[float]:
    """False-match rates at which the DET curve gets a band: from what the data supports on."""
    least = max(NEEDED / made, 1e-7)
    most = 0.4 if made < 1_000_000 else 0.02
    return [float(rate) for rate in np.geomspace(least, most, 25)] if least < most else []
