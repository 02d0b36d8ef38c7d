"""Colours by name, and the stand-ins that Matplotlib draws with.

A chart lies on pages with a light and a dark scheme, so its colours are variables of the page
(`mien.pages`, `page.css`). Matplotlib knows no variables: it draws with stand-ins that occur nowhere
else, which `svg.py` replaces.
"""

from __future__ import annotations

from collections.abc import Callable

# c1 to c8 are told apart by the colour-blind; dashes and markers tell them apart without colour.
NAMES = ("ink", "soft", "line", "card", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8")

Paint = Callable[[str], str]
"""Says which CSS value a name gets."""


def stand_in(name: str) -> str:
    """The colour that Matplotlib is told instead of a name."""
    return f"#0a00{NAMES.index(name):02x}"


INK, SOFT, LINE, CARD = (stand_in(name) for name in NAMES[:4])
SERIES = tuple(stand_in(name) for name in NAMES[4:])
# In widths of the line; a swatch of the legend shows each pattern twice or nearly so.
DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4.5, 1.5),
    (1.2, 1.2),
    (5, 1.3, 1.2, 1.3),
    (2.4, 1.2),
    (8, 1.5),
    (1.2, 1.1, 1.2, 1.1, 4, 1.1),
    (0.6, 1.7),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
