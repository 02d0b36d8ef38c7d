import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.measures.comparisons import everybody
from mien.evaluate.measures.groups import by_group
from mien.evaluate.measures.intervals import NEEDED, Draws

THRESHOLD = 0.35


@pytest.fixture
def people(rng):
    """Two groups; in the second everybody looks alike."""
    person = np.repeat(np.arange(60), 3)
    alike = np.where(np.arange(60) < 30, 1.0, 0.45)
    centres = rng.normal(size=(60, 8)) * alike[:, None]
    centres[30:, 0] += 1.2
    vectors = centres[person] + 0.25 * rng.normal(size=(180, 8))
    return everybody(vectors, person, "cosine"), np.where(person < 30, "a", "b")


def test_groups_are_judged_within_themselves(people):
    compared, label = people
    found = by_group(compared, list(label), THRESHOLD, Draws(60), "kind")
    for group, name in zip(found.groups, "ab", strict=True):
        inside = (label[compared.a] == name) & (label[compared.b] == name)
        genuine = compared.person[compared.a] == compared.person[compared.b]
        assert group.group == name
        assert (group.people, group.photographs) == (30, 90)
        assert group.fmr.value == pytest.approx((compared.distance[inside & ~genuine] <= THRESHOLD).mean())
        assert group.fnmr.value == pytest.approx((compared.distance[inside & genuine] > THRESHOLD).mean())
        assert group.fmr.of == 30 * 29 // 2 * 9
        assert group.fnmr.of == 30 * 3
        assert group.fmr.low <= group.fmr.value <= group.fmr.high


def test_the_ratio_is_of_the_worst_and_the_best(people):
    compared, label = people
    found = by_group(compared, list(label), THRESHOLD, Draws(60), "kind")
    rates = {group.group: group.fmr.value for group in found.groups}
    assert (found.fmr_ratio.worst, found.fmr_ratio.best) == ("b", "a")
    assert found.fmr_ratio.value == pytest.approx(rates["b"] / rates["a"])
    assert 1 < found.fmr_ratio.low < found.fmr_ratio.value < found.fmr_ratio.high


def test_groups_that_do_not_differ_have_a_ratio_of_about_one(people, rng):
    compared, _ = people
    label = np.where(rng.permutation(60) < 30, "x", "y")[compared.person]
    ratio = by_group(compared, list(label), THRESHOLD, Draws(60), "luck").fmr_ratio
    assert ratio.low < 1.35 * 1
    assert ratio.value < 1.6


def test_few_comparisons_give_no_ratio(people):
    compared, label = people
    few = np.where(compared.person < 2, "few", label)
    found = by_group(compared, list(few), THRESHOLD, Draws(60), "kind")
    assert {found.fmr_ratio.worst, found.fmr_ratio.best} == {"a", "b"}
    only = by_group(compared, ["few" if p < 2 else "" for p in compared.person], THRESHOLD, Draws(60), "kind")
    assert only.fmr_ratio.value is None
    assert "not enough" in only.fmr_ratio.note
    assert only.unlabelled == 180 - 6
    assert only.groups[0].fmr.of < NEEDED


def test_a_group_of_one_person_has_no_strangers(people):
    compared, _ = people
    label = ["one" if p == 0 else "rest" for p in compared.person]
    one = by_group(compared, label, THRESHOLD, Draws(60), "kind").groups[0]
    assert one.fmr.value is None
    assert one.fnmr.of == 3


@pytest.mark.parametrize("label", [["a"], [""] * 180])
def test_labels_must_fit(people, label):
    with pytest.raises(BadRequest):
        by_group(people[0], label, THRESHOLD, Draws(60), "kind")
