"""Attributes: how right age, gender and expression are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.columns import BY_NAME
from mien.errors import BadRequest
from mien.evaluate.bars import rate_bars
from mien.evaluate.by_group import age_chart, age_table, rate_chart, rate_table
from mien.evaluate.evaluation import Bars, Chart, Evaluation, Matrix, Table
from mien.evaluate.looking import Looked
from mien.evaluate.measures.case_groups import AgeGroups, CaseGroups, ages_by_group, cases_by_group
from mien.evaluate.measures.intervals import exact_rate
from mien.evaluate.measures.labels import Ages, Labels, confusion, measure_ages, measure_labels
from mien.evaluate.reading.labels import AGE, Labelled
from mien.evaluate.showing import NOTHING, percent, rate_cell

Floats = NDArray[np.floating[Any]]
_NO_FACE = "no face found"


class AttributeGroups(msgspec.Struct, frozen=True, omit_defaults=True):
    """Errors by group.

    Attributes:
        column: Name of the label column.
        age: In years.
        gender: Share of the faces whose most probable label is not the true one.
        expression: The same.
    """

    column: str
    age: AgeGroups | None = None
    gender: CaseGroups | None = None
    expression: CaseGroups | None = None


class AttributesMeasures(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outcome for each column that was judged.

    Attributes:
        photographs: How many have a label.
        unlabelled: Photographs that were left out, because nothing is known about them.
        failures: Photographs that could not be used; they count as photographs without a face.
        age: In years.
        gender: Of `mien.core.columns`.
        expression: The same.
        groups: By each label column that was asked for.
    """

    photographs: int
    unlabelled: int
    failures: int
    age: Ages | None = None
    gender: Labels | None = None
    expression: Labels | None = None
    groups: list[AttributeGroups] = []


def evaluate_attributes(labelled: Labelled, looked: Looked) -> Evaluation:
    """Compare what was said about each face with what is true.

    Args:
        labelled: Photographs and what is true, and groups to split by.
        looked: What was seen on each of them, with the columns that are labelled.

    Raises:
        BadRequest: No face was found on any photograph, or groups do not fit.
    """
    tables: list[Table] = []
    charts: list[Chart] = []
    judged: dict[str, Any] = {}
    for column, truth in labelled.truth.items():
        known = ~np.isnan(truth)
        seen = known & looked.found
        said = looked.column(column).astype(np.float64)
        unseen = truth[known & ~looked.found]
        if column == AGE:
            ages = measure_ages(truth[seen], said[seen], no_face=len(unseen))
            judged[column] = ages
            tables.append(_age_table(ages))
            charts.append(_age_chart(ages))
        else:
            labels = _labels(column, truth[seen], said[seen], unseen)
            judged[column] = labels
            tables.append(_label_table(column, labels))
            charts.append(_matrix(column, truth[seen], said[seen], unseen))
            charts.append(
                rate_bars(
                    f"Recall by {column}", column, f"share of each {column} that is recognised", labels.recall
                )
            )
    measures = AttributesMeasures(
        photographs=len(labelled.photos),
        unlabelled=len(labelled.unlabelled),
        failures=len(looked.failures),
        **judged,
        groups=[_groups(labelled, looked, label, column) for column, label in labelled.groups.items()],
    )
    return Evaluation(
        "attributes",
        _headline(judged),
        measures,
        [
            _counts(measures, looked),
            *tables,
            *(part for one in measures.groups for part in _group_tables(one)),
        ],
        [*charts, *(chart for one in measures.groups for chart in _group_charts(one))],
        dict(_fact(column, one) for column, one in judged.items()),
    )


def _fact(column: str, found: Ages | Labels) -> tuple[str, str]:
    if isinstance(found, Ages):
        return f"{column}, mean error", f"{_years(found.mae)} years"
    return f"{column} right", percent(found.accuracy.value)


def _groups(labelled: Labelled, looked: Looked, label: Sequence[str], column: str) -> AttributeGroups:
    if len(label) != len(labelled.photos):
        raise BadRequest(f"{len(label)} labels of {len(labelled.photos)} photographs do not fit.")
    split: dict[str, Any] = {}
    for name, truth in labelled.truth.items():
        known = np.flatnonzero(~np.isnan(truth))
        said, found = looked.column(name)[known].astype(np.float64), looked.found[known]
        names = [label[i] for i in known.tolist()]
        if name == AGE:
            split[name] = ages_by_group(said - truth[known], found, names, column)
        else:
            wrong = np.argmax(said, axis=1) != truth[known]
            split[name] = cases_by_group(wrong, found, names, column, "error_rate")
    return AttributeGroups(column, **split)


def _shares(groups: AttributeGroups) -> dict[str, CaseGroups]:
    shares = {"gender": groups.gender, "expression": groups.expression}
    return {name: part for name, part in shares.items() if part is not None and part.groups}


def _group_tables(groups: AttributeGroups) -> list[Table]:
    return [
        *([age_table(groups.age)] if groups.age is not None and groups.age.groups else []),
        *(
            rate_table(f"{name.capitalize()} by {groups.column}", "photographs", "error rate", {name: part})
            for name, part in _shares(groups).items()
        ),
    ]


def _group_charts(groups: AttributeGroups) -> list[Chart]:
    return [
        *([age_chart(groups.age)] if groups.age is not None and groups.age.groups else []),
        *(
            rate_chart(f"Wrong {name} by {groups.column}", "error rate", {name: part})
            for name, part in _shares(groups).items()
        ),
    ]


def _labels(column: str, truth: Floats, said: Floats, unseen: Floats) -> Labels:
    described = BY_NAME[column]
    return measure_labels(
        truth.astype(int), said, described.labels, least=described.least or 0.0, no_face=len(unseen)
    )


def _matrix(column: str, truth: Floats, said: Floats, unseen: Floats) -> Matrix:
    labels = BY_NAME[column].labels
    true = np.concatenate([truth, unseen]).astype(int)
    answers = np.concatenate([said.argmax(1), np.full(len(unseen), len(labels))]).astype(int)
    return Matrix(
        f"What is said of each {column}",
        f"true {column}",
        "most probable answer",
        labels,
        (*labels, _NO_FACE),
        confusion(true, answers, len(labels), len(labels) + 1),
    )


def _headline(judged: Mapping[str, Ages | Labels]) -> str:
    said = [
        f"{column} is {_years(found.mae)} years off on average"
        if isinstance(found, Ages)
        else f"{column} is right for {percent(found.accuracy.value)} of the faces"
        for column, found in judged.items()
    ]
    sentence = "; ".join(said)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _counts(found: AttributesMeasures, looked: Looked) -> Table:
    rows = [
        ("with a label", f"{found.photographs:,}"),
        ("left out, without a label", f"{found.unlabelled:,}"),
        ("without a face", rate_cell(exact_rate(int((~looked.found).sum()), len(looked.found)))),
        ("of these, that could not be read", f"{found.failures:,}"),
    ]
    return Table("Photographs", ("photographs", "how many"), rows)


def _age_table(ages: Ages) -> Table:
    rows = [("all", ages), *ages.by_age.items()]
    cells = [
        (name, f"{one.faces:,}", _years(one.mae), _years(one.bias, "+"), rate_cell(one.within_5_years))
        for name, one in rows
        if one.faces or name == "all"
    ]
    header = ("true age", "faces", "mean absolute error", "mean error", "within 5 years")
    note = f"In years. Without a face: {rate_cell(ages.no_face)}."
    return Table("Age", header, cells, note)


def _age_chart(ages: Ages) -> Bars:
    return Bars(
        "Age",
        "true age, years",
        "mean absolute error, years",
        {band: one.mae for band, one in ages.by_age.items() if one.mae is not None},
        reference={} if ages.mae is None else {"all": ages.mae},
    )


def _label_table(column: str, found: Labels) -> Table:
    rows = [
        ("accuracy", rate_cell(found.accuracy)),
        ("accuracy, no face counts as wrong", rate_cell(found.accuracy_of_all)),
        ("decided", rate_cell(found.decided)),
        ("accuracy of these", rate_cell(found.accuracy_of_decided)),
        ("without a face", rate_cell(found.no_face)),
        *((f"recall of {label}", rate_cell(rate)) for label, rate in found.recall.items()),
    ]
    least = BY_NAME[column].least or 0.0
    note = (
        f"Accuracy is of the most probable label; a face is decided if its probability is {least:g} or more."
    )
    return Table(column.capitalize(), ("measure", "value"), rows, note)


def _years(value: float | None, sign: str = "") -> str:
    return NOTHING if value is None else f"{value:{sign}.2f}"
