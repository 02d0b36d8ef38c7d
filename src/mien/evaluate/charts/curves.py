"""Curves over common axes: DET, ROC, histograms, reliability, error against discard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mien.evaluate.charts.canvas import SMALL_PX, TEXT_PX, WIDTH_PX, Canvas, fitting, set_axis, width_px
from mien.evaluate.charts.colours import CARD, DASHES, INK, MARKERS, SERIES, SOFT
from mien.evaluate.charts.scales import Axis, axis_of
from mien.evaluate.charts.svg import Words
from mien.evaluate.evaluation import Curves, Line, Numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLOT_PX = 216
_ROW_PX, _SWATCH_PX, _GAP_PX = 17.0, 24.0, 14.0
_NAME_PX = 15.0  # height of the name of a vertical
_BAND = 0.16  # opacity of an interval
_HALF = 0.5  # where DET curves usually end
_CELL_PX = 0.5  # points of a curve in one such cell are one


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the legend: its number among all, and where it stands."""

    line: Line
    number: int
    text: str
    x_px: float
    row: int


def draw_curves(chart: Curves, words: Words) -> Canvas:
    """Draw curves, their intervals and marks, with a legend above."""
    lines = [_numbers(line) for line in chart.lines]
    x_axis, y_axis = _axes(chart, lines)
    entries = _legend(lines)
    rows = entries[-1].row + 1 if entries else 0
    top = rows * _ROW_PX + (8 if rows else 0) + 18
    left = max(24.0, *(width_px(label, SMALL_PX) + 8 for label in y_axis.labels))
    right = WIDTH_PX - max(8.0, width_px(x_axis.labels[-1], SMALL_PX) / 2 if x_axis.labels else 0)
    canvas = Canvas(top + _PLOT_PX + 42, words)
    axes = canvas.axes((left, top, right, top + _PLOT_PX))
    set_axis(axes, "x", x_axis, right - left)
    set_axis(axes, "y", y_axis, _PLOT_PX)
    for entry in entries:
        _draw_entry(canvas, entry)
    canvas.text((0, top - 8), chart.y_label, WIDTH_PX, color=SOFT)
    canvas.text((right, top + _PLOT_PX + 36), chart.x_label, right, color=SOFT, ha="right")
    if chart.diagonal:
        _draw_diagonal(axes, x_axis, y_axis)
    for i, line in enumerate(lines):
        _draw_line(axes, replace(line, x=x_axis.clip(line.x), y=y_axis.clip(line.y)), y_axis, i)
    _draw_verticals(axes, chart, words, right - left)
    if not any(len(line.x) for line in lines):
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color=SOFT, fontsize=TEXT_PX)
    return canvas


def _numbers(line: Line) -> Line:
    """A line without the points that have no place; an interval that is not known has no width."""
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    keep = np.isfinite(x) & np.isfinite(y)
    low, high = (
        None if end is None else np.where(np.isfinite(end), end, y)[keep] for end in (line.low, line.high)
    )
    return replace(line, x=x[keep], y=y[keep], low=low, high=high)


def _axes(chart: Curves, lines: Sequence[Line]) -> tuple[Axis, Axis]:
    inside = [np.ones(len(line.x), bool) for line in lines]
    if chart.x_scale == chart.y_scale == "deviate":
        near = [(line.x <= _HALF) & (line.y <= _HALF) for line in lines]
        if all(part.any() for part, line in zip(near, lines, strict=True) if len(line.x)):
            inside = near  # of a system that works, the rest says nothing
    x = [line.x[part] for line, part in zip(lines, inside, strict=True)]
    y = [line.y[part] for line, part in zip(lines, inside, strict=True)]
    marked = np.array(list(chart.verticals.values()), np.float64)
    x.append(marked if chart.x_scale == "linear" else marked[marked > 0])
    if chart.y_scale == "linear":
        y += [end for line in lines for end in (line.low, line.high) if end is not None]
    empty: Numbers = np.empty(0)
    x_axis = axis_of(np.concatenate([empty, *x]), chart.x_scale, percent=chart.x_percent)
    y_axis = axis_of(np.concatenate([empty, *y]), chart.y_scale, percent=chart.y_percent)
    if chart.y_scale == "linear":  # names of verticals stand above the curves
        rows = (len(_verticals(chart, x_axis.low, x_axis.high)) + 1) // 2
        room = rows * _NAME_PX / _PLOT_PX * (y_axis.high - y_axis.low)
        y_axis = replace(y_axis, high=y_axis.high + room)
    return x_axis, y_axis


def _legend(lines: Sequence[Line]) -> list[_Entry]:
    """Let the names of the lines flow into rows."""
    entries: list[_Entry] = []
    x_px, row = 0.0, 0
    for i, line in enumerate(lines):
        text = line.label if len(line.x) else f"{line.label} (no data)".lstrip()
        if not text:
            continue
        room = _SWATCH_PX + 6 + min(width_px(text), WIDTH_PX - _SWATCH_PX - 6)
        if x_px and x_px + room > WIDTH_PX:
            x_px, row = 0.0, row + 1
        entries.append(_Entry(line, i, text, x_px, row))
        x_px += room + _GAP_PX
    return entries


def _draw_entry(canvas: Canvas, entry: _Entry) -> None:
    y = entry.row * _ROW_PX + 11
    text_x = entry.x_px + _SWATCH_PX + 6
    canvas.text((text_x, y), entry.text, WIDTH_PX - text_x)
    ends = (entry.x_px + 1, entry.x_px + _SWATCH_PX - 1)
    x = (sum(ends) / 2,) if _is_points(entry.line) else ends
    canvas.line(x, (y - 4,) * len(x), **_style(entry.line, entry.number))


def _style(line: Line, i: int) -> dict[str, object]:
    colour = SERIES[i % len(SERIES)]
    if _is_points(line):
        marker = MARKERS[i % len(MARKERS)]
        return {"color": colour, "linestyle": "none", "marker": marker, "markersize": 6, "markeredgewidth": 0}
    dashes = DASHES[i % len(DASHES)]
    return {"color": colour, "linewidth": 1.9, "linestyle": (0, dashes) if dashes else "-"}


def _is_points(line: Line) -> bool:
    return line.marks or len(line.x) == 1


def _draw_line(axes: Axes, line: Line, y_axis: Axis, i: int) -> None:
    if not len(line.x):
        return
    colour, is_points = SERIES[i % len(SERIES)], _is_points(line)
    if line.low is not None and line.high is not None:
        low, high = y_axis.clip(line.low), y_axis.clip(line.high)
        if is_points:
            axes.vlines(line.x, low, high, color=colour, linewidth=1.4, alpha=0.7)
        else:
            keep = _visible(axes, line.x, low, high)
            x, y = line.x[keep], np.concatenate([low[keep], high[keep][::-1]])
            axes.fill(np.concatenate([x, x[::-1]]), y, color=colour, alpha=_BAND, linewidth=0, zorder=1.5)
    keep = np.ones(len(line.x), bool) if is_points else _visible(axes, line.x, line.y)
    axes.plot(line.x[keep], line.y[keep], zorder=3, **_style(line, i))  # type: ignore[arg-type]


def _visible(axes: Axes, x: Numbers, *ys: Numbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which points of a curve lie apart on the sheet: of a million, a few hundred."""
    least, most = axes.bbox.padded(_CELL_PX).get_points()  # what lies outside is one cell
    places = [np.clip(axes.transData.transform(np.column_stack((x, y))), least, most) for y in ys]
    cells = np.round(np.hstack(places) / _CELL_PX)
    moves = np.abs(np.diff(cells, axis=0)).max(1)
    keep = np.ones(len(x), bool)
    keep[1:-1] = (moves[:-1] > 0) | (moves[1:] > 1)  # the first of each cell, and where a step begins
    return keep


def _draw_diagonal(axes: Axes, x_axis: Axis, y_axis: Axis) -> None:
    ends = max(x_axis.low, y_axis.low), min(x_axis.high, y_axis.high)
    if ends[0] < ends[1]:
        at = np.linspace(*ends, 200)
        if "linear" not in (x_axis.scale, y_axis.scale):
            at = np.geomspace(*ends, 200)
        axes.plot(at, at, color=SOFT, linewidth=1, linestyle=(0, (1, 2)), zorder=2)


def _draw_verticals(axes: Axes, chart: Curves, words: Words, room_px: float) -> None:
    """Draw the lines, and their names beside them: those further left on the left side if there is room."""
    places = axes.transAxes.inverted()
    rows = [0, 0]
    shown = _verticals(chart, *axes.get_xlim())
    for i, (label, at) in enumerate(shown):
        axes.axvline(at, color=INK, linewidth=1, zorder=2.5)
        share = float(places.transform(axes.transData.transform((at, 1)))[0])
        sides = (1 - share, share)  # room at the right, and at the left
        wanted = int(2 * i + 1 < len(shown))
        needed = (width_px(label, SMALL_PX) + 8) / room_px
        side = wanted if sides[wanted] >= needed else int(share > _HALF)
        axes.annotate(
            words(label, fitting(sides[side] * room_px - 8, SMALL_PX)),
            (at, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=((5, -5)[side], -_NAME_PX * (rows[side] + 0.75)),
            textcoords="offset points",
            ha=("left", "right")[side],
            color=INK,
            fontsize=SMALL_PX,
            bbox={"facecolor": CARD, "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
            zorder=2.8,  # under the curves: what was measured is never covered
        )
        rows[side] += 1


def _verticals(chart: Curves, low: float, high: float) -> list[tuple[str, float]]:
    shown = ((label, at) for label, at in chart.verticals.items() if low <= at <= high)
    return sorted(shown, key=lambda pair: pair[1])
