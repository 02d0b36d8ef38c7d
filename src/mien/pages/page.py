"""The skeleton of a page and its look: one HTML file that needs no network, no script, no other file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

from mien.pages.markup import Html, tag


def document(title: str, main: Html, *, css: Sequence[str] = ()) -> str:
    """Make a whole page.

    Args:
        title: What a browser shows on its tab.
        main: The element `main`.
        css: Style sheets that come after `page.css`, as text.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html("\n".join((_style(), *css)))),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', main), lang='en')}\n"


def mark(kind: str = "") -> Html:
    """The name of the house, which every page begins with, and what kind of page it is."""
    return tag("p", tag("span", aria_hidden="true"), f"Mien {kind}".rstrip(), class_="mark")


def section(title: str, lede: str, content: Html) -> Html:
    """A part of a page: its title, a sentence about it, which may be empty, and what it shows."""
    return tag("section", tag("h2", title), tag("p", lede, class_="soft") if lede else Html(), content)


def facts(values: dict[str, str]) -> Html:
    """A row of large figures, by what they are; a value may be text or `Html`."""
    items = (tag("div", tag("dt", name), tag("dd", value)) for name, value in values.items())
    return tag("dl", *items, class_="facts")


def light_colours() -> dict[str, str]:
    """Colours of the light scheme as `#rrggbb`, by the name of their variable in `page.css`."""
    light = _style().partition("@media")[0]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", light))


def _style() -> str:
    return files("mien.pages").joinpath("page.css").read_text("utf-8")
