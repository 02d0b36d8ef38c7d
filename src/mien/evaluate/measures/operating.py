"""Error rates at one threshold, as `mien.evaluate.measures.rates` counts them, with intervals over people."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.intervals import Draws, clustered_rate


def rates_at(comparisons: Comparisons, threshold: float, draws: Draws) -> tuple[Rate, Rate]:
    """FMR and FNMR where distances up to `threshold` match.

    Args:
        comparisons: What was compared.
        threshold: Largest distance of a match.
        draws: The resampled people.
    """
    genuine, matched = comparisons.genuine, comparisons.distance <= threshold
    return (
        _rate(comparisons, ~genuine & comparisons.made, matched, draws),
        _rate(comparisons, genuine, ~matched, draws),
    )


def _rate(comparisons: Comparisons, counted: NDArray[np.bool_], wrong: NDArray[Any], draws: Draws) -> Rate:
    a, b = (comparisons.person[side[counted]] for side in (comparisons.a, comparisons.b))
    return clustered_rate(wrong[counted], a, b, draws)
