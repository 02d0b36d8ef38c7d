import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.measures.comparisons import Comparisons
from mien.evaluate.measures.discard import error_versus_discard
from mien.evaluate.quality import evaluate_quality


def comparisons(rng, people=60, missing=()):
    """Two photographs of each person; distances of one person lie at 0..1, of two at 1..2."""
    person = np.repeat(np.arange(people, dtype=np.int32), 2)
    a, b = np.triu_indices(2 * people, 1)
    distance = rng.random(len(a)) + (person[a] != person[b])
    distance[np.isin(a, missing) | np.isin(b, missing)] = np.inf
    return Comparisons(distance, a, b, person)


def test_a_comparison_has_the_quality_of_its_worse_photograph(rng):
    compared = comparisons(rng)
    # Some of one person's comparisons fail: those of the first ten people.
    compared.distance[compared.genuine & (compared.person[compared.a] < 10)] += 1.5
    quality = rng.random(120)
    found = evaluate_quality(compared, quality, metric="cosine", fmr=0.01).measures
    genuine, impostor = compared.distance[compared.genuine], compared.distance[~compared.genuine]
    assert (impostor <= found.threshold).sum() == int(0.01 * len(impostor))
    worse = np.array([min(quality[2 * i], quality[2 * i + 1]) for i in range(60)])
    expected = error_versus_discard(worse, genuine, found.threshold)
    assert (found.area, found.relative_area) == (expected.area, expected.relative_area)
    assert found.fnmr.value == np.mean(genuine > found.threshold)
    assert found.fnmr_at_discard["0"] == found.fnmr.value
    assert found.fnmr_at_discard["0.1"] == pytest.approx(
        np.mean(genuine[np.argsort(worse)[6:]] > found.threshold)
    )
    assert "Only 10 comparisons of one person fail" in found.note


def test_quality_that_knows_is_better_than_quality_that_does_not(rng):
    compared = comparisons(rng)
    bad = compared.genuine & (compared.person[compared.a] < 6)
    compared.distance[bad] += 1.5
    knows = np.where(np.arange(120) < 12, 0.1, 0.9)
    evaluation = evaluate_quality(compared, knows, metric="cosine", fmr=0.01)
    assert evaluation.measures.relative_area == pytest.approx(0, abs=1e-9)
    assert evaluation.measures.fnmr_at_discard["0.2"] == 0
    wrong = evaluate_quality(compared, 1 - knows, metric="cosine", fmr=0.01)
    assert wrong.measures.relative_area > 1
    assert evaluation.charts[0].lines[0].label == "quality"


def test_comparisons_without_a_face_are_left_out_and_counted(rng):
    compared = comparisons(rng, missing=(0, 3))
    quality = np.where(np.isin(np.arange(120), (0, 3)), np.nan, 0.5)
    found = evaluate_quality(compared, quality, metric="cosine", fmr=0.01).measures
    assert (found.not_made, found.fnmr.of) == (2, 58)


def test_too_few_comparisons_of_two_people_give_no_rate(rng):
    found = evaluate_quality(comparisons(rng, people=8), np.ones(16), metric="cosine", fmr=1e-3).measures
    assert found.fmr.value is None
    assert "30,000 needed" in found.fmr.note


def test_where_nothing_fails_there_is_no_relative_area(rng):
    evaluation = evaluate_quality(comparisons(rng), rng.random(120), metric="cosine", fmr=0.5)
    assert evaluation.measures.relative_area is None
    assert "–" in evaluation.headline
    assert len(evaluation.charts[1].lines) == 1


@pytest.mark.parametrize("fmr", [0, 1, -1, 2, np.nan])
def test_rates_that_are_none_are_refused(rng, fmr):
    with pytest.raises(BadRequest, match="false-match rate"):
        evaluate_quality(comparisons(rng), np.ones(120), metric="cosine", fmr=fmr)


def test_what_cannot_be_judged_is_refused(rng):
    with pytest.raises(BadRequest, match="one person"):
        evaluate_quality(comparisons(rng, 4, missing=range(0, 8, 2)), np.ones(8), metric="cosine")
    quality = np.ones(120)
    quality[5] = np.nan
    with pytest.raises(BadRequest, match="not a number"):
        evaluate_quality(comparisons(rng), quality, metric="cosine", fmr=0.01)
