import math

import pytest

from mien.evaluate.charts.drawing import draw
from mien.evaluate.evaluation import Bars


def rectangles(svg):
    found = [p for p in svg.points("c1") if len(p) >= 4]
    return [(min(x for x, _ in p), max(x for x, _ in p)) for p in found]


def test_lengths_are_in_proportion(read):
    svg = read(draw(Bars("t", "kind", "rate", {"a": 0.1, "b": 0.2, "c": 0.0}, percent=True)))
    (a0, a1), (b0, b1), (c0, c1) = rectangles(svg)
    assert a0 == b0 == c0 == c1
    assert (b1 - b0) == pytest.approx(2 * (a1 - a0), abs=0.05)
    assert {"10 %", "20 %", "0 %"} <= set(svg.words.split(" | "))


def test_intervals_and_references_are_told(read):
    chart = Bars("t", "kind", "rate", {"a": 0.125}, {"a": (0.1, 0.25)}, {"allowed": 0.3}, percent=True)
    words = read(draw(chart)).words
    assert "12.5 % (10 % to 25 %)" in words
    assert "allowed 30 %" in words


def test_negative_bars_go_left(read):
    (p0, p1), (n0, n1) = rectangles(read(draw(Bars("t", "k", "v", {"p": 4.0, "n": -2.0}))))
    assert n1 == p0
    assert n0 < n1
    assert p1 - p0 == pytest.approx(2 * (n1 - n0), abs=0.05)


def test_nothing_to_draw_is_said(read):
    assert "no data" in read(draw(Bars("t", "k", "v", {}))).texts
    svg = read(draw(Bars("t", "k", "v", {"a": math.nan, "b": 1.0}, {"b": (math.nan, 2.0)})))
    assert {"no data", "a", "b", "1"} <= set(svg.texts)


@pytest.mark.parametrize("value", [0.0, 1e-12, 1e300, -1e300])
def test_odd_magnitudes_are_drawn(value, read):
    assert "a" in read(draw(Bars("t", "k", "v", {"a": value}))).texts


def test_it_grows_with_its_bars(read):
    few, many = (read(draw(Bars("t", "k", "v", {str(i): 1.0 for i in range(n)}))) for n in (2, 40))
    assert int(many.root.get("height")) > 10 * int(few.root.get("height")) - 600
    assert {str(i) for i in range(40)} <= set(many.texts)
