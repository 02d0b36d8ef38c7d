"""In which order people expect names to stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once: those that begin with a number first, by that number: `5 to 17` before `18 to 29`."""
    return sorted(set(names), key=_place)


def _place(name: str) -> tuple[bool, float, str]:
    number = _NUMBER.match(name)
    return number is None, float(number[0]) if number else 0.0, name
