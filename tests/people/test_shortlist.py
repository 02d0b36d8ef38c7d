import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefiles import calibration
from mien.gallery.rule import DecisionRule
from mien.people.shortlist import (
    FAR_PLACES,
    LARGE_GAP_YEARS,
    NEAR_PLACES,
    decide,
    far_review_distance,
    gap_years,
    shortlist,
)


def ids(*names):
    return np.array(names, "S13")


def brute(distance, owner):
    """Score of each person by loops alone."""
    return {
        who: sum(min(row[face] for face in range(len(owner)) if owner[face] == who) for row in distance)
        / len(distance)
        for who in set(owner.tolist())
    }


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(0, 60))
def test_everybody_is_ranked_by_the_mean_of_the_nearest(seed, probes, faces):
    rng = np.random.default_rng(seed)
    owner = ids(*(f"p{i}" for i in rng.integers(0, 12, faces)))
    # Few values, so that there are ties.
    distance = rng.integers(0, 6, (probes, faces)) / 4
    found = shortlist(distance, owner, [None] * probes, [None] * faces)
    wanted = brute(distance, owner)
    assert [(one.score, one.person) for one in found] == sorted((score, who) for who, score in wanted.items())
    for one, after in itertools.pairwise(found):
        assert one.margin == pytest.approx(after.score - one.score)
    assert [one.margin for one in found[-1:]] == [None] * bool(found)


@given(st.integers(0, 2**32 - 1))
def test_each_probe_has_its_nearest_face_and_each_face_its_place(seed):
    rng = np.random.default_rng(seed)
    owner = ids(*(f"p{i}" for i in rng.integers(0, 4, 15)))
    distance = rng.random((3, 15))
    for one in shortlist(distance, owner, [None] * 3, [None] * 15):
        own = [face for face in range(15) if owner[face] == one.person]
        assert sorted(one.faces.tolist()) == own
        nearest = [min(own, key=lambda face: row[face]) for row in distance]
        assert one.nearest.tolist() == nearest
        best = distance[:, one.faces].min(axis=0)
        assert (np.diff(best) >= 0).all()


def test_a_probe_is_matched_with_the_years_that_it_is_nearest_to():
    distance = np.array([[0.1, 0.9], [0.8, 0.2]])
    (one,) = shortlist(distance, ids("a", "a"), [1990, 2020], [1991, 2018])
    assert one.nearest.tolist() == [0, 1]
    assert one.gap_years == 1
    assert one.score == pytest.approx(0.15)


def test_undated_photographs_have_no_gap():
    assert gap_years(None, 2000) is None
    assert gap_years(2000, None) is None
    assert gap_years(2000, 1990) == gap_years(1990, 2000) == 10
    (one,) = shortlist(np.array([[0.5, 0.6]]), ids("a", "a"), [2000], [None, 2000])
    assert one.gap_years is None
    assert one.far_apart


@pytest.mark.parametrize(
    ("gap", "places"),
    [(0, NEAR_PLACES), (LARGE_GAP_YEARS, NEAR_PLACES), (LARGE_GAP_YEARS + 1, FAR_PLACES), (None, FAR_PLACES)],
)
def test_the_list_is_longer_where_years_lie_between(gap, places):
    owner = ids(*(f"{i:04}" for i in range(80)))
    years = [None if gap is None else 2000 + gap] * 80
    found = shortlist(np.arange(80.0)[None], owner, [2000], years)
    assert len(found) == places
    assert found[-1].margin == 1, "somebody comes after the last"


def test_among_candidates_of_both_kinds_only_the_far_ones_are_listed_further_down():
    owner = ids(*(f"{i:04}" for i in range(60)))
    years = [2000 if i % 2 else None for i in range(60)]
    found = [int(one.person) for one in shortlist(np.arange(60.0)[None], owner, [2000], years)]
    assert found == [*range(NEAR_PLACES), *range(NEAR_PLACES, FAR_PLACES, 2)]


def test_nobody_is_known():
    assert shortlist(np.zeros((2, 0)), ids(), [None, None], []) == ()


def rule(threshold=1.0, review=None, known=None, fmr=None):
    return DecisionRule("s", "euclidean", threshold, fmr, known, review)


def listed(*scores, gap=None):
    owner = ids(*(f"{i:04}" for i in range(len(scores))))
    return shortlist(np.array([scores]), owner, [2000], [None if gap is None else 2000 - gap] * len(scores))


def test_only_the_nearest_within_the_threshold_is_known():
    assert decide(listed(0.2, 0.9, 1.0, 1.1), rule(), 0.0) == ("known", "uncertain", "uncertain", "unknown")
    assert decide(listed(1.5), rule(), 0.0) == ("unknown",)
    assert decide((), rule(), 0.0) == ()


def test_a_rival_within_the_threshold_makes_uncertain():
    assert decide(listed(0.5, 0.55), rule(), 0.1)[0] == "uncertain"
    assert decide(listed(0.5, 0.7), rule(), 0.1)[0] == "known"
    assert decide(listed(0.98, 1.05), rule(), 0.1)[0] == "known", "a rival beyond the threshold is none"


def test_the_band_of_the_uncertain_is_wider_where_years_lie_between():
    known = calibration([1.0, 1.5, 2.0], [1e-3, 1e-2, 1e-1], 1.0)
    measured = rule(1.0, 1.2, known, 1e-3)
    assert far_review_distance(measured) == pytest.approx(1.5)
    assert decide(listed(1.1, 1.4, 1.6, gap=2), measured, 0.0) == ("uncertain", "unknown", "unknown")
    assert decide(listed(1.1, 1.4, 1.6, gap=20), measured, 0.0) == ("uncertain", "uncertain", "unknown")
    assert decide(listed(1.1, 1.4, 1.6), measured, 0.0) == ("uncertain", "uncertain", "unknown")


def test_a_band_that_was_asked_for_is_never_made_narrower():
    known = calibration([1.0, 1.5, 2.0], [1e-3, 1e-2, 1e-1], 1.0)
    assert far_review_distance(rule(1.0, 1.8, known, 1e-3)) == 1.8
    assert far_review_distance(rule(1.0, None, known, 1e-1)) == 2.0
    assert far_review_distance(rule(1.0, None, known, 5e-2)) == 2.0, "no rate beyond those that were measured"


def test_without_a_calibration_nothing_is_invented():
    assert far_review_distance(rule()) is None
    assert far_review_distance(rule(review=1.3)) == 1.3
    assert decide(listed(1.01), rule(), 0.0) == ("unknown",)
