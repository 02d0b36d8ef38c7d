import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mien.ops.vectors import DISTANCES, cosine_distance, cosine_similarity, euclidean_distance, l2_normalise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 1), (7, 3, 128), (20, 30, 512)])
def test_distances_are_scipys(rng, dtype, n, m, d):
    a, b = rng.normal(0, 1, (n, d)).astype(dtype), rng.normal(0.2, 2, (m, d)).astype(dtype)
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    for metric, distance in DISTANCES.items():
        found = distance(a, b)
        assert found.shape == (n, m)
        np.testing.assert_allclose(found, cdist(a, b, metric), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(cosine_similarity(a, b), 1 - cdist(a, b, "cosine"), atol=tolerance)


def test_the_table_has_both_metrics():
    assert {"cosine": cosine_distance, "euclidean": euclidean_distance} == DISTANCES


def test_near_duplicates_in_float32_keep_their_digits(rng):
    a = rng.normal(0, 1, (6, 128)).astype(np.float32)
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = a + rng.normal(0, 1e-6, a.shape).astype(np.float32)
    exact = cdist(a.astype(np.float64), b.astype(np.float64))
    assert np.diagonal(exact).max() < 2e-5, "near enough for float32 squares to lose"
    np.testing.assert_allclose(euclidean_distance(a, b), exact, rtol=1e-3)
    np.testing.assert_allclose(euclidean_distance(a, a).diagonal(), 0, atol=1e-7)


def test_zero_vectors_are_like_nothing():
    zero, one = np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)
    assert l2_normalise(zero).tolist() == [[0, 0, 0, 0]]
    assert cosine_similarity(zero, one) == cosine_similarity(zero, zero) == 0
    assert cosine_distance(zero, one) == 1
    assert euclidean_distance(zero, one) == 2


def test_bounds_hold_against_rounding(rng):
    a = rng.normal(0, 1, (300, 128)).astype(np.float32)
    both = np.concatenate([a, -a])
    similarity = cosine_similarity(both, both)
    assert similarity.max() <= 1
    assert similarity.min() >= -1
    np.testing.assert_allclose(np.diagonal(similarity), 1, atol=1e-6)
    np.testing.assert_allclose(np.diagonal(similarity, 300), -1, atol=1e-6)
    assert cosine_distance(both, both).min() >= 0


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)])
def test_normalised_vectors_have_length_one_and_the_same_direction(rng, shape):
    vectors = rng.normal(0, 3, shape).astype(np.float32)
    before = vectors.copy()
    scaled = l2_normalise(vectors)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose((scaled.astype(np.float64) ** 2).sum(-1), 1, rtol=1e-6)
    lengths = np.sqrt((before.astype(np.float64) ** 2).sum(-1))[..., None]
    np.testing.assert_allclose(scaled * lengths, before, rtol=1e-5)
    np.testing.assert_array_equal(vectors, before)


@pytest.mark.parametrize("metric", DISTANCES)
def test_nobody_on_either_side(metric):
    none, some = np.zeros((0, 4), np.float32), np.ones((3, 4), np.float32)
    assert DISTANCES[metric](none, some).shape == (0, 3)
    assert DISTANCES[metric](some, none).shape == (3, 0)
