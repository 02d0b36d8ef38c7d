from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm

from mien.evaluate.charts.colours import DASHES, MARKERS, SERIES
from mien.evaluate.charts.drawing import draw
from mien.evaluate.evaluation import Curves, Line

EMPTY = np.array([])


def det(line, **more):
    return Curves("DET", "FMR", "FNMR", [line], "deviate", "deviate", True, True, **more)


def test_rates_of_normal_scores_lie_on_a_straight_line(read):
    threshold = np.linspace(-1, 6, 300)
    line = Line("normal", norm.cdf(threshold - 4), norm.sf(threshold))
    inside = [path for path in read(draw(det(line))).points("c1") if max(path)[0] - min(path)[0] > 50]
    (path,) = inside
    x, y = np.array(path).T
    assert np.ptp(y) > 150
    assert np.abs(np.polyval(np.polyfit(x, y, 1), x) - y).max() < 1.0


def test_rates_of_zero_are_drawn_at_an_edge_called_0(read):
    line = Line("few", np.array([0, 0.001, 0.01, 0.1]), np.array([0.2, 0.1, 0.01, 0]))
    for scale in ("deviate", "log"):
        svg = read(draw(Curves("t", "x", "y", [line], scale, scale, True, True)))
        assert svg.texts.count("0") == 2
        path = max(svg.points("c1"), key=len)
        assert np.isfinite(path).all()
        assert path[0][0] == min(x for x, _ in path)
        assert path[-1][1] == max(y for _, y in path)


def test_what_a_working_system_does_beyond_half_is_not_shown(read):
    rates = np.linspace(0, 1, 200) ** 4
    words = read(draw(det(Line("good", rates, (1 - rates**0.25) ** 4)))).words
    assert "40 %" in words
    assert "95 %" not in words
    assert "95 %" in read(draw(det(Line("bad", rates, 1 - rates * 0.2)))).words


@pytest.mark.parametrize("scale", ["linear", "log", "deviate"])
def test_nothing_to_draw_is_said(scale, read):
    hollow = [Line("hollow", EMPTY, EMPTY), Line("odd", np.array([np.nan]), np.array([1.0]))]
    svg = read(draw(Curves("t", "x", "y", hollow, scale, scale)))
    assert "no data" in svg.texts
    assert {"hollow (no data)", "odd (no data)"} <= set(svg.texts)
    assert "no data" in read(draw(Curves("t", "x", "y", [], scale, scale))).texts


def test_one_point_is_a_mark(read):
    svg = read(draw(det(Line("one", np.array([0.01]), np.array([0.1])))))
    assert len([e for e in svg.elements if e.tag.endswith("}use") and "c1" in e.get("style")]) == 2


def test_marks_have_whiskers_and_lines_have_bands(read):
    x, ones = np.linspace(0, 1, 5), np.ones(5)
    marks = read(draw(Curves("t", "x", "y", [Line("m", x, x, x - 0.1, x + 0.1, marks=True)])))
    assert sum(len(path) == 2 for path in marks.points("c1")) == 5
    band = read(draw(Curves("t", "x", "y", [Line("b", x, x, x - ones, x + ones)])))
    assert any("opacity: 0.16" in (e.get("style") or "") for e in band.elements)


def test_verticals_are_named_unless_they_lie_outside(read):
    x = np.linspace(0, 1, 9)
    chart = Curves("t", "x", "y", [Line("a", x, x)], "log", verticals={"here": 0.5, "never": 0.0})
    texts = read(draw(chart)).texts
    assert "here" in texts
    assert "never" not in texts


def test_names_of_verticals_stand_on_both_sides(read):
    x = np.linspace(0, 1, 9)
    chart = Curves("t", "x", "y", [Line("a", x, x)], verticals={"right one": 0.52, "left one": 0.48})
    svg = read(draw(chart))
    sides = {e.text: e.get("style") for e in svg.elements if e.tag.endswith("}text")}
    assert "text-anchor: end" in sides["left one"]
    assert "text-anchor: start" in sides["right one"]


def test_a_million_points_make_a_small_file(rng):
    x = np.sort(rng.random(1_000_000)) ** 3
    line = Line("many", x, 1 - x, 0.9 - x, 1.1 - x)
    assert len(draw(Curves("t", "x", "y", [line]))) < 60_000
    assert len(draw(det(line))) < 120_000


def test_thinning_keeps_steps_and_spikes(read):
    x = np.linspace(0, 1, 200_000)
    y = np.where(x < 0.5, 0.0, 1.0)
    y[150_000] = 0.5
    path = max(read(draw(Curves("t", "x", "y", [Line("s", x, y)]))).points("c1"), key=len)
    heights = sorted({round(py) for _, py in path})
    assert len(heights) == 3
    jumps = [(a, b) for a, b in pairwise(path) if abs(a[1] - b[1]) > 50]
    assert len(jumps) == 3
    assert all(abs(a[0] - b[0]) < 1 for a, b in jumps)
    assert path == sorted(path, key=lambda at: at[0])


def test_lines_differ_by_more_than_colour():
    assert len(set(DASHES)) == len(set(MARKERS)) == len(set(SERIES)) == 8


def test_eight_lines_have_eight_names(read):
    x = np.linspace(0, 1, 9)
    lines = [Line(f"system {i}", x, x + i) for i in range(8)]
    texts = read(draw(Curves("t", "x", "y", lines))).texts
    assert {line.label for line in lines} <= set(texts)


@pytest.mark.parametrize("value", [1e300, -1e300, 1e-300, 1e308])
def test_odd_magnitudes_are_drawn(value, read):
    line = Line("odd", np.array([0, value]), np.array([value, -value]))
    assert read(draw(Curves("t", "x", "y", [line]))).texts


def test_a_line_without_a_name_takes_no_name_or_colour_of_another(read):
    x = np.linspace(0, 1, 4)
    svg = read(draw(Curves("t", "x", "y", [Line("", x, x), Line("named", x, 1 - x)])))
    assert (len(svg.points("c1")), len(svg.points("c2"))) == (1, 2)  # the curve, and its swatch


def test_an_interval_that_is_partly_unknown_is_drawn_where_it_is_known(read):
    x = np.linspace(0, 1, 5)
    low = np.array([np.nan, 0, 0, 0, np.nan])
    svg = read(draw(Curves("t", "x", "y", [Line("a", x, x, low, x)])))
    band = max(svg.points("c1"), key=len)
    assert len(band) >= 8
    assert np.isfinite(band).all()
