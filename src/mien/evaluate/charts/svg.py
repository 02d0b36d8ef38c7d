"""From what Matplotlib writes to an SVG that can stand in a page beside others.

Matplotlib never sees the words of users: it would read `$` as mathematics, and warn of every
character that its font lacks. It lays out stand-ins of the same width, which are replaced here.
"""

from __future__ import annotations

import hashlib
import re
from html import escape

from mien.evaluate.charts.colours import NAMES, Paint, stand_in
from mien.pages.words import columns, printable, shorten

_BY_STAND_IN = {stand_in(name): name for name in NAMES}
_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r' id="([^"]+)"')
_USED = re.compile(r'(?:url\(|href=")#([^")]+)')
_WORDS = re.compile(r"¤(\d+)n*¤")


class Words:
    """The texts of one chart, and what Matplotlib is told instead of each."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def __call__(self, text: str, most: int) -> str:
        """Take a text, shortened to `most` columns; gives a stand-in about as wide."""
        shown = shorten(printable(text), most)
        self._texts.append(shown)
        number = str(len(self._texts) - 1)
        return f"¤{number}{'n' * (columns(shown) - 2 - len(number))}¤"

    def put_back(self, svg: str) -> str:
        """Replace all stand-ins."""
        return _WORDS.sub(lambda found: escape(self._texts[int(found[1])]), svg)


def tidy(raw: str, words: Words, label: str, *, size_wh: tuple[int, int], paint: Paint, style: str) -> str:
    """Make the final SVG.

    Identifiers are kept only where something refers to them, and begin with a digest of the chart, so
    that charts of one page do not meet. Styles that would reach the whole page are gone.

    Args:
        raw: What Matplotlib wrote.
        words: Texts to put back.
        label: What the chart shows, for those who do not see it.
        size_wh: Natural size in CSS pixels.
        paint: Values of the colours.
        style: CSS of the element `svg`, such as a font.
    """
    body = raw[raw.index("</defs>") + len("</defs>") : raw.rindex("</svg>")]  # the first ones hold a style
    label = printable(label)
    digest = hashlib.sha256((label + words.put_back(body)).encode()).hexdigest()[:8]
    names = {used: f"chart-{digest}-{i}" for i, used in enumerate(sorted(set(_USED.findall(body))))}
    body = _TAG.sub(lambda found: _tidy_tag(found[0], names, paint), body)
    body = re.sub(r"\s*\n\s*", "\n", words.put_back(body)).strip()
    width, height = size_wh
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(label)}" '
        f'style="stroke-linejoin: round; {style}">\n{body}\n</svg>\n'
    )


def _tidy_tag(tag: str, names: dict[str, str], paint: Paint) -> str:
    tag = _ID.sub(lambda found: f' id="{names[found[1]]}"' if found[1] in names else "", tag)
    tag = re.sub(r"(url\(|href=\")#([^\")]+)", lambda found: f"{found[1]}#{names[found[2]]}", tag)
    tag = re.sub(r" font-family: [^;\"]*;?", "", tag.replace("xlink:href", "href"))
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    tag = re.sub(r"(\.\d\d)\d+", r"\1", re.sub(r"\s*\n", " ", tag))  # a hundredth of a pixel will do
    return re.sub(r"#0a00[0-9a-f]{2}", lambda found: paint(_BY_STAND_IN[found[0]]), tag)
