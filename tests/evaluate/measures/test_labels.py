import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    mean_absolute_error,
    precision_score,
    recall_score,
)

from mien.core.columns import BY_NAME, UNCERTAIN, decide
from mien.errors import BadRequest
from mien.evaluate.measures.labels import confusion, measure_ages, measure_labels

LABELS = BY_NAME["expression"].labels


def test_labels_agree_with_scikit_learn_and_with_what_a_face_says(rng):
    true = rng.integers(0, 7, 300)
    probability = rng.dirichlet(np.ones(7) / 2, 300) + 0.5 * np.eye(7)[true]
    probability /= probability.sum(1, keepdims=True)
    found = measure_labels(true, probability, LABELS, least=0.5, no_face=20)
    said = probability.argmax(1)
    assert found.accuracy.value == accuracy_score(true, said)
    assert found.accuracy_of_all.value == pytest.approx(accuracy_score(true, said) * 300 / 320)
    assert [rate.value for rate in found.recall.values()] == pytest.approx(
        recall_score(true, said, average=None)
    )
    assert [rate.value for rate in found.precision.values()] == pytest.approx(
        precision_score(true, said, average=None)
    )
    answers = np.array([decide(BY_NAME["expression"], row) for row in probability])
    decided = answers != UNCERTAIN
    assert 0 < decided.sum() < 300
    assert found.decided.count == decided.sum()
    assert found.accuracy_of_decided.value == np.mean(answers[decided] == np.array(LABELS)[true[decided]])
    assert (found.no_face.count, found.no_face.of) == (20, 320)
    assert (confusion(true, said, 7, 7) == confusion_matrix(true, said)).all()


def test_nothing_to_judge_gives_no_values():
    found = measure_labels(np.zeros(0, int), np.zeros((0, 7)), LABELS, no_face=2)
    assert found.accuracy.value is None
    assert found.accuracy_of_all.value == 0
    assert found.no_face.value == 1
    ages = measure_ages(np.zeros(0), np.zeros(0), no_face=1)
    assert (ages.mae, ages.bias, ages.within_5_years.value) == (None, None, None)


def test_ages_agree_with_scikit_learn(rng):
    true, said = rng.integers(0, 95, 400), rng.normal(40, 20, 400)
    found = measure_ages(true, said)
    assert found.mae == pytest.approx(mean_absolute_error(true, said))
    assert found.bias == pytest.approx(said.mean() - true.mean())
    assert sum(band.faces for band in found.by_age.values()) == 400
    thirties = (true >= 30) & (true < 40)
    assert found.by_age["30-39"].mae == pytest.approx(mean_absolute_error(true[thirties], said[thirties]))
    assert found.by_age["70+"].faces == (true >= 70).sum()


def test_five_years_off_is_within_five_years():
    found = measure_ages(np.array([30, 30, 30, 30]), np.array([35, 25, 35.01, 30]))
    assert found.within_5_years.value == 0.75
    expected = binomtest(3, 4).proportion_ci(0.95, "exact")
    assert (found.within_5_years.low, found.within_5_years.high) == pytest.approx(
        (expected.low, expected.high)
    )


@pytest.mark.parametrize(
    ("true", "said"), [([1, 2], [1]), ([np.nan], [1]), ([1], [np.inf]), ([-1], [1]), ([[1]], [[1]])]
)
def test_ages_that_are_none_are_refused(true, said):
    with pytest.raises(BadRequest):
        measure_ages(np.array(true), np.array(said))


@pytest.mark.parametrize(
    ("true", "probability"),
    [([0], [[0.5, np.nan]]), ([2], [[0.5, 0.5]]), ([-1], [[0.5, 0.5]]), ([0, 1], [[0.5, 0.5]])],
)
def test_labels_that_do_not_fit_are_refused(true, probability):
    with pytest.raises(BadRequest):
        measure_labels(np.array(true), np.array(probability), ("female", "male"))
