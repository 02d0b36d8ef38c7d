import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from mien.errors import BadRequest
from mien.evaluate.measures.attacks import equal_error, error_trade_off, measure_attacks

SCORES = st.lists(st.integers(0, 6).map(lambda i: i / 6), min_size=1, max_size=12)  # many ties


def shares(live, attacks, threshold):
    """By the definition: APCER of each kind and BPCER."""
    apcer = {
        kind: sum(1 for score in scores if score >= threshold) / len(scores)
        for kind, scores in attacks.items()
    }
    return apcer, sum(1 for score in live if score < threshold) / len(live)


@given(live=SCORES, print_=SCORES, screen=SCORES, threshold=st.integers(0, 7).map(lambda i: i / 6))
def test_rates_at_the_threshold_are_those_of_the_definition(live, print_, screen, threshold):
    attacks = {"print": np.array(print_), "screen": np.array(screen)}
    found = measure_attacks(np.array(live), attacks, threshold)
    apcer, bpcer = shares(live, attacks, threshold)
    assert {kind: rate.value for kind, rate in found.apcer.items()} == apcer
    assert found.bpcer.value == bpcer
    assert found.apcer_max == max(apcer.values()) == apcer[found.worst_kind]
    assert found.acer == (max(apcer.values()) + bpcer) / 2


@given(live=SCORES, print_=SCORES, screen=SCORES)
def test_the_trade_off_has_every_threshold_and_both_ends(live, print_, screen):
    attacks = {"print": np.array(print_), "screen": np.array(screen)}
    apcer, bpcer = error_trade_off(np.array(live), attacks)
    assert (apcer[0], bpcer[0], apcer[-1], bpcer[-1]) == (1, 0, 0, 1)
    everywhere = [*np.unique([*live, *print_, *screen]), 2.0]
    expected = [shares(live, attacks, threshold) for threshold in everywhere]
    np.testing.assert_allclose(apcer, [max(by_kind.values()) for by_kind, _ in expected])
    np.testing.assert_allclose(bpcer, [share for _, share in expected], atol=1e-12)
    error = equal_error(np.array(live), attacks)
    near = np.abs(apcer - bpcer).argmin()
    assert min(apcer[near], bpcer[near]) - 1e-9 <= error <= max(apcer[near], bpcer[near]) + 1e-9


def test_equal_error_of_normal_scores_is_the_closed_form():
    ranks = (np.arange(20_000) + 0.5) / 20_000
    live, attack = norm.ppf(ranks, 2.0, 1.0), norm.ppf(ranks, 0.0, 1.0)
    assert equal_error(live, {"print": attack}) == pytest.approx(norm.cdf(-1), abs=1e-3)
    # The worst kind decides, wherever the better one lies.
    worst = {"print": attack, "mask": norm.ppf(ranks, 1.0, 1.0)}
    assert equal_error(live, worst) == pytest.approx(norm.cdf(-0.5), abs=1e-3)


def test_separable_and_inseparable_scores():
    perfect = measure_attacks(np.array([0.9, 0.8]), {"print": np.array([0.1, 0.2])}, 0.5)
    assert (perfect.acer, perfect.d_eer) == (0, 0)
    constant = measure_attacks(np.full(4, 0.5), {"print": np.full(4, 0.5)}, 0.5)
    assert (constant.apcer_max, constant.bpcer.value, constant.d_eer) == (1, 0, 0.5)
    inverted = measure_attacks(np.array([0.1]), {"print": np.array([0.9])}, 0.5)
    assert (inverted.acer, inverted.d_eer) == (1, 1)


@pytest.mark.parametrize("target", [0.05, 0.01])
def test_bpcer_at_an_apcer_keeps_every_kind_at_or_below_it(target, rng):
    live = rng.normal(2, 1, 500)
    attacks = {"print": np.round(rng.normal(0, 1, 3000), 1), "screen": rng.normal(0.5, 1, 3100)}
    found = measure_attacks(live, attacks, 1.0).bpcer_at_apcer[f"{target:g}"]
    candidates = np.unique(np.concatenate([live, *attacks.values()]))
    kept = [t for t in candidates if max((scores >= t).mean() for scores in attacks.values()) <= target]
    assert found.bpcer.value == shares(live, attacks, min(kept))[1]
    assert max(shares(live, attacks, found.threshold)[0].values()) <= target


def test_too_few_attacks_of_one_kind_give_no_value_at_an_apcer(rng):
    attacks = {"print": rng.random(3000), "mask": rng.random(599)}
    found = measure_attacks(rng.random(50), attacks, 0.5).bpcer_at_apcer
    assert found["0.05"].bpcer.value is None
    assert "599 of mask, 600 of each kind needed" in found["0.05"].bpcer.note
    assert found["0.01"].threshold is None
    attacks["mask"] = rng.random(600)
    assert measure_attacks(rng.random(50), attacks, 0.5).bpcer_at_apcer["0.05"].bpcer.value is not None


def test_intervals_are_exact(rng):
    live, attacks = rng.random(37), {"print": rng.random(41)}
    found = measure_attacks(live, attacks, 0.4)
    for rate in (found.bpcer, found.apcer["print"]):
        expected = binomtest(rate.count, rate.of).proportion_ci(0.95, "exact")
        assert (rate.low, rate.high) == pytest.approx((expected.low, expected.high))


def test_presentations_without_an_answer_are_counted_apart():
    found = measure_attacks(
        np.array([0.9]),
        {"print": np.array([0.1]), "mask": np.zeros(0)},
        0.5,
        live_unanswered=3,
        unanswered={"mask": 2},
    )
    assert (found.bpnrr.value, found.bpnrr.of) == (0.75, 4)
    assert (found.apnrr["mask"].value, found.apnrr["print"].value) == (1, 0)
    assert found.apcer["mask"].value is None
    assert found.apcer["mask"].note == "no face was found on any"
    assert found.worst_kind == "print"
    assert set(found.d_eer_by_kind) == {"print"}


@pytest.mark.parametrize(
    ("live", "attacks", "threshold", "said"),
    [
        ([], {"print": [0.1]}, 0.5, "live presentation"),
        ([0.9], {}, 0.5, "of any attack"),
        ([0.9], {"print": []}, 0.5, "of any attack"),
        ([np.nan], {"print": [0.1]}, 0.5, "live faces"),
        ([0.9], {"print": [np.inf]}, 0.5, "scores of print"),
        ([[0.9]], {"print": [0.1]}, 0.5, "one row"),
        ([0.9], {"print": [0.1]}, np.nan, "threshold"),
    ],
)
def test_what_cannot_be_judged_is_refused(live, attacks, threshold, said):
    with pytest.raises(BadRequest, match=said):
        measure_attacks(np.array(live), {k: np.array(v) for k, v in attacks.items()}, threshold)
