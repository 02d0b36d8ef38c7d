import numpy as np
import pytest

from mien.evaluate.charts.drawing import draw
from mien.evaluate.evaluation import Matrix


def square(counts, names=None):
    counts = np.array(counts)
    rows, columns = ([f"{kind}{i}" for i in range(n)] for kind, n in zip("rc", counts.shape, strict=True))
    return Matrix("t", "true", "said", names or rows, names or columns, counts)


def test_cells_say_counts_and_shares_of_the_row(read):
    words = read(draw(square([[1500, 500], [0, 7]]))).words
    for told in ("1,500", "75 %", "500", "25 %", "0 %", "100 %", "true ↓", "said →"):
        assert told in words


def test_a_row_of_nothing_has_no_shares(read):
    texts = read(draw(square([[0, 0], [1, 1]]))).texts
    assert texts.count("–") == 2


def test_shade_follows_the_share(read):
    svg = read(draw(square([[3, 1], [2, 2]])))
    styles = [e.get("style") for e in svg.elements if "var(--c1)" in (e.get("style") or "")]
    opacity = [float(style.partition("opacity: ")[2].split(";")[0]) for style in styles]
    assert opacity[0] > opacity[2] == opacity[3] > opacity[1]


def test_many_classes_show_shares_only(read):
    texts = read(draw(square(np.diag(range(1, 15))))).texts
    assert texts.count("100") == 14
    assert not any(text.endswith("%") for text in texts)


def test_wide_counts_do_not_run_into_each_other(read):
    texts = read(draw(square(np.full((7, 7), 123_456_789)))).texts
    assert "123,456,789" not in texts
    assert texts.count("14") == 49


@pytest.mark.parametrize("counts", [np.zeros((0, 0), int), np.zeros((0, 3), int), np.zeros((2, 0), int)])
def test_nothing_to_draw_is_said(counts, read):
    assert "no data" in read(draw(square(counts))).texts


def test_long_names_lean_and_stay_inside(read):
    names = [f"a name that is long {i}" for i in range(8)]
    svg = read(draw(square(np.eye(8, dtype=int), names)))
    leaning = [e for e in svg.elements if "rotate(-45" in (e.get("transform") or "")]
    assert len(leaning) == 8
    assert max(float(e.get("x")) for e in leaning if e.get("x")) < 360
