import math

import numpy as np
import pytest

from mien.gallery.clustering.linking import linking_distance


def strangers(rng, count, dimensions=64):
    return rng.normal(size=(count, dimensions)).astype(np.float32)


@pytest.mark.parametrize(("fmr", "assumed"), [(1e-3, 1e-3), (1e-2, 1e-2), (None, 1e-3), (0.0, 1e-3)])
def test_it_shrinks_by_a_share_of_the_way_to_the_median(rng, fmr, assumed):
    vectors = strangers(rng, 1000)
    # Strangers in all directions: the median cosine distance is 1.
    share = 1 - 0.18 * (1 / 0.66 - 1) * math.log10(1000 * assumed / 0.03)
    found = linking_distance(vectors, metric="cosine", distance=0.66, fmr=fmr)
    assert found == pytest.approx(0.66 * share, rel=0.005)


def test_euclidean_and_cosine_distances_of_unit_vectors_agree(rng):
    vectors = strangers(rng, 500)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = linking_distance(vectors, metric="cosine", distance=0.5)
    euclidean = linking_distance(vectors, metric="euclidean", distance=1.0)
    assert cosine == pytest.approx(euclidean**2 / 2, rel=1e-5)


def test_more_faces_must_be_nearer(rng):
    vectors = strangers(rng, 3000)
    found = [linking_distance(vectors[:n], metric="cosine", distance=0.6) for n in (20, 100, 1000, 3000)]
    assert found[0] == 0.6
    assert (np.diff(found) < 0).all()


def test_it_is_never_looser_than_the_rule_nor_nothing(rng):
    vectors = strangers(rng, 400)
    assert linking_distance(vectors, metric="cosine", distance=1.2) == 1.2
    assert linking_distance(np.repeat(vectors[:1], 400, 0), metric="cosine", distance=0.6) == pytest.approx(
        0.6
    )
    assert linking_distance(vectors, metric="cosine", distance=0.05, fmr=0.1) == pytest.approx(0.25 * 0.05)
    assert linking_distance(vectors * 9, metric="euclidean", distance=1, fmr=0.1) == pytest.approx(0.5)


@pytest.mark.parametrize("count", [0, 1])
def test_without_a_pair_it_is_the_rule(count):
    assert linking_distance(np.ones((count, 4)), metric="euclidean", distance=0.6) == 0.6
