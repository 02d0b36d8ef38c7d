"""Which kind of chart is drawn by what, and the two forms it is given in."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from typing import Any

from mien.errors import ExtraMissing
from mien.evaluate.charts.bars import draw_bars
from mien.evaluate.charts.canvas import Canvas
from mien.evaluate.charts.colours import Paint
from mien.evaluate.charts.curves import draw_curves
from mien.evaluate.charts.matrix import draw_matrix
from mien.evaluate.charts.svg import Words, tidy
from mien.evaluate.evaluation import Bars, Chart, Curves, Matrix
from mien.pages.page import light_colours

DRAWN_BY: dict[type[Chart], Callable[[Any, Words], Canvas]] = {
    Curves: draw_curves,
    Bars: draw_bars,
    Matrix: draw_matrix,
}
_RULES: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "mien",  # the same bytes for the same chart
    "text.parse_math": False,
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so that the layout is the same everywhere
    "path.simplify": True,
}
_FONT = "font-family: ui-sans-serif, system-ui, sans-serif"


def draw(chart: Chart) -> str:
    """Draw a chart as an SVG element for a page of `mien.pages`, whose colours and font it takes.

    The same chart gives the same text.

    Raises:
        ExtraMissing: Matplotlib is not installed.
    """
    return _drawn(chart, lambda name: f"var(--{name})", "")


def draw_file(chart: Chart) -> str:
    """Draw a chart as an SVG file for documents, in light colours; otherwise like `draw`."""
    return _drawn(chart, light_colours().__getitem__, _FONT)


def _drawn(chart: Chart, paint: Paint, style: str) -> str:
    if find_spec("matplotlib") is None:
        raise ExtraMissing.of("evaluate", "Charts are drawn by Matplotlib, which is not installed.")
    from matplotlib import style as styles
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    words, raw = Words(), StringIO()
    with styles.context(["default", _RULES]):  # whatever the user's matplotlibrc says
        canvas = DRAWN_BY[type(chart)](chart, words)
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(canvas.figure).print_figure(raw, format="svg", metadata=metadata)
    label = f"{chart.title}. {chart.note}".removesuffix(" ")
    return tidy(raw.getvalue(), words, label, size_wh=canvas.size_wh, paint=paint, style=style)
