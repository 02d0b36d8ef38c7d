import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import pair_confusion_matrix

from mien.errors import BadRequest
from mien.evaluate.measures.clusters import measure_clusters

GROUPINGS = st.integers(1, 25).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(-2, 4), min_size=n, max_size=n) for _ in range(2)))
)


def ratio(part, whole):
    return pytest.approx(part / whole) if whole else None


@given(GROUPINGS)
def test_pairs_agree_with_scikit_learn(grouping):
    person, cluster = (np.array(labels) for labels in grouping)
    found = measure_clusters(person, cluster)
    (_, wrong), (missed, right) = pair_confusion_matrix(person, cluster)
    assert found.pairwise_precision == ratio(right, right + wrong)
    assert found.pairwise_recall == ratio(right, right + missed)
    assert found.pairwise_f == ratio(2 * right, 2 * right + wrong + missed)
    assert found.adjusted_rand == pytest.approx(adjusted_rand_score(person, cluster))
    assert (found.people, found.clusters) == (len(set(person)), len(set(cluster)))


@given(GROUPINGS)
def test_bcubed_is_that_of_the_definition(grouping):
    person, cluster = grouping
    n = range(len(person))
    both = [sum(person[i] == person[j] and cluster[i] == cluster[j] for j in n) for i in n]
    precision = sum(both[i] / cluster.count(cluster[i]) for i in n) / len(n)
    recall = sum(both[i] / person.count(person[i]) for i in n) / len(n)
    found = measure_clusters(np.array(person), np.array(cluster))
    assert found.bcubed_precision == pytest.approx(precision)
    assert found.bcubed_recall == pytest.approx(recall)
    assert found.bcubed_f == pytest.approx(2 * precision * recall / (precision + recall))


def test_names_and_numbers_say_the_same():
    names = np.array(["Ada", "Ada", "Grace"])
    numbers = np.array([7, 7, 3], np.uint8)
    assert measure_clusters(names, numbers) == measure_clusters(numbers, names)


def test_a_million_faces_of_many_people_fit_into_memory(rng):
    person = rng.integers(0, 200_000, 10**6)
    found = measure_clusters(person, person[::-1][::-1] + 5)
    assert found.pairwise_f == found.bcubed_f == found.adjusted_rand == 1
    one = measure_clusters(person, np.zeros(10**6, int))
    sizes = np.bincount(person).astype(float)
    assert one.bcubed_precision == pytest.approx((sizes**2).sum() / 1e12)
    assert one.pairwise_recall == 1


@pytest.mark.parametrize(
    ("person", "cluster"),
    [([], []), ([1, 2], [1]), ([1.5], [1]), ([np.nan], [1]), ([[1]], [[1]]), ([None], [1])],
)
def test_what_is_no_grouping_is_refused(person, cluster):
    with pytest.raises(BadRequest):
        measure_clusters(np.array(person), np.array(cluster))
