"""Counts by two labels, each cell shaded by its share of the row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mien.evaluate.charts.canvas import SMALL_PX, WIDTH_PX, Canvas, width_px
from mien.evaluate.charts.colours import CARD, SERIES, SOFT
from mien.evaluate.charts.svg import Words
from mien.evaluate.evaluation import Matrix, Numbers

_NAMES_PX = 100.0  # at most, for the names of rows and columns
_LIGHTEST, _DARKEST = 0.04, 0.55  # opacity of an empty and a full cell; ink stays readable in both schemes
_SHARE_PX = 17.0  # width that a cell needs to show its share of the row
_SHORT_PX, _TALL_PX, _MOST_PX = 18.0, 30.0, 46.0  # height of a cell: with a share, with a count too, at most
_COUNT_TEXT_PX, _CELL_TEXT_PX = 10.5, 9.5
_DIGIT_EM = 0.54  # width of a digit, with its share of the narrow comma
_LEAN = math.sqrt(0.5)  # sine and cosine of slanted names


def draw_matrix(chart: Matrix, words: Words) -> Canvas:
    """Draw the cells with their counts, and their shares of the row."""
    counts = np.asarray(chart.counts)
    left = max((_name_px(name) for name in chart.rows), default=0.0) + 8
    across, slanted = _width_of_cells(chart.columns, WIDTH_PX - left)
    longest = max((_name_px(name) for name in chart.columns), default=0.0)
    top = 18 + (longest * _LEAN + 12 if slanted else 16)
    widest = max((len(f"{count:,}") for count in counts.flat), default=0)
    counted = across >= max(widest * _COUNT_TEXT_PX, len("100 %") * _CELL_TEXT_PX) * _DIGIT_EM + 1
    down = min(max(across, _TALL_PX if counted else _SHORT_PX), _MOST_PX)
    canvas = Canvas(top + max(len(chart.rows), 1) * down + 4, words)
    canvas.text((0, 11), f"{chart.row_label} ↓", WIDTH_PX / 2 - 4, color=SOFT)
    canvas.text((WIDTH_PX, 11), f"{chart.column_label} →", WIDTH_PX / 2 - 4, color=SOFT, ha="right")
    for j, name in enumerate(chart.columns):
        at = (left + (j + 0.5) * across, top - 5)
        turn = {"rotation": 45, "rotation_mode": "anchor", "ha": "left"} if slanted else {"ha": "center"}
        canvas.text(at, name, _NAMES_PX if slanted else across, color=SOFT, fontsize=SMALL_PX, **turn)
    for i, name in enumerate(chart.rows):
        at = (left - 6, top + (i + 0.5) * down + 4)
        canvas.text(at, name, _NAMES_PX, ha="right", color=SOFT, fontsize=SMALL_PX)
    if counts.size:
        _draw_cells(canvas, counts, (left, top, across, down), counted=counted)
    else:
        canvas.text((WIDTH_PX / 2, top + 20), "no data", WIDTH_PX, ha="center", color=SOFT)
    return canvas


def _name_px(name: str) -> float:
    return min(width_px(name, SMALL_PX), _NAMES_PX)


def _width_of_cells(names: Sequence[str], room_px: float) -> tuple[float, bool]:
    """Width of a cell, and whether the names of the columns must lean, which needs room at the right."""
    across = room_px / max(len(names), 1)
    if all(_name_px(name) <= across - 4 for name in names):
        return across, False
    leaning = ((room_px - _LEAN * (_name_px(name) + SMALL_PX)) / (j + 0.5) for j, name in enumerate(names))
    return min(across, *leaning), True


def _draw_cells(
    canvas: Canvas, counts: Numbers, grid_px: tuple[float, float, float, float], *, counted: bool
) -> None:
    from matplotlib.patches import Rectangle

    left, top, across, down = grid_px
    rows, columns = counts.shape
    axes = canvas.axes((left, top, left + columns * across, top + rows * down))
    axes.set(xlim=(0, columns), ylim=(rows, 0), xticks=(), yticks=())
    totals = counts.sum(1)
    for i, j in np.ndindex(rows, columns):
        part = counts[i, j] / totals[i] if totals[i] else 0.0
        shade = _LIGHTEST + (_DARKEST - _LIGHTEST) * part
        axes.add_patch(Rectangle((j, i), 1, 1, facecolor=SERIES[0], alpha=shade, linewidth=0))
        x, y = left + (j + 0.5) * across, top + (i + 0.5) * down
        told = f"{100 * part:.0f}" if totals[i] else "–"
        if counted:
            canvas.text((x, y - 1), f"{counts[i, j]:,}", WIDTH_PX, ha="center", fontsize=_COUNT_TEXT_PX)
            canvas.text((x, y + 12), _per_cent(told), WIDTH_PX, ha="center", fontsize=_CELL_TEXT_PX)
        elif across >= _SHARE_PX:
            canvas.text((x, y + 3.5), told, WIDTH_PX, ha="center", fontsize=_CELL_TEXT_PX)
    for k in range(1, rows):
        axes.axhline(k, color=CARD, linewidth=2)
    for k in range(1, columns):
        axes.axvline(k, color=CARD, linewidth=2)


def _per_cent(told: str) -> str:
    return told if told == "–" else f"{told}\N{NO-BREAK SPACE}%"
