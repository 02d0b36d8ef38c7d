"""Liveness: how well attacks are told from live faces, in the terms of ISO/IEC 30107-3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.bars import rate_bars
from mien.evaluate.by_group import rate_chart, rate_table
from mien.evaluate.evaluation import Bars, Chart, Curves, Evaluation, Line, Table
from mien.evaluate.looking import Looked
from mien.evaluate.measures.attacks import Attacks, error_trade_off, measure_attacks
from mien.evaluate.measures.case_groups import CaseGroups, cases_by_group
from mien.evaluate.reading.kinds import LIVE, Presentations
from mien.evaluate.showing import NOTHING, number, percent, rate_cell

Floats = NDArray[np.floating[Any]]

# The score is a probability: from here on, live is the likelier answer.
THRESHOLD = 0.5
_BINS = 40
_POINTS = 400
# Lines that can be told apart in one chart.
_MOST_LINES = 8


class LivenessGroups(msgspec.Struct, frozen=True):
    """Errors by group at the one threshold.

    Attributes:
        column: Name of the label column.
        bpcer: Of live faces.
        apcer: Of attacks, each kind by itself, as ISO/IEC 30107-3 wants it.
    """

    column: str
    bpcer: CaseGroups
    apcer: Mapping[str, CaseGroups]


class LivenessMeasures(Attacks, frozen=True):
    """The outcome of liveness: the measures of `Attacks`, and those by group.

    Attributes:
        groups: By each label column that was asked for.
    """

    groups: list[LivenessGroups]


def evaluate_liveness(
    presentations: Presentations,
    looked: Looked,
    *,
    threshold: float = THRESHOLD,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Evaluation:
    """Measure the score `live` of the face of each photograph.

    Args:
        presentations: What each photograph is of.
        looked: What was seen on each of them, with the column `live`.
        threshold: A face is taken for live from this score on.
        labels: Groups of the photographs, `(n,)` each, by the name of the label column.

    Raises:
        BadRequest: No face was found on any photograph of live faces, or on any of attacks; or labels do not
            fit.
    """
    kind, found = np.array(presentations.kind), looked.found
    score = looked.column("live").astype(np.float64)
    kinds = sorted(set(presentations.kind) - {LIVE})
    attacks = {name: score[found & (kind == name)] for name in kinds}
    live = score[found & (kind == LIVE)]
    silent = {name: int((~found & (kind == name)).sum()) for name in (*kinds, LIVE)}
    overall = measure_attacks(live, attacks, threshold, live_unanswered=silent.pop(LIVE), unanswered=silent)
    judged = {name: scores for name, scores in attacks.items() if len(scores)}
    groups = [
        _groups(kind, found, score >= threshold, label, column) for column, label in (labels or {}).items()
    ]
    measures = LivenessMeasures(**msgspec.structs.asdict(overall), groups=groups)
    note = f"All at the one threshold {threshold:g}."
    return Evaluation(
        "liveness",
        _headline(measures),
        measures,
        [*_tables(measures), *(table for one in groups for table in _group_tables(one, note))],
        [*_charts(live, judged, measures), *(chart for one in groups for chart in _group_charts(one, note))],
        {
            "APCER, worst kind": percent(measures.apcer_max),
            "BPCER": percent(measures.bpcer.value),
            "ACER": percent(measures.acer),
            "attacks, kinds": f"{len(measures.apcer):,}",
        },
    )


def _groups(
    kind: NDArray[np.str_],
    found: NDArray[np.bool_],
    passed: NDArray[np.bool_],
    label: Sequence[str],
    column: str,
) -> LivenessGroups:
    named = np.array(label, dtype=np.str_)
    if named.shape != kind.shape:
        raise BadRequest(f"{len(label)} labels of {len(kind)} photographs do not fit.")
    parts = {
        name: cases_by_group(
            ~passed[kind == name] if name == LIVE else passed[kind == name],
            found[kind == name],
            named[kind == name].tolist(),
            column,
            "bpcer" if name == LIVE else "apcer",
        )
        for name in sorted(set(kind.tolist()))
    }
    return LivenessGroups(column, parts.pop(LIVE), parts)


def _parts(groups: LivenessGroups) -> list[tuple[str, str, Mapping[str, CaseGroups]]]:
    """What was refused or taken for live, the name of the rate, and the rates of each kind with labels."""
    attacks = {kind: part for kind, part in groups.apcer.items() if part.groups}
    live = {LIVE: groups.bpcer} if groups.bpcer.groups else {}
    parts = [("Live faces refused", "BPCER", live), ("Attacks taken for live", "APCER", attacks)]
    return [(title, name, part) for title, name, part in parts if part]


def _group_tables(groups: LivenessGroups, note: str) -> list[Table]:
    return [
        rate_table(f"{name} by {groups.column}", "photographs", name, part, note=note)
        for _, name, part in _parts(groups)
    ]


def _group_charts(groups: LivenessGroups, note: str) -> list[Bars]:
    return [
        rate_chart(f"{title} by {groups.column}", name, part, note) for title, name, part in _parts(groups)
    ]


def _headline(found: Attacks) -> str:
    worst = found.apcer[found.worst_kind]
    return (
        f"{percent(worst.value)} ({percent(worst.low)} to {percent(worst.high)}) of the attacks of kind "
        f"{found.worst_kind} are taken for live, {percent(found.bpcer.value)} ({percent(found.bpcer.low)} to "
        f"{percent(found.bpcer.high)}) of the live faces are refused."
    )


def _tables(found: Attacks) -> list[Table]:
    rows = [
        (
            "APCER of the worst kind",
            f"{percent(found.apcer_max)}, {found.worst_kind}",
            number(found.threshold),
        ),
        ("BPCER", rate_cell(found.bpcer), number(found.threshold)),
        ("ACER", percent(found.acer), number(found.threshold)),
        *(
            (f"BPCER at APCER {percent(float(target))}", rate_cell(at.bpcer), number(at.threshold))
            for target, at in found.bpcer_at_apcer.items()
        ),
        ("D-EER", percent(found.d_eer), ""),
        ("live photographs without a face (BPNRR)", rate_cell(found.bpnrr), ""),
    ]
    note = (
        "APCER: share of attacks taken for live. BPCER: share of live faces that are not. ACER is "
        "(APCER of the worst kind + BPCER) / 2. BPCER at an APCER is that at the least threshold which keeps "
        "every kind at or below it, and D-EER is where the APCER of the worst kind equals BPCER: both are "
        "chosen on these data. Rates are of photographs on which a face was found. Intervals are exact, of "
        "95 %."
    )
    by_kind = [
        (
            kind,
            rate_cell(rate),
            percent(found.d_eer_by_kind[kind]) if kind in found.d_eer_by_kind else NOTHING,
            rate_cell(found.apnrr[kind]),
        )
        for kind, rate in found.apcer.items()
    ]
    header = ("kind", "APCER", "D-EER", "without a face (APNRR)")
    return [
        Table("Liveness", ("measure", "value", "threshold"), rows, note),
        Table("By kind of attack", header, by_kind),
    ]


def _charts(live: Floats, attacks: Mapping[str, Floats], found: Attacks) -> list[Chart]:
    shown = dict(list(attacks.items())[: _MOST_LINES - 1])
    rest = f" {len(attacks) - len(shown)} more kinds are in the table." if len(shown) < len(attacks) else ""
    return [
        Curves(
            "Detection error trade-off",
            "APCER: attacks taken for live",
            "BPCER: live faces refused",
            [_trade_off(kind, live, {kind: scores}) for kind, scores in shown.items()],
            x_scale="deviate",
            y_scale="deviate",
            x_percent=True,
            y_percent=True,
            note=f"Nearer to the lower left corner is better.{rest}",
        ),
        rate_bars(
            "Attacks taken for live",
            "kind of attack",
            "APCER",
            found.apcer,
            f"At threshold {found.threshold:g}.",
        ),
        _histogram({LIVE: live, **shown}, found.threshold),
    ]


def _trade_off(label: str, live: Floats, attacks: Mapping[str, Floats]) -> Line:
    apcer, bpcer = error_trade_off(live, attacks)
    # Steps are kept where either rate is small, which is where a deviate axis has room.
    small = np.geomspace(0.5 / max(len(live), *map(len, attacks.values())), 1, _POINTS)
    places = np.concatenate([np.searchsorted(-apcer, -small), np.searchsorted(bpcer, small)])
    places = np.unique(np.clip(places, 0, len(apcer) - 1))
    return Line(label, apcer[places], bpcer[places])


def _histogram(scores: Mapping[str, Floats], threshold: float) -> Curves:
    edges = np.linspace(0, 1, _BINS + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    return Curves(
        "Scores",
        "probability of a live face",
        "share of the photographs of a kind",
        [Line(kind, centres, np.histogram(given, edges)[0] / len(given)) for kind, given in scores.items()],
        y_percent=True,
        verticals={"threshold": threshold},
        note="The less live faces and attacks overlap, the better.",
    )
