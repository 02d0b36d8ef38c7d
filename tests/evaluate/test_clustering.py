import pytest

from mien.errors import BadRequest
from mien.evaluate.clustering import evaluate_clustering

PERSON = {("a.jpg", "0"): "Ada", ("a.jpg", "1"): "Grace", ("b.jpg", ""): "Ada", ("c.jpg", ""): "Ada"}


def test_faces_in_no_group_are_groups_of_one():
    found = evaluate_clustering(PERSON, {("a.jpg", "0"): "1", ("b.jpg", ""): "1"}).measures
    assert (found.faces, found.people, found.clusters, found.not_grouped) == (4, 2, 3, 2)
    assert found.pairwise_precision == 1
    assert found.pairwise_recall == pytest.approx(1 / 3)
    # Of Ada's three faces two are together and one is alone.
    assert found.bcubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)


def test_a_group_may_be_called_like_a_number_that_stands_for_a_missing_face():
    named = evaluate_clustering(PERSON, {("b.jpg", ""): "0", ("c.jpg", ""): "1"}).measures
    assert named.clusters == 4


def test_nothing_grouped_has_no_pairwise_precision():
    evaluation = evaluate_clustering(PERSON, {})
    assert evaluation.measures.pairwise_precision is None
    assert evaluation.measures.pairwise_f == 0
    assert evaluation.measures.bcubed_precision == 1
    assert "pairwise precision" not in evaluation.charts[0].bars
    assert evaluation.tables[0].rows[0][1] == "–"


def test_faces_of_nobody_are_refused_by_name():
    found = {("b.jpg", ""): "1", ("x.jpg", "3"): "1"}
    with pytest.raises(BadRequest, match=r"1 of 2 faces in groups .*: x\.jpg face 3"):
        evaluate_clustering(PERSON, found)
    with pytest.raises(BadRequest):
        evaluate_clustering({}, {})
