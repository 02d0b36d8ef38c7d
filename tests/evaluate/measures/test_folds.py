import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.evaluate.measures.folds import best_threshold, folds_of_people, ten_folds

INF = float("inf")


def slow(distance, same, fold):
    """Every observed distance as a threshold, one after the other."""
    accuracies, thresholds = [], []
    for held in sorted(set(fold)):
        train = [(d, s) for d, s, f in zip(distance, same, fold, strict=True) if f != held]
        test = [(d, s) for d, s, f in zip(distance, same, fold, strict=True) if f == held]
        candidates = sorted({d for d, _ in train if d != INF})
        right = [sum((d <= t) == s for d, s in train) for t in candidates]
        threshold = candidates[right.index(max(right))]
        thresholds.append(threshold)
        accuracies.append(sum((d <= threshold) == s for d, s in test) / len(test))
    return accuracies, thresholds


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, INF]), st.booleans(), st.integers(0, 3)),
        min_size=4,
        max_size=60,
    ).filter(
        lambda rows: (
            all(any(f != held and d != INF for d, _, f in rows) for held in {r[2] for r in rows})
            and len({r[2] for r in rows}) > 1
        )
    )
)
def test_folds_are_as_a_slow_loop_has_them(rows):
    distance, same, fold = (list(column) for column in zip(*rows, strict=True))
    found = ten_folds(np.array(distance), np.array(same), np.array(fold))
    expected = slow(distance, same, fold)
    assert found[0] == pytest.approx(expected[0])
    assert found[1] == pytest.approx(expected[1])


def test_a_pair_that_could_not_be_compared_counts_as_two_people():
    distance = np.array([0.1, INF, 0.9, INF] * 2)
    same = np.array([True, True, False, False] * 2)
    accuracies, thresholds = ten_folds(distance, same, np.array([0] * 4 + [1] * 4))
    assert accuracies.tolist() == [0.75, 0.75]
    assert thresholds.tolist() == [0.1, 0.1]


@pytest.mark.parametrize(
    ("distance", "same", "fold"),
    [
        ([0.1, float("nan")], [True, False], [0, 1]),
        ([0.1, 0.2], [True], [0, 1]),
        ([0.1, 0.2], [True, False], [0, 0]),
    ],
)
def test_what_cannot_be_judged_is_refused(distance, same, fold):
    with pytest.raises(BadRequest):
        ten_folds(np.array(distance), np.array(same), np.array(fold))


def test_a_fold_whose_others_show_no_face_takes_nothing_for_one_person():
    accuracies, thresholds = ten_folds(
        np.array([0.1, 0.9, INF]), np.array([True, False, True]), np.array([0, 0, 1])
    )
    assert thresholds.tolist() == [-INF, 0.1]
    assert accuracies.tolist() == [0.5, 0.0]


def test_the_smallest_of_equally_good_thresholds_is_taken():
    assert best_threshold(np.array([0.1, 0.2, 0.3]), np.array([True, False, True])) == pytest.approx(0.1)


def test_people_are_dealt_out_to_folds():
    person = np.array([7, 7, 3, 9, 3, 12])
    assert folds_of_people(person, 3).tolist() == [1, 1, 0, 2, 0, 0]
