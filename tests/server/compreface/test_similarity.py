import math
from types import SimpleNamespace

import numpy as np
import pytest

from mien.gallery.rule import DecisionRule
from mien.server.compreface.similarity import alike, ranked, similarity

COSINE = DecisionRule("x:0", "cosine", 0.7, None)
EUCLIDEAN = DecisionRule("x:0", "euclidean", 0.6, 1e-3)


@pytest.mark.parametrize("rule", [COSINE, EUCLIDEAN])
def test_the_threshold_is_one_half_and_nearer_is_more(rule):
    away = np.linspace(0, 2, 201)
    found = similarity(away, rule)
    assert similarity(np.array(rule.distance), rule) == 0.5
    assert (np.diff(found) <= 0).all()
    assert found[0] == pytest.approx(1, abs=1e-5)
    assert 0 <= found[-1] < 0.05
    # Whoever asks for more than one half accepts nobody whom Mien would not accept.
    assert (away[found > 0.5] < rule.distance).all()


def test_it_is_the_formula_of_compreface_on_the_straight_line_between_embeddings(rng):
    one, two = rng.normal(0, 1, (2, 64))
    one, two = one / np.linalg.norm(one), two / np.linalg.norm(two)
    straight, threshold = float(np.linalg.norm(one - two)), math.sqrt(2 * 0.7)
    # (tanh((c0 - d) c1) + 1) / 2, with c0 the threshold and c0 * c1 = 7.
    expected = (math.tanh((threshold - straight) * 7 / threshold) + 1) / 2
    assert similarity(np.array(1 - float(one @ two)), COSINE) == pytest.approx(expected, abs=6e-6)
    assert similarity(np.array(0.45), EUCLIDEAN) == pytest.approx((math.tanh(7 * 0.25) + 1) / 2, abs=6e-6)


def test_distances_may_leave_their_range_by_rounding():
    assert similarity(np.array(-1e-7), COSINE) == similarity(np.array(0.0), COSINE)


def test_any_shape_stays():
    assert similarity(np.zeros((2, 3)), EUCLIDEAN).shape == (2, 3)
    assert similarity(np.zeros(0), EUCLIDEAN).shape == (0,)


def test_embeddings_come_back_with_the_most_similar_first():
    found = ranked([[1.0], [2.0], [3.0]], np.array([0.5, 0.1, 0.9]), EUCLIDEAN).result
    assert [row.embedding for row in found] == [[2.0], [1.0], [3.0]]
    assert found[0].similarity > found[1].similarity > 0.5 > found[2].similarity


def test_nobody_is_like_a_face_that_nobody_is_near():
    assert alike([], COSINE) == []
    (row,) = alike([SimpleNamespace(person="Ada", distance=0.7)], COSINE)
    assert (row.subject, row.similarity) == ("Ada", 0.5)
