"""The sheet that charts are drawn on, measured in CSS pixels from its upper left corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mien.evaluate.charts.colours import CARD, INK, LINE, SOFT
from mien.evaluate.charts.scales import Axis, deviate, rate_of
from mien.evaluate.charts.svg import Words
from mien.pages.words import columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_PX = 360  # of every chart: what a phone has room for
TEXT_PX, SMALL_PX = 12.0, 11.0
_COLUMN_EM = 0.6  # of a character, in fonts that are rather wide


def width_px(text: str, size_px: float = TEXT_PX) -> float:
    """About how wide a text will be."""
    return columns(text) * size_px * _COLUMN_EM


def fitting(room_px: float, size_px: float = TEXT_PX) -> int:
    """How many columns of text have room."""
    return max(3, int(room_px / size_px / _COLUMN_EM))


class Canvas:
    """A figure of Matplotlib whose places are pixels.

    Args:
        height_px: Its height.
        words: Takes the words of users.
    """

    def __init__(self, height_px: float, words: Words) -> None:
        from matplotlib.figure import Figure

        self.size_wh = (WIDTH_PX, round(height_px))
        self.words = words
        # 72 dots an inch: one point of Matplotlib is one pixel.
        self.figure = Figure(figsize=(WIDTH_PX / 72, self.size_wh[1] / 72), dpi=72, facecolor=CARD)

    def axes(self, box_px: tuple[float, float, float, float]) -> Axes:
        """Bare axes in a box (x1, y1, x2, y2)."""
        (width, height), (x1, y1, x2, y2) = self.size_wh, box_px
        place = (x1 / width, 1 - y2 / height, (x2 - x1) / width, (y2 - y1) / height)
        axes = self.figure.add_axes(place, facecolor="none")
        axes.tick_params(length=0, labelcolor=SOFT, labelsize=SMALL_PX, pad=5)
        axes.tick_params(which="minor", length=0)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)
        return axes

    def text(self, at_px: tuple[float, float], text: str, room_px: float, **style: Any) -> None:  # noqa: ANN401
        """Write a text, shortened to its room; `style` is that of Matplotlib's Text."""
        style = {"color": INK, "fontsize": TEXT_PX, "va": "baseline", **style}
        x, y = at_px[0] / self.size_wh[0], 1 - at_px[1] / self.size_wh[1]
        self.figure.text(x, y, self.words(text, fitting(room_px, style["fontsize"])), **style)

    def line(self, x_px: Sequence[float], y_px: Sequence[float], **style: Any) -> None:  # noqa: ANN401
        """Draw a line; `style` is that of Matplotlib's Line2D."""
        from matplotlib.lines import Line2D

        places = ([x / self.size_wh[0] for x in x_px], [1 - y / self.size_wh[1] for y in y_px])
        self.figure.add_artist(Line2D(*places, **style))


def set_axis(axes: Axes, which: str, axis: Axis, room_px: float) -> None:
    """Give Matplotlib's axes a scale, limits, ticks and grid; labels that would overlap are left out.

    Args:
        axes: To be changed.
        which: `x` or `y`.
        axis: How it shall be.
        room_px: Its length.
    """
    scales: dict[str, dict[str, Any]] = {
        "linear": {"value": "linear"},
        "log": {"value": "log", "nonpositive": "mask"},
        "deviate": {"value": "function", "functions": (deviate, rate_of)},
    }
    axes.set(**{f"{which}lim": (axis.low, axis.high)})
    getattr(axes, f"set_{which}scale")(**scales[axis.scale])
    getattr(axes, f"set_{which}lim")(axis.low, axis.high)
    target = getattr(axes, f"{which}axis")
    target.set_ticks(axis.ticks, labels=_apart(axes, which, axis, room_px))
    target.set_ticks((), minor=True)
    target.grid(visible=True, color=LINE, linewidth=0.8)


def _apart(axes: Axes, which: str, axis: Axis, room_px: float) -> list[str]:
    """Labels of the ticks, empty where one would touch the one before."""
    target = getattr(axes, f"{which}axis").get_transform()
    low, high, *places = target.transform([axis.low, axis.high, *axis.ticks])
    shown, free = [], -float("inf")
    for place, label in zip(places, axis.labels, strict=True):
        at = (place - low) / (high - low) * room_px
        half = (width_px(label, SMALL_PX) if which == "x" else SMALL_PX) / 2
        fits = at - half >= free
        shown.append(label if fits else "")
        free = at + half + 3 if fits else free
    return shown
