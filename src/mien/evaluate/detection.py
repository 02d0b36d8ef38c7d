"""Detection: which of the faces that are there are found, and what else is taken for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.analysis import Failure
from mien.errors import BadRequest
from mien.evaluate.bars import rate_bars
from mien.evaluate.by_group import rate_chart, rate_table
from mien.evaluate.evaluation import Chart, Curves, Evaluation, Line, Rate, Table
from mien.evaluate.looking import Analyze
from mien.evaluate.measures.boxes import (
    COCO_RANGE,
    Detected,
    Marked,
    Matches,
    average_precision,
    free_response,
    match_boxes,
    precision_recall,
)
from mien.evaluate.measures.case_groups import CaseGroups, cases_by_group
from mien.evaluate.measures.intervals import exact_rate
from mien.evaluate.showing import number, percent, rate_cell

Floats = NDArray[np.floating[Any]]

# Lower ends of bands of face height, in pixels; the last is open.
HEIGHTS = (0, 16, 32, 64, 128)
_SHOWN = {0.5: "IoU 0.5", 0.75: "IoU 0.75", 0.9: "IoU 0.9"}
_POINTS = 400


class DetectionMeasures(msgspec.Struct, frozen=True):
    """The outcome of detection.

    Attributes:
        photographs: How many were to be looked at.
        failures: Photographs that could not be used; their faces count as missed.
        faces: How many were to be found.
        ignored: Faces and regions that count neither way.
        boxes: What the detector gave, less what lies on ignored ones at IoU 0.5.
        average_precision: Mean over the overlaps 0.5, 0.55 ... 0.95 (COCO's AP); None without faces.
        average_precision_50: At IoU 0.5.
        average_precision_75: At IoU 0.75.
        recall: Share of the faces that are found, at IoU 0.5 and the detector's own threshold.
        precision: Share of the boxes that are faces, at the same.
        false_positives_per_photograph: Wrong boxes, at the same.
        recall_by_height: Recall by height of the face in pixels, such as `16-32`.
        groups: Share of the faces that are missed by group of the photographs, for each label column that was
            asked for.
    """

    photographs: int
    failures: int
    faces: int
    ignored: int
    boxes: int
    average_precision: float | None
    average_precision_50: float | None
    average_precision_75: float | None
    recall: Rate
    precision: Rate
    false_positives_per_photograph: float
    recall_by_height: Mapping[str, Rate]
    groups: list[CaseGroups]


def detect(analyze: Analyze, photos: Sequence[Path]) -> list[Detected | None]:
    """Find the faces of each photograph; None where one could not be used."""
    return [
        None if isinstance(result, Failure) else Detected(result.faces.box, result.faces.score)
        for result in analyze(list(photos), ("box", "score"))
    ]


def evaluate_detection(
    marked: Sequence[Marked],
    detected: Sequence[Detected | None],
    swept: Sequence[Detected | None] | None = None,
    *,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Evaluation:
    """Compare boxes with the faces that are there.

    Args:
        marked: What is on each photograph.
        detected: What was found on each; None where it could not be used.
        swept: The same with a threshold near zero (`Settings.least_score`), for curves and average precision;
            without it these end at the detector's own threshold.
        labels: Groups of the photographs, `(photographs,)` each, by the name of the label column.

    Raises:
        BadRequest: There is no photograph, or these are not of the same ones.
        ExtraMissing: pycocotools is not installed.
    """
    matches = _matches(marked, detected)
    curves = matches if swept is None else _matches(marked, swept)
    faces = matches.found.shape[1]
    precision = average_precision(curves)
    hits, boxes = int(matches.right[0].sum()), int(matches.counted[0].sum())
    measures = DetectionMeasures(
        photographs=len(marked),
        failures=sum(found is None for found in detected),
        faces=faces,
        ignored=sum(len(truth.ignored) for truth in marked),
        boxes=boxes,
        average_precision=float(precision.mean()) if faces else None,
        average_precision_50=float(precision[COCO_RANGE.index(0.5)]) if faces else None,
        average_precision_75=float(precision[COCO_RANGE.index(0.75)]) if faces else None,
        recall=exact_rate(int(matches.found[0].sum()), faces),
        precision=exact_rate(hits, boxes),
        false_positives_per_photograph=(boxes - hits) / matches.photos,
        recall_by_height=_recall_by_height(matches),
        groups=[_groups(marked, matches, label, column) for column, label in (labels or {}).items()],
    )
    by_group = [one for one in measures.groups if one.groups]
    return Evaluation(
        "detection",
        _headline(measures),
        measures,
        [*_tables(measures, swept=swept is not None), *map(_group_table, by_group)],
        [
            *_charts(curves, measures),
            *(rate_chart(f"Faces missed by {one.column}", "miss rate", {"": one}) for one in by_group),
        ],
        {
            "faces found": percent(measures.recall.value),
            "boxes right": percent(measures.precision.value),
            "AP at IoU 0.5": percent(measures.average_precision_50),
            "AP, IoU 0.5 to 0.95": percent(measures.average_precision),
        },
    )


def _groups(marked: Sequence[Marked], matches: Matches, label: Sequence[str], column: str) -> CaseGroups:
    if len(label) != len(marked):
        raise BadRequest(f"{len(label)} labels of {len(marked)} photographs do not fit.")
    photo = np.repeat(np.arange(len(marked)), [len(truth.faces) for truth in marked])
    missed = ~matches.found[0]
    return cases_by_group(
        missed,
        np.ones(len(photo), bool),
        [label[i] for i in photo.tolist()],
        column,
        "miss_rate",
        photo=photo,
    )


def _group_table(groups: CaseGroups) -> Table:
    note = "Miss rate is 1 - recall. Intervals are from how photographs of a group differ."
    return rate_table(f"By {groups.column}", "faces", "miss rate", {"": groups}, unanswered="", note=note)


def _matches(marked: Sequence[Marked], detected: Sequence[Detected | None]) -> Matches:
    nothing = Detected(np.zeros((0, 4)), np.zeros(0))
    return match_boxes(marked, [nothing if found is None else found for found in detected])


def _recall_by_height(matches: Matches) -> dict[str, Rate]:
    band = np.searchsorted(HEIGHTS, matches.height, side="right") - 1
    return {
        _height_band(i): exact_rate(int(matches.found[0][band == i].sum()), int((band == i).sum()))
        for i in range(len(HEIGHTS))
    }


def _height_band(band: int) -> str:
    if band == 0:
        return f"<{HEIGHTS[1]}"
    last = band == len(HEIGHTS) - 1
    return f">={HEIGHTS[band]}" if last else f"{HEIGHTS[band]}-{HEIGHTS[band + 1]}"


def _headline(found: DetectionMeasures) -> str:
    return (
        f"{percent(found.recall.value)} of {found.faces:,} faces found, {percent(found.precision.value)} of "
        f"{found.boxes:,} boxes right; AP {percent(found.average_precision_50)} at IoU 0.5."
    )


def _tables(found: DetectionMeasures, *, swept: bool) -> list[Table]:
    rows = [
        ("AP, IoU 0.5 to 0.95 (COCO)", percent(found.average_precision)),
        ("AP at IoU 0.5", percent(found.average_precision_50)),
        ("AP at IoU 0.75", percent(found.average_precision_75)),
        ("recall", rate_cell(found.recall)),
        ("precision", rate_cell(found.precision)),
        ("wrong boxes per photograph", number(found.false_positives_per_photograph)),
        ("photographs that could not be used", f"{found.failures:,} of {found.photographs:,}"),
    ]
    less = "" if swept else "Boxes that it withholds are missing from AP too, which is lower for it. "
    note = (
        f"Recall and precision are at IoU 0.5 and the detector's own threshold. {less}{found.ignored:,} "
        "faces and "
        "regions are marked to be ignored and count neither way. Faces of photographs that could not be "
        "used are "
        "missed."
    )
    by_height = [(band, rate_cell(rate)) for band, rate in found.recall_by_height.items()]
    return [
        Table("Detection", ("measure", "value"), rows, note),
        Table("Recall by size", ("height of the face, pixels", "recall"), by_height),
    ]


def _charts(matches: Matches, found: DetectionMeasures) -> list[Chart]:
    bars = rate_bars("Recall by size", "height of the face, pixels", "recall", found.recall_by_height)
    if not found.faces:
        return [bars]
    lines, responses = [], []
    for overlap, label in _SHOWN.items():
        place = COCO_RANGE.index(overlap)
        if not matches.counted[place].any():
            continue
        precision, recall = precision_recall(matches, place)
        lines.append(_line(label, recall, precision))
        responses.append(_line(label, *free_response(matches, place)))
    return [
        Curves(
            "Precision and recall",
            "recall: share of the faces found",
            "precision: share of the boxes right",
            lines,
            x_percent=True,
            y_percent=True,
            note="As the threshold falls. Further up and right is better.",
        ),
        Curves(
            "Recall against wrong boxes",
            "wrong boxes per photograph",
            "recall: share of the faces found",
            responses,
            y_percent=True,
            note="The free-response curve (FROC). Further up and left is better.",
        ),
        bars,
    ]


def _line(label: str, x: Floats, y: Floats) -> Line:
    """A curve with as many points as a picture needs."""
    places = np.unique(np.linspace(0, len(x) - 1, _POINTS).round().astype(int))
    return Line(label, x[places], y[places])
