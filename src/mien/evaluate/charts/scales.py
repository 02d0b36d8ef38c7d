"""Axes: from where to where, and which ticks. Pure arithmetic; nothing here draws.

A rate of zero has no place on a logarithmic or normal-deviate axis. Such an axis goes a little below
its lowest tick, and that edge, where zeros are drawn, is a tick of its own called 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mien.evaluate.evaluation import Numbers, Scale

_NORMAL = NormalDist()
_DEVIATES: Numbers = np.linspace(-6.5, 6.5, 5201)
_RATES: Numbers = np.array([_NORMAL.cdf(z) for z in _DEVIATES])
_DEVIATE_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 0.999)
_LOG_DECADES = 8  # more of them say nothing that a reader could use
_EDGE = 0.09  # of the axis, between its lowest tick and where zeros are drawn
_BEYOND = 1e-9  # where nobody sees it
_HUGE = 1e290  # beyond which differences overflow
_PADDING = 0.02  # of the axis, so that a line along its end is seen whole


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        scale: How values become places.
        low: Lower end.
        high: Upper end.
        ticks: Marked values, ascending.
        labels: What is written at each of them.
        edge: Where values are drawn that lie below the scale; None if there are none.
    """

    scale: Scale
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    edge: float | None = None

    def clip(self, values: Numbers) -> Numbers:
        """Put what has no place on this scale at its edge, or out of sight if it has none.

        A linear scale has a place for every value.
        """
        if self.scale == "linear":
            return values
        lowest = _BEYOND * self.low if self.edge is None else self.edge
        return np.clip(values, lowest, 1 - _BEYOND if self.scale == "deviate" else None)


def deviate(rates: Numbers) -> Numbers:
    """Standard normal quantiles of shares; 0 and 1 become -6.5 and 6.5."""
    return np.interp(rates, _RATES, _DEVIATES)


def rate_of(deviates: Numbers) -> Numbers:
    """The inverse of `deviate`."""
    return np.interp(deviates, _DEVIATES, _RATES)


def axis_of(values: Numbers, scale: Scale, *, percent: bool) -> Axis:
    """Choose an axis on which these values can be seen.

    Args:
        values: What will be drawn, of any length, (n,); what is not finite does not count.
        scale: Its kind.
        percent: Values are shares; ticks say percentages, and a linear axis stays within 0..1.
    """
    finite = np.clip(values[np.isfinite(values)], -_HUGE, _HUGE)
    return _KINDS[scale](finite, percent)


def number(value: float) -> str:
    """Write a value as briefly as it can be read."""
    if value <= 0:
        return "0" if value == 0 else f"−{number(-value)}"
    if 1e-4 <= value < 1e6:
        return f"{value:.4g}" if value < 1000 else f"{value:,.0f}"
    exponent = math.floor(math.log10(value))
    mantissa = f"{value / 10**exponent:.3g}"
    power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if mantissa == "1" else f"{mantissa}·{power}"


def share(value: float) -> str:
    """Write a share as a percentage with as many digits as it has, ten at most."""
    return f"{100 * value:.10f}".rstrip("0").rstrip(".") + "\N{NO-BREAK SPACE}%"


def linear_ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round values between two others: multiples of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(k * step for k in range(first, last + 1))


def _linear(values: Numbers, percent: bool) -> Axis:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    shares = percent and low >= 0 and high <= 1
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    if shares:
        low, high = max(low, 0.0), min(high, 1.0)
    span = high - low
    if 0 < low <= span / 4:  # nearly there: a reader expects the origin
        low = 0.0
    if shares and 0 < 1 - high <= span / 4:
        high = 1.0
    ticks, pad = linear_ticks(low, high), _PADDING * (high - low)
    write = share if percent else number
    return Axis("linear", low - pad, high + pad, ticks, tuple(write(tick) for tick in ticks))


def _log(values: Numbers, percent: bool) -> Axis:
    positive = values[values > 0]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (1e-3, 1.0)
    low, high = max(low, high * 10.0**-_LOG_DECADES, 1 / _HUGE), max(high, 2 / _HUGE)
    if high < 1.01 * low:
        low, high = low / 2, high * 2
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if high / low < 300 else (1,)
    near = (f * 10.0**k for k in decades for f in factors)
    ticks = [tick for tick in near if low / 1.6 <= tick <= high * 1.6]
    return _ending(Axis("log", low, high, tuple(ticks), ()), values, percent)


def _deviate(values: Numbers, percent: bool) -> Axis:
    inside = values[(values > 0) & (values < 1)]
    low, high = (float(inside.min()), float(inside.max())) if len(inside) else (1e-3, 0.4)
    low = max(low, _DEVIATE_TICKS[0])
    first = max(tick for tick in _DEVIATE_TICKS if tick <= low)
    ticks = [tick for tick in _DEVIATE_TICKS if first <= tick <= max(high, 0.4)]
    high = 0.9999 if bool((values >= 1).any()) else max(high, 0.5)
    return _ending(Axis("deviate", first, high, tuple(ticks), ()), values, percent)


def _ending(axis: Axis, values: Numbers, percent: bool) -> Axis:
    """Give an axis its ends and labels, and an edge where values do not reach its lower end."""
    place, value = _PLACES[axis.scale]
    ends: Numbers = np.array([min(axis.low, axis.ticks[0]), max(axis.high, axis.ticks[-1])])
    low, high = place(ends)
    pad, room = _PADDING * (high - low), _EDGE * (high - low)
    write = share if percent else number
    labels = tuple(write(tick) for tick in axis.ticks)
    if not bool((values < axis.low).any()):
        low, high = value(np.array([low - pad, high + pad]))
        return Axis(axis.scale, float(low), float(high), axis.ticks, labels)
    low, edge, high = value(np.array([low - room - pad, low - room, high + pad]))
    below = "0" if bool((values <= 0).any()) else f"< {write(axis.low)}"
    return Axis(
        axis.scale, float(low), float(high), (float(edge), *axis.ticks), (below, *labels), edge=float(edge)
    )


_PLACES: dict[Scale, tuple[Callable[[Numbers], Numbers], Callable[[Numbers], Numbers]]] = {
    "log": (np.log10, lambda places: 10.0**places),
    "deviate": (deviate, rate_of),
}
_KINDS: dict[Scale, Callable[[Numbers, bool], Axis]] = {"linear": _linear, "log": _log, "deviate": _deviate}
