import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import norm

from mien.evaluate.charts.scales import axis_of, deviate, linear_ticks, number, rate_of, share

SCALES = ("linear", "log", "deviate")


def axis(values, scale, percent=True):
    return axis_of(np.array(values, float), scale, percent=percent)


def test_deviates_are_those_of_the_normal_distribution():
    rates = np.array([1e-9, 1e-5, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9])
    np.testing.assert_allclose(deviate(rates), norm.ppf(rates), atol=1e-4)
    np.testing.assert_allclose(rate_of(deviate(rates)), rates, rtol=1e-6)
    assert np.isfinite(deviate(np.array([0.0, 1.0]))).all()


@given(
    hnp.arrays(float, st.integers(0, 12), elements=st.floats(allow_nan=True, allow_infinity=True)),
    st.sampled_from(SCALES),
    st.booleans(),
)
def test_every_axis_can_be_drawn(values, scale, percent):
    made = axis(values, scale, percent)
    assert np.isfinite([made.low, made.high]).all()
    assert made.low < made.high
    assert len(made.ticks) == len(made.labels) >= 1
    assert all(made.low <= tick <= made.high for tick in made.ticks)
    assert list(made.ticks) == sorted(made.ticks)
    if scale != "linear":
        assert made.low > 0
        assert made.clip(np.array([0.0]))[0] == (made.edge or pytest.approx(made.low * 1e-9))


@given(hnp.arrays(float, st.integers(1, 20), elements=st.floats(1e-5, 0.999)), st.sampled_from(SCALES))
def test_values_within_reason_lie_on_the_axis(values, scale):
    made = axis(values, scale)
    assert made.low <= values.min()
    assert values.max() <= made.high
    assert made.edge is None


@pytest.mark.parametrize("scale", ["log", "deviate"])
def test_zeros_get_an_edge_that_says_so(scale):
    made = axis([0, 1e-4, 0.3], scale)
    assert made.labels[0] == "0"
    assert made.low < made.edge == made.ticks[0] < made.ticks[1] <= 1e-4
    np.testing.assert_array_equal(made.clip(np.array([0, 1e-4])), [made.edge, 1e-4])


def test_rates_below_the_scale_are_not_called_zero():
    made = axis([1e-9, 0.3], "deviate")
    assert made.labels[0] == "< 0.0001\N{NO-BREAK SPACE}%"


def test_ticks_of_a_det_curve():
    made = axis([1e-5, 0.5], "deviate")
    shown = [label.replace("\N{NO-BREAK SPACE}", " ") for label in made.labels]
    assert shown == ["0.001 %", "0.01 %", "0.1 %", "1 %", "5 %", "20 %", "40 %"]
    assert 0.5 < made.high < 0.55


def test_a_system_worse_than_a_guess_has_ticks_too():
    assert 0.99 in axis([0.6, 0.995], "deviate").ticks


def test_percentages_stay_within_0_and_100():
    made = axis([0.97, 0.998], "linear")
    assert made.ticks[-1] == pytest.approx(1)
    assert made.high < 1.002
    assert axis([0.02, 0.5], "linear").ticks[0] == 0


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_linear_ticks_are_round_and_few(low, span):
    ticks = linear_ticks(low, low + span)
    assert 1 <= len(ticks) <= 7
    steps = np.diff(ticks)
    if len(steps):
        mantissa = steps[0] / 10 ** np.floor(np.log10(steps[0] * (1 + 1e-9)))
        assert min(abs(mantissa - k) for k in (1, 2, 5)) < 1e-3
        np.testing.assert_allclose(steps, steps[0], rtol=1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-1.25, "−1.25"), (20.0, "20"), (12345.0, "12,345"), (1e-5, "10⁻⁵"), (2.5e7, "2.5·10⁷")],
)
def test_numbers_are_brief(value, text):
    assert number(value) == text


def test_shares_are_percentages():
    assert [share(value).replace("\N{NO-BREAK SPACE}", " ") for value in (0.1 + 0.2, 1e-6, 1, 0)] == [
        "30 %",
        "0.0001 %",
        "100 %",
        "0 %",
    ]
