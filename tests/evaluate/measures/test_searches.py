import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.measures import searches as module
from mien.evaluate.measures.intervals import Draws
from mien.evaluate.measures.rates import threshold_at_fmr
from mien.evaluate.measures.searches import (
    NEVER,
    Searches,
    alarmed,
    cumulative_match,
    missed,
    resample_searches,
    search,
    split,
)
from mien.ops.vectors import DISTANCES


@pytest.fixture
def person(rng):
    return rng.integers(0, 20, 120)


@pytest.fixture
def vectors(person, rng):
    found = rng.normal(size=(20, 5))[person] + 0.8 * rng.normal(size=(120, 5))
    found[[3, 50]] = np.nan
    return found


def test_a_split_leaves_strangers_out(person):
    found = split(person, enrol=2, strangers=0.4, seed=1)
    known = set(person[found.enrolled])
    assert len(known) == 12
    for number in range(20):
        photos = np.flatnonzero(person == number)
        if number in known:
            assert found.enrolled[photos].tolist() == [True, True] + [False] * (len(photos) - 2)
        else:
            assert not found.enrolled[photos].any()
        assert (found.mated[photos] == (number in known)).all()
    assert (found.probes == ~found.enrolled).all()
    assert not np.array_equal(split(person, seed=2).mated, found.mated)


def test_a_watch_list_says_who_is_enrolled(person):
    found = split(person, listed=[4, 9])
    assert set(person[found.enrolled]) == {4, 9}
    assert found.enrolled.sum() == 2


@pytest.mark.parametrize(
    ("person", "choices"),
    [
        ([0, 0, 1, 1], {"strangers": 1.0}),
        ([0, 0, 1, 1], {"strangers": 0.0}),
        ([0, 1, 2], {}),
        ([0, 0, 1], {"listed": []}),
        ([0, 0, 1], {"enrol": 5}),
    ],
)
def test_a_split_without_mates_or_strangers_is_refused(person, choices):
    with pytest.raises(BadRequest):
        split(np.array(person), **choices)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("block", [100, 1 << 24])
def test_searches_are_as_a_slow_loop_has_them(vectors, person, metric, block, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    divided = split(person, enrol=2)
    enrolled = np.unique(person[divided.enrolled])
    some = np.array([5, 2])
    whole, part = search(vectors, person, divided, metric, [some])
    probes = np.flatnonzero(divided.probes)
    for found, people in ((whole, enrolled), (part, enrolled[some])):
        assert found.people == len(people)
        kept = [p for p in probes if person[p] in people or person[p] not in enrolled]
        assert found.person.tolist() == person[kept].tolist()
        for row, probe in enumerate(kept):
            away = {number: nearest(vectors, person, divided, metric, probe, number) for number in people}
            own = away.get(person[probe], np.inf)
            assert found.nearest[row] == pytest.approx(min(away.values()), abs=1e-4)
            assert found.mate_distance[row] == pytest.approx(own, abs=1e-4)
            assert found.mated[row] == (person[probe] in people)
            assert found.rank[row] == (1 + sum(d < own for d in away.values()) if own < np.inf else NEVER)


def nearest(vectors, person, divided, metric, probe, number):
    """Distance of a photograph to the nearest one of a person that is enrolled."""
    photos = np.flatnonzero(divided.enrolled & (person == number))
    both = [(probe, p) for p in photos if not np.isnan(vectors[[probe, p]]).any()]
    return min((DISTANCES[metric](vectors[[a]], vectors[[b]])[0, 0] for a, b in both), default=np.inf)


def made(distance, mate):
    """Searches out of distances to each person of a gallery."""
    distance, mate = np.array(distance, float), np.array(mate)
    own = np.where(mate >= 0, distance[np.arange(len(mate)), mate], np.inf)
    rank = np.where(np.isfinite(own), (distance <= own[:, None]).sum(1), NEVER)
    return Searches(
        np.arange(len(mate)), np.arange(len(mate)), mate >= 0, distance.min(1), own, rank, distance.shape[1]
    )


def test_errors_are_counted_by_their_definitions():
    inf = np.inf
    found = made(
        [[0.2, 0.5], [0.5, 0.2], [0.6, 0.9], [0.3, 0.7], [0.8, 0.9], [inf, inf], [inf, inf]],
        [0, 0, 0, -1, -1, 0, -1],
    )
    # Found; second; too far; a stranger near; a stranger far; nobody seen on the photograph, twice.
    assert missed(found, 0.55).tolist() == [False, True, True, False, False, True, False]
    assert missed(found, 0.55, rank=2).tolist() == [False, False, True, False, False, True, False]
    assert alarmed(found, 0.55).tolist() == [False, False, False, True, False, False, False]
    assert cumulative_match(found, 2).tolist() == [0.5, 0.75]
    assert found.pointless.tolist() == [False] * 6 + [True]


def test_of_equally_near_people_the_last_place_counts():
    vectors = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1], [0, 1]])
    person = np.array([0, 0, 1, 2, 2])
    found, *_ = search(vectors, person, split(person, listed=[0, 1]), "cosine")
    assert found.rank[found.mated].tolist() == [2]


def test_replicates_choose_their_threshold_anew(rng):
    count = 60
    person = np.repeat(np.arange(count), 2)
    mated = person < count // 2
    own = np.where(mated, rng.uniform(0, 1, len(person)), np.inf)
    rank = np.where(mated, rng.integers(1, 3, len(person)), NEVER)
    nearest = np.minimum(np.where(rank == 1, own, own / 2), rng.uniform(0.5, 1, len(person)))
    found = Searches(np.arange(len(person)), person, mated, nearest, own, rank, count // 2)
    draws = Draws(count, replicates=40)
    rates = [0.05, 0.25]
    for times, row in zip(draws.times.astype(int), resample_searches(found, rates, draws), strict=True):
        again = found.only(np.repeat(np.arange(len(person)), times[person]))
        strangers = np.sort(again.nearest[~again.mated])
        for rate, fnir in zip(rates, row, strict=True):
            threshold = threshold_at_fmr(strangers, rate)
            assert fnir == pytest.approx(missed(again, threshold)[again.mated].mean())


def test_a_gallery_without_a_face_is_refused():
    vectors = np.array([[np.nan, 0], [1.0, 0], [0, 1]])
    person = np.array([0, 0, 1])
    with pytest.raises(BadRequest, match="enrolled"):
        search(vectors, person, split(person, listed=[0]), "cosine")
