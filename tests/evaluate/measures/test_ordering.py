from hypothesis import given
from hypothesis import strategies as st

from mien.evaluate.measures.ordering import in_order


def test_ranges_stand_as_people_count():
    given = ["white", "60+", "5 to 17", "18 to 29", "-3 to 4", "100", "", "asian", "5 to 17", "5.5"]
    assert in_order(given) == ["-3 to 4", "5 to 17", "5.5", "18 to 29", "60+", "100", "", "asian", "white"]


@given(st.lists(st.text(max_size=5)))
def test_every_name_is_there_once_whatever_came_first(names):
    assert sorted(in_order(names)) == sorted(set(names))
    assert in_order(names) == in_order(reversed(names))
