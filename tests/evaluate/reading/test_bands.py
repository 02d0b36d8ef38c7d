from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.evaluate.reading.bands import banded, read_column


def test_years_become_four_ranges_of_about_equal_size():
    years = [*map(str, range(1, 41)), ""]
    found = banded(years)
    assert Counter(found) == {"1 to 10": 10, "11 to 20": 10, "21 to 30": 10, "31 to 40": 10, "": 1}
    assert found[17] == "11 to 20"
    assert found[-1] == ""


@pytest.mark.parametrize(
    "labels",
    [
        list("123456781"),
        ["f", "m", *map(str, range(20))],
        [*map(str, range(20)), "nan"],
        [*map(str, range(20)), "inf"],
        ["1", "1.0", "01", "1e0", "2", "3", "4", "5", "6", "7", "8"],
        [""],
        [],
    ],
)
def test_few_numbers_and_words_stay_as_they_are(labels):
    assert banded(labels) == labels


@given(st.lists(st.one_of(st.just(""), st.integers(-50, 50).map(str), st.floats(0, 9).map(str)), max_size=80))
def test_ranges_hold_their_numbers_and_do_not_overlap(labels):
    found = banded(labels)
    assert [not name for name in found] == [not label for label in labels]
    if len({float(label) for label in labels if label}) <= 8:
        assert found == labels
        return
    groups = {}
    for label, name in zip(labels, found, strict=True):
        groups.setdefault(name, []).append(float(label or "nan"))
    groups.pop("", None)
    assert 2 <= len(groups) <= 4
    for name, values in groups.items():
        first, _, last = name.partition(" to ")
        assert (float(first), float(last or first)) == (min(values), max(values))
    ends = sorted((min(values), max(values)) for values in groups.values())
    assert all(before[1] < after[0] for before, after in pairwise(ends))


def test_a_number_that_is_very_common_has_its_own_range():
    labels = ["0"] * 900 + [str(i) for i in range(1, 101)]
    assert Counter(banded(labels)) == {"0": 900, "1 to 100": 100}


def test_ranges_of_random_numbers_differ_by_less_than_the_commonest_number(rng):
    labels = rng.integers(0, 90, 2000).astype(str).tolist()
    sizes = Counter(banded(labels)).values()
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) <= 2 * max(Counter(labels).values())


def test_a_column_without_any_label_is_refused():
    assert read_column(["", "a"], "x.csv, column k") == ["", "a"]
    with pytest.raises(BadRequest, match=r"x\.csv, column k has no label"):
        read_column(["", ""], "x.csv, column k")
