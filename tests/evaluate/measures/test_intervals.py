import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mien.errors import BadRequest
from mien.evaluate.measures.intervals import (
    Draws,
    clustered_rate,
    exact_interval,
    exact_rate,
    interval_of,
    replicated_share,
    supported,
    widened,
)


@given(st.integers(0, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_exact_interval_is_scipys(case):
    errors, of = case
    if of == 0:
        assert exact_interval(0, 0) == (0.0, 1.0)
        return
    oracle = binomtest(errors, of).proportion_ci(0.95, method="exact")
    assert exact_interval(errors, of) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


@pytest.mark.parametrize(("errors", "of"), [(-1, 3), (4, 3), (1, 0)])
def test_what_is_no_share_is_refused(errors, of):
    with pytest.raises(BadRequest):
        exact_interval(errors, of)


def test_a_share_of_nothing_has_no_value():
    assert exact_rate(0, 0).value is None
    assert exact_rate(0, 0).note
    assert exact_rate(1, 4).value == 0.25


@pytest.mark.parametrize(
    ("rate", "of", "enough"),
    [(1e-3, 30_000, True), (1e-3, 29_999, False), (0.1, 300, True), (0.1, 299, False)],
)
def test_thirty_errors_must_be_expected(rate, of, enough):
    assert supported(rate, of) is enough


def test_draws_are_people_with_replacement():
    draws = Draws(40, replicates=200, seed=3)
    assert draws.times.shape == (200, 40)
    assert (draws.times.sum(1) == 40).all()
    assert np.array_equal(draws.times, Draws(40, replicates=200, seed=3).times)
    assert not np.array_equal(draws.times, Draws(40, replicates=200, seed=4).times)
    # As many are left out as a draw with replacement leaves out: (1 - 1/40)^40.
    assert (draws.times == 0).mean() == pytest.approx((1 - 1 / 40) ** 40, abs=0.01)


def by_hand(draws, a, b, wrong):
    shares = []
    for times in draws.times:
        weight = [times[i] if i == j else times[i] * times[j] for i, j in zip(a, b, strict=True)]
        total = sum(weight)
        hit = sum(w for w, bad in zip(weight, wrong, strict=True) if bad)
        shares.append(hit / total if total else np.nan)
    return np.array(shares)


@pytest.mark.parametrize("kind", ["one", "two", "both"])
def test_replicates_weigh_comparisons_by_their_people(rng, kind):
    a = rng.integers(0, 12, 150)
    b = a if kind == "one" else rng.integers(0, 12, 150)
    if kind == "two":
        a, b = a[a != b], b[a != b]
    wrong = rng.random(len(a)) < 0.2
    draws = Draws(12, replicates=130)
    assert replicated_share(wrong, a, b, draws) == pytest.approx(by_hand(draws, a, b, wrong), nan_ok=True)


def test_intervals_that_know_of_people_are_wider(rng):
    # Forty people of fifty comparisons each; for some of them every comparison is wrong.
    person = np.repeat(np.arange(40), 50)
    wrong = np.isin(person, [3, 7, 11, 20])
    rate = clustered_rate(wrong, person, person, Draws(40))
    low, high = exact_interval(int(wrong.sum()), len(wrong))
    assert rate.value == 0.1
    assert rate.high - rate.low > 4 * (high - low)
    # What it should be: the spread of the mean of forty people.
    of_people = rng.binomial(40, 0.1, 20_000) / 40
    assert (rate.low, rate.high) == pytest.approx(tuple(np.quantile(of_people, [0.025, 0.975])), abs=0.026)


def test_independent_comparisons_get_the_usual_interval(rng):
    wrong = rng.random(4000) < 0.1
    alone = np.arange(4000)
    rate = clustered_rate(wrong, alone, alone, Draws(4000))
    assert (rate.low, rate.high) == pytest.approx(exact_interval(int(wrong.sum()), 4000), abs=0.003)


def test_no_error_is_not_certainty():
    alone = np.arange(100)
    rate = clustered_rate(np.zeros(100, bool), alone, alone, Draws(100))
    assert (rate.value, rate.low) == (0, 0)
    assert rate.high == pytest.approx(exact_interval(0, 100)[1])
    assert widened((0.0, 0.0), 500, 1000) == (0.0, 0.0)


def test_replicates_without_a_value_are_left_out():
    assert interval_of(np.array([np.nan] * 5)) == (0.0, 1.0)
    assert interval_of(np.array([np.nan, 2.0, 2.0])) == (2.0, 2.0)
