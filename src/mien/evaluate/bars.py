"""Rates as bars with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

from mien.evaluate.evaluation import Bars, Rate


def rate_bars(title: str, label: str, x_label: str, rates: Mapping[str, Rate], note: str = "") -> Bars:
    """One bar for each rate that has a value, in order; see `Bars` for the words."""
    return Bars(
        title,
        label,
        x_label,
        {name: rate.value for name, rate in rates.items() if rate.value is not None},
        {
            name: (rate.low, rate.high)
            for name, rate in rates.items()
            if rate.low is not None and rate.high is not None
        },
        percent=True,
        note=f"{note} Whiskers are 95 % intervals.".strip(),
    )
