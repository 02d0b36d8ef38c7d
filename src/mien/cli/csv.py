"""The shape of `--csv`, derived from the column table."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from mien.answers.pictures import EXPORTED, encodable
from mien.core.analysis import Analysis, Failure
from mien.core.columns import Column


def exported(columns: Sequence[str]) -> tuple[str, ...]:
    """Of these columns, those that `analyze` writes."""
    return tuple(column.name for column in _chosen(columns))


def csv_header(columns: Sequence[str]) -> list[str]:
    """Column names of `--csv` when these columns were computed: one row per face, arrays spread out."""
    return ["source", "face", *_cells(columns), "error"]


def csv_rows(result: Analysis | Failure, columns: Sequence[str]) -> list[list[str]]:
    """Rows of `--csv` for one picture; one row without a face number if it failed or shows no face."""
    names = _cells(columns)
    blank = [""] * len(names)
    if isinstance(result, Failure):
        return [[encodable(result.source), "", *blank, result.error.code]]
    rows = []
    for i, face in enumerate(result.faces):
        cells: list[str] = []
        for column in _chosen(columns):
            value = getattr(face, column.name)
            count = int(np.prod(_fixed(column.shape)))
            cells.extend([""] * count if value is None else [f"{x:.6g}" for x in np.ravel(value)])
            if column.least is not None:
                cells.append(face.label(column.name) or "")
        rows.append([encodable(result.source), str(i), *cells, ""])
    return rows or [[encodable(result.source), "", *blank, ""]]


def _cells(columns: Sequence[str]) -> list[str]:
    """Names of the cells: `box_x1`, `score`, `points_0_x`, `expression_happy`, `expression_label` ..."""
    names: list[str] = []
    for column in _chosen(columns):
        names.extend("_".join((column.name, *part)) for part in itertools.product(*_parts(column)))
        if column.least is not None:
            names.append(f"{column.name}_label")
    return names


def _parts(column: Column) -> list[Sequence[str]]:
    """What the entries along each axis are called."""
    if column.name == "box":
        return [("x1", "y1", "x2", "y2")]
    if column.labels:
        return [column.labels]
    shape = _fixed(column.shape)
    return [[str(i) for i in range(shape[0])], "xyz"[: shape[1]]] if shape else []


def _chosen(columns: Sequence[str]) -> list[Column]:
    return [column for column in EXPORTED if column.name in columns]


def _fixed(shape: tuple[int | str, ...]) -> tuple[int, ...]:
    return tuple(side for side in shape if isinstance(side, int))
