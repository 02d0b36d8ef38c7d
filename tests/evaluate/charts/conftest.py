import re
from xml.etree import ElementTree

import pytest


class Svg:
    """What an SVG says: its texts, paths and identifiers."""

    def __init__(self, text):
        self.text = text
        self.root = ElementTree.fromstring(text)
        self.elements = list(self.root.iter())
        self.texts = [e.text for e in self.elements if e.tag.endswith("}text")]
        self.ids = [e.get("id") for e in self.elements if e.get("id")]

    @property
    def words(self):
        return " | ".join(self.texts).replace("\N{NO-BREAK SPACE}", " ")

    def points(self, colour):
        """Corners of each path that is drawn in a colour."""
        paths = [e for e in self.elements if e.get("d") and f"var(--{colour})" in (e.get("style") or "")]
        return [[tuple(map(float, p)) for p in re.findall(r"([-\d.]+) ([-\d.]+)", e.get("d"))] for e in paths]


@pytest.fixture
def read():
    return Svg
