import pytest

from mien.evaluate.evaluation import Rate
from mien.evaluate.showing import NOTHING, number, percent, rate_cell, rate_key


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, NOTHING),
        (0, "0.00 %"),
        (1, "100.00 %"),
        (0.9942, "99.42 %"),
        (0.99994, "99.99 %"),
        (0.99996, "> 99.99 %"),
        (0.001, "0.10 %"),
        (0.000996, "0.10 %"),
        (0.00099, "0.099 %"),
        (1e-6, "0.0001 %"),
        (1.26e-7, "0.000013 %"),
    ],
)
def test_shares_have_as_many_digits_as_they_need(share, shown):
    assert percent(share) == shown


def test_a_rate_tells_where_it_comes_from():
    rate = Rate(0.001, 0.0004, 0.002, 3, 3000)
    assert rate_cell(rate) == "0.10 % (0.04 % to 0.20 %), 3 of 3,000"
    assert rate_cell(Rate(0.5)) == "50.00 %"
    assert rate_cell(Rate(None, note="not enough comparisons")) == "not enough comparisons"
    assert rate_cell(Rate(None)) == NOTHING


def test_rates_have_one_spelling():
    assert [rate_key(rate) for rate in (0.1, 1e-2, 1e-4, 1e-6)] == ["0.1", "0.01", "0.0001", "1e-06"]
    assert number(None) == NOTHING
    assert number(0.12345) == "0.1235"
