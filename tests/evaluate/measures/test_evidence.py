import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import log_loss

from mien.errors import BadRequest
from mien.evaluate.measures.evidence import METHODS, cllr, fit_evidence, reliability


@pytest.fixture
def normals(rng):
    """Two normals of one width, whose log likelihood ratio is a straight line."""
    same = np.arange(60_000) < 6_000
    return np.where(same, rng.normal(0.4, 0.1, 60_000), rng.normal(0.9, 0.1, 60_000)), same


def truth(distance):
    return (norm.logpdf(distance, 0.4, 0.1) - norm.logpdf(distance, 0.9, 0.1)) / np.log(10)


@pytest.mark.parametrize(("method", "off"), [("logistic", 0.12), ("isotonic", 0.5)])
def test_the_ratio_is_that_of_the_densities(normals, method, off):
    distance, same = normals
    wanted = np.linspace(0.58, 0.7, 21)
    found = fit_evidence(method, distance, same, np.ones(len(same)), wanted)
    assert found.log10_ratio == pytest.approx(truth(wanted), abs=off)
    assert (np.diff(found.log10_ratio) <= 0).all()
    assert found.at(np.array([0.0, 5.0])).tolist() == [found.log10_ratio[0], found.log10_ratio[-1]]


@pytest.mark.parametrize("method", METHODS)
def test_weights_stand_for_comparisons(rng, method):
    distance, same = rng.random(300), rng.random(300) < 0.4
    distance[same] *= 0.7
    weight = rng.integers(1, 4, 300).astype(float)
    wanted = np.linspace(0.1, 0.9, 9)
    repeated = np.repeat(np.arange(300), weight.astype(int))
    one = fit_evidence(method, distance, same, weight, wanted)
    other = fit_evidence(method, distance[repeated], same[repeated], np.ones(len(repeated)), wanted)
    assert one.log10_ratio == pytest.approx(other.log10_ratio, abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_rates_of_the_two_kinds_do_not_matter(normals, method):
    distance, same = normals
    few = ~same | (np.arange(len(same)) < 600)
    wanted = np.linspace(0.6, 0.7, 5)
    whole = fit_evidence(method, distance, same, np.ones(len(same)), wanted)
    part = fit_evidence(method, distance[few], same[few], np.ones(few.sum()), wanted)
    assert part.log10_ratio == pytest.approx(whole.log10_ratio, abs=0.7)


@pytest.mark.parametrize("same", [[True, True], [False, False]])
def test_one_kind_alone_is_no_evidence(same):
    with pytest.raises(BadRequest):
        fit_evidence("logistic", np.array([0.1, 0.2]), np.array(same), np.ones(2), np.array([0.1, 0.2]))


def test_the_cost_is_the_log_loss_in_bits(rng):
    same, ratio = rng.random(500) < 0.3, rng.normal(size=500)
    probability = 1 / (1 + 10.0**-ratio)
    weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    oracle = log_loss(same, probability, sample_weight=weight) / np.log(2)
    assert cllr(ratio, same, np.ones(500)) == pytest.approx(oracle)
    assert cllr(np.zeros(500), same, np.ones(500)) == pytest.approx(1)
    assert cllr(np.where(same, 20.0, -20.0), same, np.ones(500)) == pytest.approx(0, abs=1e-9)
    assert cllr(np.where(same, -3.0, 3.0), same, np.ones(500)) > 5


def test_reliability_is_the_share_in_each_bin(rng):
    probability = rng.random(20_000)
    same = rng.random(20_000) < probability
    ratio = np.log10(probability / (1 - probability))
    found = reliability(ratio, same, np.ones(20_000), bins=5)
    weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    for i in range(5):
        inside = (probability >= i / 5) & (probability < (i + 1) / 5)
        assert found.said[i] == pytest.approx(np.average(probability[inside], weights=weight[inside]))
        assert found.came[i] == pytest.approx(np.average(same[inside], weights=weight[inside]))
        assert found.of[i] == inside.sum()
    # As many of each kind: what is said comes true.
    assert found.error < 0.02
    assert reliability(-ratio, same, np.ones(20_000)).error > 0.3


def test_certainty_lies_in_the_last_bin():
    found = reliability(np.array([40.0, -40.0]), np.array([True, False]), np.ones(2))
    assert found.said.tolist() == pytest.approx([0, 1])
    assert found.came.tolist() == [0, 1]
