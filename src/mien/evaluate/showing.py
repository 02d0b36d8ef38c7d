"""Numbers as people read them."""

from __future__ import annotations

import numpy as np

from mien.evaluate.evaluation import Rate

NOTHING = "–"


def percent(share: float | None) -> str:
    """A share in per cent with as many digits as it takes: 99.42 %, 0.10 %, 0.0001 %, > 99.99 %."""
    if share is None:
        return NOTHING
    if 0.99995 <= share < 1:
        return "> 99.99 %"
    value = 100 * share
    if value and abs(value) < 0.0995:  # which two digits would show as 0.10
        return f"{np.format_float_positional(value, precision=2, fractional=False, trim='-')} %"
    return f"{value:.2f} %"


def rate_key(rate: float) -> str:
    """How a rate that is asked for is called in JSON: 0.01, 0.0001, 1e-06."""
    return f"{rate:g}"


def number(value: float | None) -> str:
    """A distance or another plain number with four digits."""
    return NOTHING if value is None else f"{value:.4f}"


def rate_cell(rate: Rate) -> str:
    """A rate, its interval and where it comes from, in one cell."""
    if rate.value is None:
        return rate.note or NOTHING
    interval = f" ({percent(rate.low)} to {percent(rate.high)})" if rate.low is not None else ""
    counted = f", {rate.count:,} of {rate.of:,}" if rate.count is not None and rate.of else ""
    return f"{percent(rate.value)}{interval}{counted}"
