import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.identification.measuring import evaluate_identification
from mien.evaluate.measures.searches import Searches, search, split
from mien.evaluate.verification.results import Threshold

PERSON = np.repeat(np.arange(400), 3)
THRESHOLD = Threshold(0.45, 1e-3, "manifest")


@pytest.fixture
def vectors(rng):
    found = rng.normal(size=(400, 16)).repeat(3, 0) + 0.6 * rng.normal(size=(1200, 16))
    found[7] = np.nan  # a stranger, as the draw has it
    return found


@pytest.fixture
def searches(vectors):
    return search(vectors, PERSON, split(PERSON, strangers=0.5), "cosine")


@pytest.fixture
def found(searches, vectors):
    return evaluate_identification(
        searches, metric="cosine", space="s", acquired=~np.isnan(vectors).any(1), threshold=THRESHOLD
    )


def test_rates_are_counts(searches, found):
    measures = found.measures
    mated = searches.mate >= 0
    nearest = searches.distance.min(1)
    own = searches.distance[np.flatnonzero(mated), searches.mate[mated]]
    first = own == nearest[mated]
    assert measures.searches.gallery == 200
    assert (measures.searches.mated, measures.searches.strangers) == (400, 599)
    assert measures.searches.strangers_not_made == 1
    unmated = nearest[~mated & np.isfinite(nearest)]
    for at in measures.fnir_at_fpir.values():
        if at.threshold is not None:
            assert (unmated <= at.threshold).mean() <= at.fpir
            assert at.fnir.value == pytest.approx(1 - ((own <= at.threshold) & first).mean())
    assert measures.in_use.fpir.value == pytest.approx((unmated <= 0.45).mean())
    assert measures.in_use.fnir.value == pytest.approx(1 - ((own <= 0.45) & first).mean())
    assert measures.rank["1"].value == measures.cmc[0] == pytest.approx(first.mean())
    assert measures.rank["1"].low <= measures.cmc[0] <= measures.rank["1"].high
    assert (np.diff(measures.cmc) >= 0).all()


def test_rates_that_searches_cannot_support_say_so(found):
    # 599 searches for strangers: sixty errors at a tenth, six at a hundredth.
    rates = {at.fpir: at.fnir.value for at in found.measures.fnir_at_fpir.values()}
    assert rates[0.1] is not None
    assert rates[0.01] is None
    assert "3,000 are needed" in found.measures.fnir_at_fpir["0.01"].fnir.note


def test_strangers_are_met_more_often_in_larger_galleries(found):
    sizes = found.measures.gallery_sizes
    assert [at.people for at in sizes] == [10, 30, 100, 200]
    assert [at.galleries for at in sizes] == [20, 20, 20, 1]
    fpir = [at.fpir for at in sizes]
    assert fpir == sorted(fpir)
    assert fpir[0] < fpir[-1] == pytest.approx(found.measures.in_use.fpir.value)
    assert sizes[-1].rank_1_missed == pytest.approx(1 - found.measures.cmc[0])


def test_without_a_threshold_there_are_no_rates_at_one(searches):
    measures = evaluate_identification(
        searches, metric="cosine", space="s", acquired=np.ones(1200, bool), watch_list=True
    ).measures
    assert measures.mode == "watch list"
    assert measures.in_use is None
    assert {at.fpir for at in measures.gallery_sizes} == {None}


def test_strangers_on_whom_no_face_is_found_do_not_make_it_look_better():
    inf = np.inf
    made = Searches(
        np.array([[0.1, 0.5], [inf, inf], [0.2, 0.9]]), np.array([0, -1, -1]), np.array([0, 1, 2])
    )
    measures = evaluate_identification(
        made, metric="cosine", space="s", acquired=np.array([True, False, True]), threshold=THRESHOLD
    ).measures
    assert (measures.searches.strangers, measures.searches.strangers_not_made) == (1, 1)
    assert measures.in_use.fpir.value == 1


def test_strangers_must_be_seen():
    unseen = Searches(np.array([[0.1], [np.inf]]), np.array([0, -1]), np.arange(2))
    with pytest.raises(BadRequest):
        evaluate_identification(unseen, metric="cosine", space="s", acquired=np.array([True, False]))
