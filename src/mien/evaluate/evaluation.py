"""What every evaluation gives: measures by name, tables and charts to show them.

Charts are data. `mien.evaluate.charts` draws them, and tests read what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]
Scale = Literal["linear", "log", "deviate"]


class Rate(msgspec.Struct, frozen=True):
    """A share, how many cases it comes from, and between what it may lie.

    Attributes:
        value: The share, 0..1; None where the data cannot support one.
        low: Lower end of the 95 % interval; None where there is none.
        high: Upper end.
        count: Cases counted, such as errors.
        of: Cases in all.
        note: Why there is no value, such as "not enough comparisons"; or what to know about it.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    of: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be read by people: every cell is text."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve. `low` and `high` are an interval around `y`; `marks` shows points instead of a line."""

    label: str
    x: Numbers
    y: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    marks: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Curves over common axes.

    Attributes:
        title: What is seen.
        x_label: Quantity and unit of the horizontal axis.
        y_label: The same of the vertical one.
        lines: What is drawn, at most eight.
        x_scale: `deviate` is the normal-deviate scale of DET curves, on which rates of normal scores
            lie on a straight line (A. Martin et al.: The DET curve, Eurospeech 1997).
        y_scale: The same of the vertical axis.
        x_percent: The axis shows shares as percentages.
        y_percent: The same of the vertical axis.
        diagonal: Draw y = x, where a perfect calibration or a worthless classifier lies.
        verticals: Places marked by a vertical line, by label, such as an operating threshold.
        note: How to read it.
    """

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    x_percent: bool = False
    y_percent: bool = False
    diagonal: bool = False
    verticals: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """One horizontal bar per label, with an interval where one is known.

    Attributes:
        title: What is seen.
        label: What the bars are of.
        x_label: Quantity and unit of their length.
        bars: Value by label, in order.
        intervals: Low and high end by label.
        reference: A value to compare with, by its name, drawn as a line.
        percent: Values are shares, shown as percentages.
        note: How to read it.
    """

    title: str
    label: str
    x_label: str
    bars: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    reference: Mapping[str, float] = field(default_factory=dict)
    percent: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Counts by two labels, such as a confusion matrix: a row is what is true, a column what was said."""

    title: str
    row_label: str
    column_label: str
    rows: Sequence[str]
    columns: Sequence[str]
    counts: NDArray[np.integer[Any]]
    note: str = ""


Chart = Curves | Bars | Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The outcome of one evaluation.

    Attributes:
        noun: What was evaluated, such as `verification`.
        headline: The outcome in one sentence.
        measures: A frozen `msgspec.Struct` whose fields are named as the measures; it becomes the JSON.
        tables: For people.
        charts: For people.
        facts: What stands on top of a report, by name.
    """

    noun: str
    headline: str
    measures: msgspec.Struct
    tables: Sequence[Table]
    charts: Sequence[Chart]
    facts: Mapping[str, str] = field(default_factory=dict)
