"""Pictures of verification: DET, ROC, distances, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.bars import rate_bars
from mien.evaluate.evaluation import Chart, Curves, Line
from mien.evaluate.measures.bands import Bands, band_at
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.groups import Groups
from mien.evaluate.measures.intervals import NEEDED, interval_of, widened
from mien.evaluate.measures.rates import ErrorCurve
from mien.evaluate.verification.results import VerificationMeasures

Floats = NDArray[np.floating[Any]]
_POINTS = 300


def charts(
    comparisons: Comparisons,
    curve: ErrorCurve,
    grid: Sequence[float],
    bands: Bands,
    found: VerificationMeasures,
) -> list[Chart]:
    """Draw what was measured.

    Args:
        comparisons: Distances between photographs.
        curve: FMR and FNMR at every threshold.
        grid: False-match rates of the columns of `bands`.
        bands: What resampled people gave.
        found: The measures.
    """
    fmr, fnmr = _thinned(curve)
    least = NEEDED / max(found.comparisons.impostor - found.comparisons.impostor_not_made, 1)
    return [
        Curves(
            "Detection error trade-off",
            "false-match rate",
            "false non-match rate",
            [Line("measured", fmr, fnmr, *_band(curve, grid, bands, found.comparisons.genuine, fmr))],
            x_scale="deviate",
            y_scale="deviate",
            x_percent=True,
            y_percent=True,
            verticals={f"fewer than {NEEDED} errors": least} if least < 0.4 else {},
            note="Nearer to the lower left corner is better. The band is the 95 % interval; left of the line "
            "are too few errors to tell.",
        ),
        Curves(
            "Receiver operating characteristic",
            "false-match rate",
            "share of one person's pairs that match",
            [Line("measured", np.maximum(fmr, least / NEEDED), 1 - fnmr)],
            x_scale="log",
            x_percent=True,
            y_percent=True,
            note="How many pairs of one person match when so many pairs of two people do.",
        ),
        _distances(comparisons, found),
        *(bar for groups in found.groups for bar in _groups(groups)),
    ]


def _band(
    curve: ErrorCurve, grid: Sequence[float], bands: Bands, pairs: int, fmr: Floats
) -> tuple[Floats, Floats]:
    """Ends of the interval of FNMR at the false-match rates of a curve; NaN where it was not resampled."""
    ends = [
        widened(interval_of(column), round(rate * pairs), pairs)
        for rate, column in zip(_at(curve, grid), bands.fnmr.T, strict=True)
    ]
    return band_at(fmr, grid, np.array(ends))


def _distances(comparisons: Comparisons, found: VerificationMeasures) -> Curves:
    made = comparisons.made
    kinds = {"one person": comparisons.genuine & made, "two people": ~comparisons.genuine & made}
    edges = np.histogram_bin_edges(comparisons.distance[made], 80)
    centres = (edges[1:] + edges[:-1]) / 2
    lines = []
    for name, chosen in kinds.items():
        counts = np.histogram(comparisons.distance[chosen], edges)[0]
        lines.append(Line(name, centres, counts / max(counts.sum(), 1)))
    threshold = {"threshold in use": found.operating.threshold} if found.operating else {}
    return Curves(
        "Distances",
        f"{found.metric} distance",
        "share of comparisons",
        lines,
        y_percent=True,
        verticals=threshold or {"equal errors": found.eer_threshold},
        note="Pairs left of the line are taken for one person. The less the two overlap, the better.",
    )


def _groups(groups: Groups) -> list[Chart]:
    note = f"All at the one threshold {groups.threshold:.3f}."
    fmr = {one.group: one.fmr for one in groups.groups}
    fnmr = {one.group: one.fnmr for one in groups.groups}
    return [
        rate_bars(f"False matches by {groups.column}", groups.column, "false-match rate", fmr, note),
        rate_bars(f"False non-matches by {groups.column}", groups.column, "false non-match rate", fnmr, note),
    ]


def _thinned(curve: ErrorCurve) -> tuple[Floats, Floats]:
    """As many points as a picture needs, close together where either rate is small."""
    seen = curve.fmr[curve.fmr > 0]
    least = max(float(seen[0]) if len(seen) else 1e-7, 1e-9)
    fmr_places = np.searchsorted(curve.fmr, np.geomspace(least, 1, _POINTS))
    rising = 1 - curve.fnmr
    missed = curve.fnmr[curve.fnmr > 0]
    fnmr_places = np.searchsorted(rising, 1 - np.geomspace(max(float(missed[-1]), 1e-9), 1, _POINTS))
    places = np.unique(np.clip(np.concatenate([fmr_places, fnmr_places, [0]]), 0, len(curve.fmr) - 1))
    return curve.fmr[places], curve.fnmr[places]


def _at(curve: ErrorCurve, grid: Sequence[float]) -> Floats:
    """FNMR at each false-match rate of the grid."""
    places = np.searchsorted(curve.fmr, grid, side="right") - 1
    return curve.fnmr[np.clip(places, 0, len(curve.fnmr) - 1)]
