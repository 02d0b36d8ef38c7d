import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import relative_risk

from mien.errors import BadRequest
from mien.evaluate.measures.case_groups import ages_by_group, cases_by_group
from mien.evaluate.measures.intervals import NEEDED, exact_interval


def shares(**groups):
    """Errors and cases by group."""
    wrong = np.concatenate([np.arange(of) < errors for errors, of in groups.values()])
    label = [name for name, (_, of) in groups.items() for _ in range(of)]
    return cases_by_group(wrong, np.ones(len(wrong), bool), label, "kind", "bpcer")


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from(["", "a", "b", "c"])), max_size=40))
def test_every_case_is_counted_once(cases):
    wrong, counted = (np.array([case[i] for case in cases], bool) for i in (0, 1))
    label = [case[2] for case in cases]
    found = cases_by_group(wrong, counted, label, "kind", "bpcer")
    assert (found.column, found.measure, found.unlabelled) == ("kind", "bpcer", label.count(""))
    assert [one.group for one in found.groups] == sorted(set(label) - {""})
    for one in found.groups:
        mine = [(bad, answered) for bad, answered, group in cases if group == one.group]
        assert one.cases == len(mine)
        assert one.unanswered == sum(not answered for _, answered in mine)
        assert one.rate.of == sum(answered for _, answered in mine)
        assert one.rate.count == sum(bad and answered for bad, answered in mine)
        if one.rate.of:
            assert one.rate.value == one.rate.count / one.rate.of
            assert (one.rate.low, one.rate.high) == exact_interval(one.rate.count, one.rate.of)
        else:
            assert one.rate.value is None


@pytest.mark.parametrize(
    ("a", "b"), [((60, 1000), (180, 900)), ((300, 700), (30, 2000)), ((500, 500), (3, 500))]
)
def test_the_ratio_is_that_of_katz(a, b):
    ratio = shares(a=a, b=b).ratio
    risk = relative_risk(*a, *b)
    interval = risk.confidence_interval(0.95)
    expected = {("a", "b"): (risk.relative_risk, interval.low, interval.high)}
    expected["b", "a"] = tuple(1 / value for value in (risk.relative_risk, interval.high, interval.low))
    # Where all are wrong, Katz has no variance, and we have that of the share's own interval.
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(expected[ratio.worst, ratio.best], rel=1e-4)
    assert ratio.value > 1


def test_the_interval_of_a_ratio_covers_what_it_should(rng):
    true, n = {"a": 0.08, "b": 0.12}, 800
    covered = []
    for _ in range(400):
        ratio = shares(**{name: (int(rng.binomial(n, share)), n) for name, share in true.items()}).ratio
        covered.append(ratio.low <= true[ratio.worst] / true[ratio.best] <= ratio.high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_worst_and_best_of_several_groups():
    found = shares(c=(100, 400), b=(90, 400), a=(300, 400), d=(3, 4))
    assert [one.group for one in found.groups] == ["a", "b", "c", "d"]
    assert (found.ratio.worst, found.ratio.best) == ("a", "b")  # of d are too few
    same = shares(a=(100, 400), b=(100, 400)).ratio
    assert {same.worst, same.best} == {"a", "b"}
    assert same.value == 1


def test_where_there_is_no_ratio_it_says_why():
    one = shares(a=(100, 400))
    assert one.ratio.value is None
    assert f"not enough cases: {NEEDED} errors" in one.ratio.note
    # 30 errors would be expected in each at the rate of both, then 29.
    assert shares(a=(50, 300), b=(10, 300)).ratio.value is not None
    assert shares(a=(49, 300), b=(10, 300)).ratio.value is None
    perfect = shares(a=(100, 400), b=(0, 400)).ratio
    assert (perfect.value, perfect.note) == (None, "the best group has no error")
    assert (perfect.worst, perfect.best) == ("a", "b")
    assert shares(a=(0, 400), b=(0, 400)).ratio.value is None


def test_a_group_of_nobody_and_labels_of_nobody():
    wrong = np.ones(4, bool)
    found = cases_by_group(wrong, np.array([True, False, False, True]), ["a", "b", "b", ""], "k", "m")
    nobody = found.groups[1]
    assert (nobody.group, nobody.cases, nobody.unanswered, nobody.rate.value) == ("b", 2, 2, None)
    silent = cases_by_group(wrong, wrong, [""] * 4, "k", "m")
    assert (silent.groups, silent.unlabelled, silent.ratio.value) == ([], 4, None)


def beta_binomial(rng, photos, share, alike=0.2):
    """Faces of photographs that are missed together, on some more than on others."""
    odds = (1 - alike) / alike
    of_photo = rng.beta(share * odds, (1 - share) * odds, photos)
    photo = np.repeat(np.arange(photos), 1 + rng.poisson(5, photos))
    return rng.random(len(photo)) < of_photo[photo], photo


def test_cases_of_one_photograph_stand_and_fall_together(rng):
    true = {"a": 0.1, "b": 0.2}
    ratio, rate, naive = [], [], []
    for _ in range(300):
        (a, photo_a), (b, photo_b) = (beta_binomial(rng, 200, share) for share in true.values())
        wrong, label = np.concatenate([a, b]), ["a"] * len(a) + ["b"] * len(b)
        every = np.ones(len(wrong), bool)
        found = cases_by_group(wrong, every, label, "k", "m", photo=np.concatenate([photo_a, 200 + photo_b]))
        ratio.append(found.ratio.low <= 2 <= found.ratio.high)
        rate += [one.rate.low <= true[one.group] <= one.rate.high for one in found.groups]
        alone = cases_by_group(wrong, every, label, "k", "m").ratio
        naive.append(alone.low <= 2 <= alone.high)
    assert 0.915 <= np.mean(ratio) <= 0.985
    assert 0.92 <= np.mean(rate) <= 0.98
    assert np.mean(naive) < 0.9


def test_photographs_of_one_case_each_are_as_if_alone(rng):
    wrong, every = rng.random(3000) < 0.2, np.ones(3000, bool)
    label = ["a" if i < 1000 else "b" for i in range(3000)]
    alone = cases_by_group(wrong, every, label, "k", "m")
    each = cases_by_group(wrong, every, label, "k", "m", photo=np.arange(3000))
    assert each.ratio.low == pytest.approx(alone.ratio.low, rel=1e-3)
    assert each.ratio.high == pytest.approx(alone.ratio.high, rel=1e-3)
    for one, other in zip(each.groups, alone.groups, strict=True):
        assert one.rate.value == other.rate.value
        assert (one.rate.low, one.rate.high) == pytest.approx((other.rate.low, other.rate.high), abs=2e-3)


@pytest.mark.parametrize("missed", [0, 1, 50, 99, 100])
def test_one_photograph_says_little(missed):
    wrong = np.concatenate([np.arange(100) < missed, np.arange(400) < 200])
    photo = np.append(np.zeros(100, int), np.arange(1, 401))
    found = cases_by_group(wrong, np.ones(500, bool), ["a"] * 100 + ["b"] * 400, "k", "m", photo=photo)
    rate, ratio = found.groups[0].rate, found.ratio
    assert rate.value == missed / 100
    ends = {0: exact_interval(0, 1), 100: exact_interval(1, 1)}
    assert (rate.low, rate.high) == ends.get(missed, (0, 1))
    if ratio.value is not None:
        assert math.isfinite(ratio.low)
        assert (ratio.low, ratio.high) == (0, None)


def test_photographs_that_are_alike_by_chance_do_not_give_certainty():
    wrong = np.tile([True, False], 200)
    found = cases_by_group(
        wrong, np.ones(400, bool), ["a"] * 400, "k", "m", photo=np.repeat([0, 1, 2, 3], 100)
    )
    rate = found.groups[0].rate
    exact = exact_interval(200, 400)
    assert (rate.low, rate.high) == pytest.approx(exact, abs=3e-3)


@pytest.mark.parametrize("lengths", [(3, 4, 4, 4), (4, 3, 4, 4), (4, 4, 3, 4), (4, 4, 4, 3)])
def test_lengths_must_fit(lengths):
    wrong, counted, label, photo = lengths
    with pytest.raises(BadRequest, match="do not fit"):
        cases_by_group(
            np.ones(wrong, bool), np.ones(counted, bool), ["a"] * label, "k", "m", photo=np.arange(photo)
        )


def test_ages_by_group(rng):
    label = rng.choice(["old", "young", ""], 1500).tolist()
    error = rng.normal(np.where(np.array(label) == "old", 4, -1), 6)
    counted = rng.random(1500) < 0.9
    error[~counted] = np.nan
    found = ages_by_group(error, counted, label, "era")
    assert (found.column, found.unlabelled) == ("era", label.count(""))
    chosen = {}
    for one, name in zip(found.groups, ("old", "young"), strict=True):
        of_it = np.array(label) == name
        chosen[name] = np.abs(error[of_it & counted])
        assert (one.group, one.cases, one.unanswered) == (
            name, label.count(name), int((of_it & ~counted).sum()),
        )  # fmt: skip
        assert (one.mae.value, one.mae.of) == (pytest.approx(chosen[name].mean()), len(chosen[name]))
        assert one.bias == pytest.approx(error[of_it & counted].mean())
        other = stats.bootstrap((chosen[name],), np.mean, method="percentile", rng=rng).confidence_interval
        assert (one.mae.low, one.mae.high) == pytest.approx(other, abs=0.06)

    def ratio(a, b, axis):
        return a.mean(axis) / b.mean(axis)

    assert (found.ratio.worst, found.ratio.best) == ("old", "young")
    assert found.ratio.value == pytest.approx(chosen["old"].mean() / chosen["young"].mean())
    other = stats.bootstrap(
        (chosen["old"], chosen["young"]), ratio, method="percentile", rng=rng
    ).confidence_interval
    assert (found.ratio.low, found.ratio.high) == pytest.approx(other, abs=0.03)
    assert ages_by_group(error, counted, label, "era") == found


def test_ages_of_few_faces_have_no_interval_and_no_ratio():
    error = np.full(NEEDED * 2 - 1, 2.0)
    label = ["a"] * NEEDED + ["b"] * (NEEDED - 1)
    found = ages_by_group(error, np.ones(len(error), bool), label, "era")
    a, b = found.groups
    assert (a.mae.value, a.mae.low, a.mae.high) == (2, 2, 2)
    assert (b.mae.value, b.mae.low, b.mae.high) == (2, None, None)
    assert found.ratio.value is None
    assert f"{NEEDED} faces" in found.ratio.note
    nobody = ages_by_group(error[:2], np.zeros(2, bool), ["a", ""], "era")
    assert (nobody.groups[0].mae.value, nobody.groups[0].bias, nobody.unlabelled) == (None, None, 1)


def test_ages_that_are_never_off_have_no_ratio():
    error = np.repeat([0.0, 5.0], NEEDED)
    ratio = ages_by_group(error, np.ones(len(error), bool), ["a"] * NEEDED + ["b"] * NEEDED, "era").ratio
    assert (ratio.value, ratio.best, ratio.note) == (None, "a", "the best group has no error")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_error_of_age_is_a_number(bad):
    with pytest.raises(BadRequest, match="finite"):
        ages_by_group(np.array([1.0, bad]), np.array([True, True]), ["a", ""], "era")
    with pytest.raises(BadRequest, match="do not fit"):
        ages_by_group(np.array([1.0]), np.array([True, True]), ["a", "b"], "era")


@pytest.mark.parametrize("people", [2, 5])
def test_people_who_are_all_missed_are_no_certainty(people):
    # Two hundred searches of few people, every one missed; beside them a group of which half is.
    wrong = np.concatenate([np.ones(200, bool), np.arange(400) % 2 > 0])
    person = np.concatenate([np.arange(200) % people, 100 + np.arange(400)])
    label = ["few"] * 200 + ["many"] * 400
    found = cases_by_group(wrong, np.ones(600, bool), label, "c", "r", photo=person)
    low, _ = exact_interval(people, people)
    assert found.groups[0].rate.low == pytest.approx(low)
    assert found.ratio.value == pytest.approx(2)
    # As unsure as the share itself: its lower end over the other share.
    assert found.ratio.low == pytest.approx(low / 0.5, rel=0.1)


@pytest.mark.slow
def test_few_clusters_are_covered_as_often_as_they_should(rng):
    held = 0
    for _ in range(300):
        chance = np.clip(rng.normal([0.2] * 8 + [0.4] * 8, 0.1), 0.02, 0.98)
        wrong = rng.random((16, 40)) < chance[:, None]
        label = ["a"] * 320 + ["b"] * 320
        ratio = cases_by_group(
            wrong.ravel(), np.ones(640, bool), label, "c", "r", photo=np.repeat(np.arange(16), 40)
        ).ratio
        held += ratio.low <= 2.0 <= (ratio.high or np.inf)
    assert held >= 0.93 * 300
