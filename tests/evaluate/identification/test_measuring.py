import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.identification.measuring import evaluate_identification, smaller_galleries
from mien.evaluate.measures.searches import NEVER, Searches, search, split
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
    return search(vectors, PERSON, split(PERSON, strangers=0.5), "cosine", smaller_galleries(200))


@pytest.fixture
def found(searches, vectors):
    return evaluate_identification(
        searches, metric="cosine", space="s", acquired=~np.isnan(vectors).any(1), threshold=THRESHOLD
    )


def test_rates_are_counts(searches, found):
    measures = found.measures
    whole = searches[0]
    mated, nearest = whole.mated, whole.nearest
    own = whole.mate_distance[mated]
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
    assert [at.galleries for at in sizes] == [20, 20, 8, 1]
    fpir = [at.fpir for at in sizes]
    assert fpir == sorted(fpir)
    assert fpir[0] < fpir[-1] == pytest.approx(found.measures.in_use.fpir.value)
    assert sizes[-1].rank_1_missed == pytest.approx(1 - found.measures.cmc[0])
    fnir = [at.fnir_at_fpir["0.1"] for at in sizes]
    assert fnir[-1] == found.measures.fnir_at_fpir["0.1"].fnir.value
    assert fnir[0] < fnir[-1]
    assert set(sizes[0].fnir_at_fpir) == {"0.1"}


def test_groups_are_judged_at_the_threshold_in_use(searches):
    label = ["odd" if person % 2 else "even" for person in PERSON]
    found = evaluate_identification(
        searches, metric="cosine", space="s", acquired=np.ones(1200, bool), threshold=THRESHOLD,
        labels={"half": label},
    )  # fmt: skip
    (groups,) = found.measures.groups
    whole = searches[0]
    for one in groups.fnir.groups:
        mine = whole.mated & (whole.person % 2 == (one.group == "odd"))
        hit = (whole.mate_distance <= 0.45) & (whole.rank == 1)
        assert (one.rate.count, one.rate.of) == ((mine & ~hit).sum(), mine.sum())
    for one in groups.fpir.groups:
        mine = ~whole.mated & np.isfinite(whole.nearest) & (whole.person % 2 == (one.group == "odd"))
        assert (one.rate.count, one.rate.of) == ((mine & (whole.nearest <= 0.45)).sum(), mine.sum())
    assert {table.title for table in found.tables} >= {"Strangers named by half", "People missed by half"}


def test_without_a_threshold_there_are_no_rates_at_one(searches):
    measures = evaluate_identification(
        searches, metric="cosine", space="s", acquired=np.ones(1200, bool), watch_list=True
    ).measures
    assert measures.mode == "watch list"
    assert measures.in_use is None
    assert {at.fpir for at in measures.gallery_sizes} == {None}


def one(nearest, mate_distance, mated):
    rank = np.where(np.isfinite(mate_distance), 1, NEVER)
    return Searches(
        np.arange(len(mated)),
        np.arange(len(mated)),
        np.array(mated),
        np.array(nearest),
        np.array(mate_distance),
        rank,
        2,
    )


def test_strangers_on_whom_no_face_is_found_do_not_make_it_look_better():
    inf = np.inf
    made = one([0.1, inf, 0.2], [0.1, inf, inf], [True, False, False])
    measures = evaluate_identification(
        [made], metric="cosine", space="s", acquired=np.array([True, False, True]), threshold=THRESHOLD
    ).measures
    assert (measures.searches.strangers, measures.searches.strangers_not_made) == (1, 1)
    assert measures.in_use.fpir.value == 1


def test_strangers_must_be_seen():
    unseen = one([0.1, np.inf], [0.1, np.inf], [True, False])
    with pytest.raises(BadRequest):
        evaluate_identification([unseen], metric="cosine", space="s", acquired=np.array([True, False]))


@pytest.mark.slow
def test_the_interval_of_fnir_covers_the_truth(rng):
    # 120 people and as many strangers, again and again, against very many of both.
    def world(people):
        person = np.repeat(np.arange(2 * people), 3)
        look = rng.normal(size=(2 * people, 3)).repeat(3, 0)[:, 0] * 0.1
        mated = person < people
        own = np.where(mated, 0.4 + look + 0.08 * rng.normal(size=6 * people), np.inf)
        nearest = np.minimum(own, np.where(mated, 0.9, 0.7 + look + 0.05 * rng.normal(size=6 * people)))
        return Searches(
            np.arange(len(person)), person, mated, nearest, own, np.where(mated, 1, NEVER), people
        )

    def measure(searches):
        return (
            evaluate_identification([searches], metric="cosine", space="s", acquired=np.ones(3, bool))
            .measures.fnir_at_fpir["0.1"]
            .fnir
        )

    truth = measure(world(20_000)).value
    held = [rate.low <= truth <= rate.high for rate in (measure(world(120)) for _ in range(40))]
    assert sum(held) >= 34
