"""Identification in words, tables and charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.by_group import rate_chart, rate_table
from mien.evaluate.evaluation import Chart, Curves, Line, Table
from mien.evaluate.identification.results import IdentificationMeasures, SearchGroups
from mien.evaluate.measures.bands import band_at
from mien.evaluate.measures.case_groups import CaseGroups
from mien.evaluate.measures.intervals import NEEDED
from mien.evaluate.measures.searches import Searches
from mien.evaluate.showing import number, percent, rate_cell, rate_key

Floats = NDArray[np.floating[Any]]

_POINTS = 200


def headline(found: IdentificationMeasures) -> str:
    """The outcome in one sentence."""
    first = found.rank["1"]
    interval = f"{percent(first.low)} to {percent(first.high)}"
    gallery = f"a gallery of {found.searches.gallery:,}"
    told = f"{percent(first.value)} ({interval}) of people are found first in {gallery}"
    at = next(
        (at for at in found.fnir_at_fpir.values() if at.fpir == 0.01 and at.fnir.value is not None), None
    )
    if at is None:
        return f"{told}."
    return f"{told}; {percent(at.fnir.value)} are missed where 1 % of strangers are taken for somebody."


def facts(found: IdentificationMeasures) -> dict[str, str]:
    """What matters most."""
    told = {"found first": percent(found.rank["1"].value)}
    told |= {
        f"missed at FPIR {percent(at.fpir)}": percent(at.fnir.value)
        for at in found.fnir_at_fpir.values()
        if at.fnir.value is not None
    }
    if found.in_use:
        told |= {
            "strangers named, threshold in use": percent(found.in_use.fpir.value),
            "people missed, threshold in use": percent(found.in_use.fnir.value),
        }
    return told


def tables(found: IdentificationMeasures) -> list[Table]:
    """What people read."""
    rows = [
        (f"FNIR at FPIR {percent(at.fpir)}", rate_cell(at.fnir), number(at.threshold))
        for at in found.fnir_at_fpir.values()
    ]
    if found.in_use:
        at_distance = number(found.in_use.threshold)
        rows += [
            ("FPIR at the threshold in use", rate_cell(found.in_use.fpir), at_distance),
            ("FNIR at the threshold in use", rate_cell(found.in_use.fnir), at_distance),
        ]
    rows += [(f"found at rank {k} or better", rate_cell(rate), "") for k, rate in found.rank.items()]
    rows += [("photographs without a face", rate_cell(found.failure_to_acquire), "")]
    searched = found.searches
    note = (
        f"{found.mode.capitalize()}: a gallery of {searched.gallery:,} people; {searched.mated:,} searches "
        "for "
        f"{searched.mated_people:,} of them and {searched.strangers:,} for {searched.stranger_people:,} "
        "strangers. "
        "Intervals are of 95 %, from people drawn with replacement."
    )
    rates = [at.fpir for at in found.fnir_at_fpir.values() if at.fnir.value is not None]
    sizes = [
        (
            f"{at.people:,}",
            percent(at.rank_1_missed),
            *[percent(at.fnir_at_fpir[rate_key(rate)]) for rate in rates],
            percent(at.fpir),
            percent(at.fnir),
        )
        for at in found.gallery_sizes
    ]
    return [
        Table("Searches", ("measure", "rate", f"{found.metric} distance"), rows, note),
        Table(
            "By size of the gallery",
            (
                "people",
                "not first",
                *[f"FNIR at FPIR {percent(rate)}" for rate in rates],
                "FPIR at the threshold in use",
                "FNIR at the threshold in use",
            ),
            sizes,
            "Means over galleries drawn from the whole one. At one threshold strangers are taken for "
            "somebody more "
            "often the more people are enrolled: choose it for the gallery that you will have.",
        ),
        *(table for groups in found.groups for table in _group_tables(groups)),
    ]


def _group_tables(groups: SearchGroups) -> list[Table]:
    return [
        rate_table(f"{what} by {part.column}", "searches", rate, {"": part}, unanswered="")
        for what, rate, part in _named(groups)
        if part.groups
    ]


def _named(groups: SearchGroups) -> tuple[tuple[str, str, CaseGroups], ...]:
    return ("Strangers named", "FPIR", groups.fpir), ("People missed", "FNIR", groups.fnir)


def charts(
    searches: Searches, found: IdentificationMeasures, grid: Sequence[float], band: Floats
) -> list[Chart]:
    """Draw what was measured.

    Args:
        searches: Of the whole gallery.
        found: The measures.
        grid: The k false-positive identification rates at which there are intervals.
        band: `(k, 2)` their ends.
    """
    sizes = np.array([at.people for at in found.gallery_sizes], float)
    by_size: dict[str, Sequence[float | None]] = {
        "not first": [at.rank_1_missed for at in found.gallery_sizes],
        "FPIR at the threshold in use": [at.fpir for at in found.gallery_sizes],
        "FNIR at the threshold in use": [at.fnir for at in found.gallery_sizes],
    }
    return [
        _trade(searches, grid, band),
        Curves(
            "Cumulative match characteristic",
            "rank",
            "share of people found",
            [Line("found", np.arange(1, len(found.cmc) + 1, dtype=float), np.array(found.cmc))],
            x_scale="log",
            y_percent=True,
            note="How often the right person is among the first so many candidates, at no threshold.",
        ),
        Curves(
            "By size of the gallery",
            "people in the gallery",
            "share of searches",
            [
                Line(name, sizes, np.array([np.nan if x is None else x for x in values]))
                for name, values in by_size.items()
                if any(x is not None for x in values)
            ],
            x_scale="log",
            y_percent=True,
            note="Means over galleries drawn from the whole one.",
        ),
        *(
            rate_chart(f"{what} by {part.column}", rate, {"": part})
            for groups in found.groups
            for what, rate, part in _named(groups)
            if part.groups
        ),
    ]


def _trade(searches: Searches, grid: Sequence[float], band: Floats) -> Curves:
    """FNIR over FPIR, on normal-deviate axes."""
    strangers = np.sort(searches.nearest[~searches.mated])
    first = searches.rank == 1
    mates = np.sort(np.where(first, searches.mate_distance, np.inf)[searches.mated])
    thresholds = np.quantile(strangers[np.isfinite(strangers)], np.geomspace(1e-4, 1, _POINTS))
    fpir = np.searchsorted(strangers, thresholds, side="right") / len(strangers)
    fnir = 1 - np.searchsorted(mates, thresholds, side="right") / len(mates)
    least = NEEDED / len(strangers)
    low, high = band_at(fpir, grid, band)
    return Curves(
        "Open-set trade-off",
        "false-positive identification rate",
        "false-negative identification rate",
        [Line("measured", fpir, fnir, np.minimum(low, fnir), np.maximum(high, fnir))],
        x_scale="deviate",
        y_scale="deviate",
        x_percent=True,
        y_percent=True,
        verticals={f"fewer than {NEEDED} errors": least} if least < 0.4 else {},
        note="Nearer to the lower left corner is better. "
        + (
            "The band is the 95 % interval; left of the line are too few errors to tell."
            if len(grid)
            else "There are too few searches for strangers to tell."
        ),
    )
