import itertools

import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.measures import comparisons
from mien.evaluate.measures.comparisons import Comparisons, everybody, listed, seen
from mien.ops.vectors import DISTANCES


@pytest.fixture
def vectors(rng):
    found = rng.normal(size=(30, 8)).astype(np.float32)
    found[[4, 11]] = np.nan
    return found


@pytest.fixture
def person(rng):
    return rng.integers(0, 6, 30)


def distance(vectors, metric, a, b):
    if np.isnan(vectors[[a, b]]).any():
        return np.inf
    return DISTANCES[metric](vectors[[a]], vectors[[b]])[0, 0]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("block", [7, 2048])
def test_everybody_is_compared_with_everybody(vectors, person, metric, block, monkeypatch):
    monkeypatch.setattr(comparisons, "_BLOCK", block)
    found = everybody(vectors, person, metric)
    assert list(zip(found.a, found.b, strict=True)) == list(itertools.combinations(range(30), 2))
    expected = [distance(vectors, metric, a, b) for a, b in itertools.combinations(range(30), 2)]
    assert found.distance == pytest.approx(np.array(expected), abs=1e-5)
    assert found.genuine.tolist() == [person[a] == person[b] for a, b in itertools.combinations(range(30), 2)]
    assert (~found.made).sum() == 28 + 28 + 1


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_listed_pairs_are_compared(vectors, person, metric, rng):
    pairs = rng.integers(0, 30, (200, 2))
    found = listed(vectors, person, pairs, metric)
    assert found.distance == pytest.approx(
        np.array([distance(vectors, metric, *pair) for pair in pairs]), abs=1e-5
    )


def test_of_too_many_all_genuine_ones_are_kept(vectors, person):
    whole, part = everybody(vectors, person, "cosine"), everybody(vectors, person, "cosine", most=100)
    pairs = {(a, b): d for a, b, d in zip(whole.a, whole.b, whole.distance, strict=True)}
    assert part.genuine.sum() == whole.genuine.sum()
    assert 60 < (~part.genuine).sum() <= 100
    for a, b, found in zip(part.a, part.b, part.distance, strict=True):
        assert found == pytest.approx(pairs[min(a, b), max(a, b)], abs=1e-6)
    again = everybody(vectors, person, "cosine", most=100)
    assert np.array_equal(again.a, part.a)


@pytest.mark.parametrize("most", [1, 7, 100, 434, 435])
def test_pairs_that_are_spread_are_different_ones(most, monkeypatch):
    monkeypatch.setattr(comparisons, "_BLOCK", 1)
    pairs = comparisons._every_so_manieth(30, most, seed=5)
    assert len({tuple(pair) for pair in pairs.tolist()}) == most
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert (pairs.min(), pairs.max()) >= (0, 1)
    assert pairs.max() < 30
    if most == 435:
        assert [tuple(pair) for pair in pairs.tolist()] == list(itertools.combinations(range(30), 2))


def test_rows_without_a_face_are_known(vectors):
    assert np.flatnonzero(~seen(vectors)).tolist() == [4, 11]


def test_a_vector_of_zeros_is_like_nothing():
    found = listed(
        np.array([[0.0, 0], [1, 0], [1, 0]]), np.array([0, 1, 1]), np.array([[0, 1], [1, 2]]), "cosine"
    )
    assert found.distance == pytest.approx([1, 0])


@pytest.mark.parametrize(
    ("distances", "a", "b", "person"),
    [
        ([0.1], [0], [1, 2], [0, 0, 1]),
        ([0.1, np.nan], [0, 0], [1, 2], [0, 0, 1]),
        ([0.1], [0], [1], [0, 0]),
        ([0.1], [0], [1], [0, 1]),
    ],
)
def test_what_cannot_give_rates_is_refused(distances, a, b, person):
    with pytest.raises(BadRequest):
        Comparisons(np.array(distances), np.array(a), np.array(b), np.array(person))
