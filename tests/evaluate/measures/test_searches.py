import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.measures import searches as module
from mien.evaluate.measures.searches import NEVER, Searches, alarmed, cumulative_match, missed, search, split
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
@pytest.mark.parametrize("block", [16, 1024])
def test_searches_are_as_a_slow_loop_has_them(vectors, person, metric, block, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    divided = split(person, enrol=2)
    found = search(vectors, person, divided, metric)
    shelf = {n: np.flatnonzero(divided.enrolled & (person == n)) for n in np.unique(person[divided.enrolled])}
    probes = np.flatnonzero(divided.probes)
    for row, probe in enumerate(probes):
        away = {}
        for number, photos in shelf.items():
            each = [
                np.inf
                if np.isnan(vectors[[probe, p]]).any()
                else DISTANCES[metric](vectors[[probe]], vectors[[p]])[0, 0]
                for p in photos
            ]
            away[number] = min(each)
        assert found.distance[row] == pytest.approx(list(away.values()), abs=1e-4)
        assert found.nearest[row] == pytest.approx(min(away.values()), abs=1e-4)
        own = away.get(person[probe], np.inf)
        assert found.mate_distance[row] == pytest.approx(own, abs=1e-4)
        assert found.mated[row] == (person[probe] in shelf)
        rank = 1 + sum(d < own for d in away.values()) if own < np.inf else NEVER
        assert found.rank[row] == rank


def made(distance, mate):
    return Searches(np.array(distance, float), np.array(mate), np.arange(len(mate)))


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


def test_of_equally_near_people_the_last_place_counts():
    assert made([[0.2, 0.2, 0.4]], [0]).rank.tolist() == [2]


def test_smaller_galleries_are_columns_of_the_large_one(vectors, person):
    divided = split(person)
    whole = search(vectors, person, divided, "cosine")
    part = whole.within(np.array([5, 2]))
    enrolled = np.unique(person[divided.enrolled])[[5, 2]]
    kept = ~whole.mated | np.isin(whole.person, enrolled)
    assert np.array_equal(part.distance, whole.distance[kept][:, [5, 2]])
    assert np.array_equal(part.mate_distance[part.mated], whole.mate_distance[kept & whole.mated])
    assert (part.rank[part.mated] <= whole.rank[kept & whole.mated]).all()
