import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.evaluate.measures.discard import error_versus_discard

THRESHOLD = 0.5


def drawn(rng, n=50):
    return rng.permutation(n) / n, rng.random(n)


def test_the_curve_is_what_counting_gives(rng):
    quality, distance = drawn(rng)
    found = error_versus_discard(quality, distance, THRESHOLD, most=0.4)
    order = np.argsort(quality)
    counted = [np.mean(distance[order[k:]] > THRESHOLD) for k in range(21)]
    np.testing.assert_allclose(found.fnmr[:21], counted)
    np.testing.assert_allclose(found.share[:21], np.arange(21) / 50)
    assert found.area == pytest.approx(np.trapezoid(counted, np.arange(21) / 50) / 0.4)


def test_quality_that_knows_the_distance_is_ideal(rng):
    distance = rng.random(200)
    found = error_versus_discard(-distance, distance, 0.9)
    np.testing.assert_allclose(found.fnmr, found.ideal, atol=1e-12)
    assert found.relative_area == pytest.approx(0, abs=1e-9)
    assert found.fnmr[-1] == 0


def test_the_reverse_is_worse_than_chance(rng):
    distance = rng.random(200)
    assert error_versus_discard(distance, distance, 0.5).relative_area > 1


def test_random_quality_is_chance_on_average():
    areas = []
    for seed in range(300):
        quality, distance = drawn(np.random.default_rng(seed), 200)
        areas.append(error_versus_discard(quality, distance, THRESHOLD).relative_area)
    assert np.mean(areas) == pytest.approx(1, abs=4 * np.std(areas) / np.sqrt(300))


def test_comparisons_of_equal_quality_go_in_random_order_on_average(rng):
    quality = rng.integers(0, 4, 30) / 4
    distance = rng.random(30)
    found = error_versus_discard(quality, distance, THRESHOLD, most=0.5)
    orders = [np.lexsort((rng.random(30), quality)) for _ in range(4000)]
    counted = [np.mean([np.mean(distance[order[k:]] > THRESHOLD) for order in orders]) for k in range(16)]
    np.testing.assert_allclose(found.fnmr[:16], counted, atol=0.01)
    same = error_versus_discard(np.ones(30), distance, THRESHOLD)
    np.testing.assert_allclose(same.fnmr, same.area_chance)
    assert same.relative_area == pytest.approx(1)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=40),
    st.floats(0.01, 0.95),
    st.randoms(use_true_random=False),
)
def test_it_lies_within_bounds_and_does_not_depend_on_order(rows, most, random):
    found = error_versus_discard(*np.array(rows, float).T, 4.0, most=most)
    assert ((found.fnmr >= found.ideal - 1e-9) & (found.fnmr <= 1 + 1e-9)).all()
    assert (found.share[0], found.share[-1]) == (0, pytest.approx(most))
    random.shuffle(rows)
    np.testing.assert_array_equal(
        error_versus_discard(*np.array(rows, float).T, 4.0, most=most).fnmr, found.fnmr
    )


def test_without_errors_there_is_nothing_to_gain():
    found = error_versus_discard(np.arange(9.0), np.zeros(9), THRESHOLD)
    assert found.relative_area is None
    assert (found.fnmr == 0).all()


@pytest.mark.parametrize(
    ("quality", "distance", "threshold", "most"),
    [
        ([], [], 0.5, 0.2),
        ([1, 2], [1], 0.5, 0.2),
        ([np.nan], [1], 0.5, 0.2),
        ([1], [np.nan], 0.5, 0.2),
        ([1], [1], np.nan, 0.2),
        ([1], [1], 0.5, 0),
        ([1], [1], 0.5, 1),
    ],
)
def test_what_cannot_be_judged_is_refused(quality, distance, threshold, most):
    with pytest.raises(BadRequest):
        error_versus_discard(np.array(quality), np.array(distance), threshold, most=most)
