"""Words of users, such as names of files and columns, made fit to be shown."""

from __future__ import annotations

from unicodedata import category, combining, east_asian_width

_WIDE = frozenset("WF")


def printable(text: str) -> str:
    """Spell out what no page or terminal can show: control characters, lone surrogates, text direction."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else ascii(c)[1:-1] for c in text)


def columns(text: str) -> int:
    """How wide a text is, in characters of Latin; Chinese ones are two wide."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in _WIDE else 1 for c in text)


def shorten(text: str, most: int) -> str:
    """Leave out the middle of a text that is wider than `most` columns (3 or more).

    Names of one kind often differ at their ends, so both ends stay.
    """
    if columns(text) <= most:
        return text
    head = _fitting(text, most // 2)
    tail = _fitting(text[::-1], most - 1 - columns(head))[::-1]
    return f"{head}…{tail}"


def _fitting(text: str, most: int) -> str:
    end, width = 0, 0
    while (width := width + columns(text[end])) <= most:
        end += 1
    return text[:end]
