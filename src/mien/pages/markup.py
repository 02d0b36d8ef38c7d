"""HTML that escapes by itself: text becomes markup only through `tag`."""

from __future__ import annotations

from base64 import b64encode
from html import escape

_VOID = frozenset(("img", "meta", "col"))


class Html(str):
    """Markup that is finished and must not be escaped again."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str) -> Html:
    """Make an element; children and attributes that are plain text are escaped.

    Args:
        name: Its name; of a void element, such as `img`, no children may be given.
        *children: Text, or `Html` that was made before.
        **attributes: Underscores become hyphens, and one at the end is dropped: `class_`, `aria_label`.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items()
    )
    inside = "".join(child if isinstance(child, Html) else escape(child) for child in children)
    return Html(f"<{name}{given}>" if name in _VOID else f"<{name}{given}>{inside}</{name}>")


def join(parts: list[Html]) -> Html:
    """Put elements one after the other."""
    return Html("\n".join(parts))


def picture(jpeg: bytes, alt: str, **attributes: str) -> Html:
    """Make an image that carries its pixels with it."""
    return tag("img", src=f"data:image/jpeg;base64,{b64encode(jpeg).decode()}", alt=alt, **attributes)


def table(
    header: list[str], rows: list[list[str]], *, numbers: frozenset[int] = frozenset(), stack: bool = False
) -> Html:
    """Make a table that scrolls by itself where the page is too narrow.

    Args:
        header: Titles of the columns.
        rows: One cell for each column, text or `Html`.
        numbers: Columns, counted from 0, that are aligned to the right.
        stack: On a phone, put the cells of a row below each other.
    """
    kind = ["n" if i in numbers else "t" for i in range(len(header))]
    head = [tag("th", title, class_=kind[i], scope="col") for i, title in enumerate(header)]
    body = [tag("tr", *(tag("td", cell, class_=kind[i]) for i, cell in enumerate(row))) for row in rows]
    whole = tag("table", tag("thead", tag("tr", *head)), tag("tbody", join(body)))
    return tag("div", whole, class_="scroll stack" if stack else "scroll")


def facts_table(facts: list[tuple[str, str]]) -> Html:
    """Make a table of names and values."""
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in facts]
    return tag("div", tag("table", tag("tbody", join(rows))), class_="scroll")
