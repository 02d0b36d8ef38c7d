import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mien.gallery.clustering import units
from mien.gallery.clustering.units import near, singles
from mien.ops.vectors import DISTANCES

NOBODY = np.zeros(12, bool)


def squares(vectors, metric):
    """Table of squared distances as the metric means them: cosine distances are half squared ones."""
    return cdist(vectors, vectors, "cosine" if metric == "cosine" else "sqeuclidean")


@pytest.mark.parametrize(("metric", "limit"), [("cosine", 0.4), ("euclidean", 0.4**0.5)])
def test_units_are_as_far_apart_as_their_faces_on_average(rng, metric, limit):
    vectors = rng.normal(3, 1, (12, 5)).astype(np.float32)
    table = squares(vectors, metric) / 0.4
    unit = np.array([0, 1, 2, 2, 0, 3, 3, 3, 1, 0, 3, 4])
    joined = singles(vectors, metric, limit, NOBODY).joined(unit)
    a, b = np.triu_indices(5, 1)
    wanted = [table[np.ix_(unit == i, unit == j)].mean() for i, j in zip(a, b, strict=True)]
    assert joined.distance(a, b) == pytest.approx(wanted, rel=1e-4)
    assert joined.weight.tolist() == np.bincount(unit).tolist()


def test_absorbing_is_joining(rng):
    vectors = rng.normal(size=(12, 5)).astype(np.float32)
    decided = rng.random(12) < 0.3
    pairs = np.array([0, 2, 4]), np.array([5, 7, 11])
    absorbed = singles(vectors, "cosine", 0.5, decided)
    absorbed.absorb(*pairs)
    to = np.arange(12)
    to[pairs[1]] = pairs[0]
    joined = singles(vectors, "cosine", 0.5, decided).joined(np.unique(to, return_inverse=True)[1])
    left = np.unique(to)
    assert absorbed.mean[left] == pytest.approx(joined.mean, abs=1e-6)
    assert absorbed.square[left] == pytest.approx(joined.square)
    assert (absorbed.weight[left] == joined.weight).all()
    assert (absorbed.decided[left] == joined.decided).all()


def test_a_copy_is_ones_own(rng):
    mine = singles(rng.normal(size=(12, 5)), "cosine", 0.5, NOBODY)
    copy = mine.copied()
    before = mine.mean.copy(), mine.square.copy(), mine.weight.copy(), mine.decided.copy()
    copy.absorb(np.array([0]), np.array([1]))
    after = mine.mean, mine.square, mine.weight, mine.decided
    assert all((old == new).all() for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("cells", [1, 700, 1 << 24])
def test_near_pairs_are_those_of_the_table(rng, monkeypatch, metric, cells):
    monkeypatch.setattr(units, "_CELLS", cells)
    vectors = rng.normal(100, 1, (60, 4)) if metric == "euclidean" else rng.normal(size=(60, 4))
    distance = 1.5 if metric == "euclidean" else 0.5
    first, second, cut = near(singles(vectors, metric, distance, np.zeros(60, bool)), 60)
    table = np.triu(DISTANCES[metric](vectors, vectors) <= distance, 1)
    assert not cut
    assert set(zip(first, second, strict=True)) == set(zip(*np.nonzero(table), strict=True))
    assert 0 < len(first) < 60 * 59 / 2


def test_of_too_many_pairs_the_nearest_are_kept(rng):
    vectors = rng.normal(size=(50, 3))
    first, second, cut = near(singles(vectors, "euclidean", 100.0, np.zeros(50, bool)), 4)
    table = cdist(vectors, vectors)
    assert cut
    for i in range(50):
        wanted = i + 1 + np.argsort(table[i, i + 1 :])[:4]
        assert sorted(second[first == i]) == sorted(wanted)


def test_squared_lengths_do_not_drown_distances(rng):
    vectors = (1000 + rng.normal(size=(12, 8))).astype(np.float32)
    a, b = np.triu_indices(12, 1)
    found = singles(vectors, "euclidean", 1.0, NOBODY).distance(a, b)
    assert found == pytest.approx(squares(vectors.astype(np.float64), "euclidean")[a, b], rel=1e-3)
