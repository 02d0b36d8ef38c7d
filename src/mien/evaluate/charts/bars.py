"""Horizontal bars: the name and the figures of each on a line of its own, which suits long names."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mien.evaluate.charts.canvas import SMALL_PX, WIDTH_PX, Canvas, set_axis, width_px
from mien.evaluate.charts.colours import CARD, INK, SERIES, SOFT
from mien.evaluate.charts.scales import Axis, axis_of, number, share
from mien.evaluate.charts.svg import Words
from mien.evaluate.evaluation import Bars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_PX, _BAR_PX, _NAME_PX = 37.0, 9.0, 14.0
_HEAD_PX, _FOOT_PX = 20.0, 44.0  # for the names of what is shown and of the axis
_BEHIND = {"facecolor": CARD, "edgecolor": "none", "pad": 1.5}  # words hide the grid behind them


def draw_bars(chart: Bars, words: Words) -> Canvas:
    """Draw one bar for each label from top to bottom, with its interval as a whisker."""
    if not chart.bars:
        canvas = Canvas(_HEAD_PX + _ROW_PX, words)
        canvas.text((0, 11), chart.label, WIDTH_PX, color=SOFT)
        canvas.text((WIDTH_PX / 2, _HEAD_PX + 20), "no data", WIDTH_PX, ha="center", color=SOFT)
        return canvas
    axis = _axis(chart)
    top = _HEAD_PX + _NAME_PX * len(chart.reference)
    bottom = top + len(chart.bars) * _ROW_PX
    left = 0.0 if axis.low == 0 else width_px(axis.labels[0], SMALL_PX) / 2
    right = WIDTH_PX - width_px(axis.labels[-1], SMALL_PX) / 2
    canvas = Canvas(bottom + _FOOT_PX, words)
    canvas.text((0, 11), chart.label, WIDTH_PX, color=SOFT)
    canvas.text((WIDTH_PX, bottom + _FOOT_PX - 6), chart.x_label, WIDTH_PX, color=SOFT, ha="right")
    axes = canvas.axes((left, top, right, bottom))
    set_axis(axes, "x", axis, right - left)
    axes.set(ylim=(bottom, top), yticks=())
    axes.axvline(0, color=SOFT, linewidth=1, clip_on=False)
    if axis.low == 0:
        axes.get_xticklabels()[0].set_horizontalalignment("left")  # or half of it would lie outside
    for i, label in enumerate(chart.bars):
        _draw_bar(canvas, axes, chart, label, top + i * _ROW_PX)
    for i, (label, value) in enumerate(chart.reference.items()):
        axes.axvline(value, color=SERIES[1], linewidth=1.4, linestyle=(0, (4, 2)))
        at = left + (value - axis.low) / (axis.high - axis.low) * (right - left)
        _name_reference(canvas, f"{label} {_write(chart, value)}", at, _HEAD_PX + 8 + _NAME_PX * i)
    return canvas


def _axis(chart: Bars) -> Axis:
    ends = [end for label in chart.bars for end in _interval(chart, label) or ()]
    values = np.array([0.0, *chart.bars.values(), *chart.reference.values(), *ends])
    axis = axis_of(values, "linear", percent=chart.percent)
    return axis if axis.ticks[0] < 0 or np.nanmin(values) < 0 else replace(axis, low=0.0)


def _draw_bar(canvas: Canvas, axes: Axes, chart: Bars, label: str, top_px: float) -> None:
    value, middle = chart.bars[label], top_px + 26
    told = _told(chart, label)
    room = WIDTH_PX - width_px(told, SMALL_PX) - 10
    places = (WIDTH_PX, middle - 10), (0, middle - 10)
    canvas.text(places[0], told, WIDTH_PX, ha="right", color=SOFT, fontsize=SMALL_PX, bbox=_BEHIND)
    canvas.text(places[1], label, room, bbox=_BEHIND)
    if not math.isfinite(value):
        return
    axes.barh(middle, value, _BAR_PX, color=SERIES[0], alpha=0.75, linewidth=0)
    if ends := _interval(chart, label):
        axes.hlines(middle, *ends, color=INK, linewidth=1.4)
        axes.vlines(ends, middle - 3.5, middle + 3.5, color=INK, linewidth=1.4)


def _interval(chart: Bars, label: str) -> tuple[float, float] | None:
    ends = chart.intervals.get(label)
    return ends if ends is not None and all(map(math.isfinite, ends)) else None


def _told(chart: Bars, label: str) -> str:
    """The figures of a bar in words."""
    value = chart.bars[label]
    if not math.isfinite(value):
        return "no data"
    ends = _interval(chart, label)
    between = f" ({_write(chart, ends[0])} to {_write(chart, ends[1])})" if ends else ""
    return _write(chart, value) + between


def _write(chart: Bars, value: float) -> str:
    return share(float(f"{value:.3g}")) if chart.percent else number(float(f"{value:.3g}"))


def _name_reference(canvas: Canvas, text: str, at_px: float, y_px: float) -> None:
    half = min(width_px(text, SMALL_PX), WIDTH_PX) / 2
    middle = min(max(at_px, half), WIDTH_PX - half)
    canvas.text((middle, y_px), text, WIDTH_PX, ha="center", color=SERIES[1], fontsize=SMALL_PX)
