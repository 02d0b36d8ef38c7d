"""Quality: whether refusing the photographs that are said to be worst prevents errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.evaluation import Chart, Curves, Evaluation, Line, Rate, Table
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.discard import MOST_DISCARDED, Discard, error_versus_discard
from mien.evaluate.measures.intervals import NEEDED, TOO_FEW, exact_rate, supported
from mien.evaluate.measures.rates import threshold_at_fmr
from mien.evaluate.showing import NOTHING, number, percent, rate_cell

Floats = NDArray[np.floating[Any]]

# Columns that say how good a photograph of a face is; higher is better.
QUALITIES = ("quality", "score")
_STATED = (0.0, 0.05, 0.1, 0.2)
_BINS = 30

_TILES = 5


class QualityMeasures(msgspec.Struct, frozen=True):
    """The outcome of quality.

    Attributes:
        column: The measure of quality.
        threshold: Largest distance of a match.
        fmr_requested: The false-match rate that the threshold was chosen for.
        fmr: What it is on these comparisons of two people.
        fnmr: Of the comparisons of one person that could be made, before anything is refused.
        not_made: Comparisons of one person that could not be made, as no face was found.
        fnmr_at_discard: FNMR of what remains, by the share refused, such as `0.1`.
        area: Mean FNMR while from none to a fifth is refused.
        area_ideal: The same if those that fail were refused first.
        area_chance: The same if quality said nothing.
        relative_area: `(area - area_ideal) / (area_chance - area_ideal)`: 0 is ideal, 1 is chance; None where
            nothing fails.
        note: What to know about it.
    """

    column: str
    threshold: float
    fmr_requested: float
    fmr: Rate
    fnmr: Rate
    not_made: int
    fnmr_at_discard: Mapping[str, float]
    area: float
    area_ideal: float
    area_chance: float
    relative_area: float | None
    note: str


def evaluate_quality(
    comparisons: Comparisons, quality: Floats, *, metric: str, fmr: float = 1e-3, column: str = "quality"
) -> Evaluation:
    """Refuse comparisons of one person from the worst photograph on, and see whether fewer fail.

    Args:
        comparisons: Distances between photographs of one person and of two.
        quality: `(photographs,)` higher is better; NaN where there is no face.
        metric: What distance means.
        fmr: False-match rate that the threshold is chosen for, on these comparisons.
        column: What the quality is called.

    Raises:
        BadRequest: No comparison of one person, or none of two, could be made; a face has
            no quality, or the rate is no share.
    """
    if not 0 < fmr < 1:
        raise BadRequest(f"A false-match rate lies between 0 and 1, not at {fmr}.")
    made, genuine = comparisons.made, comparisons.genuine
    worse = np.minimum(quality[comparisons.a], quality[comparisons.b])
    kept = genuine & made
    if not kept.any():
        raise BadRequest("No comparison of one person could be made.")
    impostor = comparisons.distance[~genuine & made]
    threshold = threshold_at_fmr(impostor, fmr)
    found = error_versus_discard(worse[kept], comparisons.distance[kept], threshold)
    wrong = comparisons.distance > threshold
    measures = QualityMeasures(
        column=column,
        threshold=threshold,
        fmr_requested=fmr,
        fmr=_measured_fmr(int((impostor <= threshold).sum()), len(impostor), fmr),
        fnmr=exact_rate(int((wrong & kept).sum()), int(kept.sum())),
        not_made=int((genuine & ~made).sum()),
        fnmr_at_discard={f"{share:g}": float(np.interp(share, found.share, found.fnmr)) for share in _STATED},
        area=found.area,
        area_ideal=found.area_ideal,
        area_chance=found.area_chance,
        relative_area=found.relative_area,
        note=_note(int((wrong & kept).sum())),
    )
    charts: list[Chart] = [_curve(found, measures), _histogram(worse[kept], wrong[kept], measures)]
    facts = {
        f"FNMR, {percent(float(share))} refused": percent(rate)
        for share, rate in measures.fnmr_at_discard.items()
    }
    return Evaluation(
        "quality",
        _headline(measures),
        measures,
        [_table(measures, metric)],
        charts,
        dict(list(facts.items())[:_TILES]),
    )


def _measured_fmr(errors: int, of: int, asked: float) -> Rate:
    if supported(asked, of):
        return exact_rate(errors, of)
    return Rate(None, count=errors, of=of, note=f"{TOO_FEW}: {of:,}, {round(NEEDED / asked):,} needed")


def _note(errors: int) -> str:
    if errors >= NEEDED:
        return ""
    return f"Only {errors} comparisons of one person fail; {NEEDED} or more are needed to tell."


def _headline(found: QualityMeasures) -> str:
    first, last = (found.fnmr_at_discard[f"{share:g}"] for share in (_STATED[0], _STATED[-1]))
    return (
        f"Refusing a fifth of the comparisons by {found.column} takes FNMR from {percent(first)} to "
        f"{percent(last)}; area under the curve {_relative(found)} (0 is ideal, 1 is chance)."
    )


def _table(found: QualityMeasures, metric: str) -> Table:
    rows = [
        (f"FNMR, {percent(float(share))} refused", percent(fnmr))
        for share, fnmr in found.fnmr_at_discard.items()
    ]
    rows += [
        ("area relative to ideal (0) and chance (1)", _relative(found)),
        ("comparisons of one person that fail", rate_cell(found.fnmr)),
        ("that could not be made", f"{found.not_made:,}"),
        (f"FMR, asked for {percent(found.fmr_requested)}", rate_cell(found.fmr)),
        (f"threshold, {metric} distance", number(found.threshold)),
    ]
    note = (
        f"{found.note} A comparison has the quality of the worse of its two photographs. The area is taken "
        f"from none to {percent(MOST_DISCARDED)} refused, at one threshold."
    )
    return Table("Error versus discard", ("measure", "value"), rows, note.strip())


def _relative(found: QualityMeasures) -> str:
    return NOTHING if found.relative_area is None else f"{found.relative_area:.3f}"


def _curve(found: Discard, measures: QualityMeasures) -> Curves:
    return Curves(
        "Error versus discard",
        "share of the comparisons refused",
        "false non-match rate of the rest",
        [
            Line(measures.column, found.share, found.fnmr),
            Line("ideal", found.share, found.ideal),
            Line("chance", found.share, np.full(len(found.share), measures.area_chance)),
        ],
        x_percent=True,
        y_percent=True,
        note=f"At threshold {measures.threshold:.3f}. The lower, the better. {measures.note}".strip(),
    )


def _histogram(quality: Floats, wrong: NDArray[np.bool_], measures: QualityMeasures) -> Curves:
    edges = np.histogram_bin_edges(quality, _BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    kinds = {"match": ~wrong, "do not match": wrong}
    return Curves(
        "Quality of comparisons of one person",
        f"{measures.column} of the worse photograph",
        "share of the comparisons",
        [
            Line(kind, centres, np.histogram(quality[chosen], edges)[0] / chosen.sum())
            for kind, chosen in kinds.items()
            if chosen.any()
        ],
        y_percent=True,
        note="A good measure of quality puts those that do not match to the left.",
    )
