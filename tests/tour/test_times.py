import pytest

from mien.tour.stopwatch import Timing
from mien.tour.times import REST, each_ms, shares


def test_shares_and_the_rest_make_up_the_whole():
    found = shares((Timing("a", 4, 1.0), Timing("b", 0, 2.0)), 4.0)
    assert [(timing.stage, share) for timing, share in found] == [("a", 0.25), ("b", 0.5), (REST, 0.25)]


def test_clocks_that_disagree_leave_no_negative_rest():
    (_, (rest, share)) = shares((Timing("a", 1, 1.001),), 1.0)
    assert (rest.time_s, share) == (0.0, 0.0)


@pytest.mark.parametrize(("timing", "text"), [(Timing("a", 4, 0.1), "25.0"), (Timing("a", 0, 0.1), "–")])
def test_milliseconds_are_for_one_picture(timing, text):
    assert each_ms(timing) == text
