"""Labels that say groups: those of a column of numbers become ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mien.errors import BadRequest

# More different numbers than this are no groups.
MOST_VALUES = 8
BANDS = 4


def read_column(cells: Sequence[str], where: str) -> list[str]:
    """Take the cells of a label column for groups.

    Args:
        cells: A label for each photograph; empty where there is none.
        where: The file and the column, for messages.

    Returns:
        The same, or ranges (see `banded`).

    Raises:
        BadRequest: No photograph has a label.
    """
    if not any(cells):
        raise BadRequest(f"{where} has no label for any of the photographs.")
    return banded(cells)


def banded(labels: Sequence[str]) -> list[str]:
    """Replace numbers by ranges such as `18 to 29`, if all labels are numbers, of more than eight values.

    The ranges are four, with about as many labels in each, or fewer where one number is very common: what is
    equal stays together. They are named after the least and the largest number in them.

    Args:
        labels: Empty ones stay empty.
    """
    written: dict[float, str] = {}
    for label in filter(None, labels):
        value = _number(label)
        if value is None:
            return list(labels)
        written.setdefault(value, label)
    if len(written) <= MOST_VALUES:
        return list(labels)
    values = np.array([float(label) for label in labels if label])
    different, count = np.unique(values, return_counts=True)
    # The share of labels below each number, counting half of its own.
    below = (np.cumsum(count) - count / 2) / len(values)
    band = np.floor(below * BANDS).astype(int)
    name = {
        value: _range(different[band == place], written) for value, place in zip(different, band, strict=True)
    }
    return [name[float(label)] if label else "" for label in labels]


def _range(values: np.ndarray, written: dict[float, str]) -> str:
    first, last = written[values[0]], written[values[-1]]
    return first if first == last else f"{first} to {last}"


def _number(label: str) -> float | None:
    try:
        value = float(label)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
