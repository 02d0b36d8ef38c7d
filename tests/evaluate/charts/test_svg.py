import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import ExtraMissing
from mien.evaluate.charts import drawing
from mien.evaluate.charts.drawing import DRAWN_BY, draw, draw_file
from mien.evaluate.charts.svg import Words
from mien.evaluate.evaluation import Bars, Chart, Curves, Line, Matrix
from mien.pages.page import light_colours

HOSTILE = '<script>alert("1")</script> $x_1$ ¤0¤ &amp; id="a" #0a0001 url(#b) --> ]]> 面\x1b\udcff\n'


def curves(name="a", title="Rates"):
    x = np.linspace(0.01, 0.4, 30)
    line = Line(name, x, 0.4 - x, 0.35 - x, 0.45 - x)
    return Curves(title, name, name, [line], verticals={name: 0.1}, diagonal=True, note=name)


def bars(name="a"):
    return Bars("Bars", name, name, {name: 0.4}, {name: (0.3, 0.5)}, {name: 0.2}, True, name)


def matrix(name="a"):
    return Matrix("Cells", name, name, [name, "b"], [name, "b"], np.array([[3, 1], [0, 0]]), name)


KINDS = [curves, bars, matrix]


def test_every_kind_of_chart_can_be_drawn():
    assert set(DRAWN_BY) == set(Chart.__args__)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_chart_gives_the_same_text(kind):
    assert draw(kind()) == draw(kind())


def test_identifiers_of_several_charts_do_not_meet(read):
    charts = [curves(), curves("b"), curves(title="Others"), bars(), matrix()]
    drawn = [read(draw(chart)) for chart in charts]
    ids = [name for svg in drawn for name in svg.ids]
    assert ids
    assert len(ids) == len(set(ids))
    for svg in drawn:
        used = re.findall(r'(?:url\(|href=")#([^")]+)', svg.text)
        assert set(used) == set(svg.ids)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_reaches_out_of_a_chart(kind, read):
    svg = read(draw(kind()))
    assert not {"style", "script", "metadata", "image"} & {e.tag.rpartition("}")[2] for e in svg.elements}
    assert "http" not in svg.text.replace("http://www.w3.org/2000/svg", "")
    assert "font-family" not in svg.text


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_those_of_the_page_or_of_the_light_scheme(kind, read):
    inline, alone = draw(kind()), draw_file(kind())
    assert not re.search(r"#[0-9a-f]{6}", inline)
    names = set(re.findall(r"var\(--(\w+)\)", inline))
    assert names <= set(light_colours())
    assert set(re.findall(r"#[0-9a-f]{6}", alone)) == {light_colours()[name] for name in names}
    assert "var(" not in alone
    assert "sans-serif" in alone


@pytest.mark.parametrize("kind", KINDS)
def test_words_of_users_are_text_and_nothing_else(kind, read):
    svg = read(draw(kind(HOSTILE)))
    assert "script" not in {e.tag.rpartition("}")[2] for e in svg.elements}
    assert any(text.startswith("<scr") for text in svg.texts)
    assert HOSTILE[:60] in svg.root.get("aria-label")
    assert "\\x1b\\udcff\\n" in svg.root.get("aria-label")


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=80))
def test_any_name_can_be_shown(name):
    for kind in KINDS:
        draw(kind(name)).encode("utf-8")


def test_dollars_are_not_mathematics(read):
    assert "$\\frac{1}{2$" in read(draw(curves("$\\frac{1}{2$"))).texts


def test_stand_ins_are_as_wide_as_their_texts():
    words = Words()
    for text in ("a", "abcdefgh", "面孔面孔"):
        assert len(words(text, 40)) == max(3, len(text) * (2 if text[0] == "面" else 1))


def test_stand_ins_come_back_once():
    words = Words()
    first, second = words("¤1¤", 40), words("<b>", 40)
    assert words.put_back(f"{first}|{second}") == "¤1¤|&lt;b&gt;"


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    with pytest.raises(ExtraMissing, match="Matplotlib") as refused:
        draw(curves())
    assert "mien[evaluate]" in refused.value.hint


def test_the_users_matplotlibrc_changes_nothing():
    from matplotlib import rc_context

    wanted = draw(curves())
    with rc_context({"axes.grid": True, "font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red"}):
        assert draw(curves()) == wanted
