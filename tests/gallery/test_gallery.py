import numpy as np
import pytest

from mien.errors import BadRequest, PersonUnknown, SpaceMismatch
from mien.gallery.gallery import memory_gallery
from mien.gallery.rule import DecisionRule


def gallery(metric="euclidean", distance=0.6, fmr=0.001):
    return memory_gallery(DecisionRule("s", metric, distance, fmr))


def vectors(*rows):
    return np.array(rows, np.float32)


def distance_of_two(a, b, metric):
    a, b = a.astype(float), b.astype(float)
    if metric == "euclidean":
        return float(np.sqrt(((a - b) ** 2).sum()))
    return 1 - float(a @ b / np.sqrt((a @ a) * (b @ b)))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("k", [1, 3, 50])
def test_identify_is_what_comparing_with_everyone_says(rng, metric, k):
    known = gallery(metric)
    people = {f"person {i}": rng.normal(0, 1, (rng.integers(1, 5), 16)).astype(np.float32) for i in range(12)}
    for person, rows in people.items():
        known.enroll(person, rows[:1], "s")
    for person, rows in people.items():
        if len(rows) > 1:
            known.enroll(person, rows[1:], "s")
    probes = rng.normal(0, 1, (7, 16)).astype(np.float32)
    matches = known.identify(probes, "s", k)
    assert matches.person.shape == matches.distance.shape == matches.similarity.shape == (7, min(k, 12))
    for probe, found in zip(probes, matches, strict=True):
        nearest = {
            person: min(
                (distance_of_two(probe, row, metric), -distance_of_two(probe, row, "cosine")) for row in rows
            )
            for person, rows in people.items()
        }
        expected = sorted(nearest, key=lambda person: nearest[person][0])[:k]
        assert [match.person for match in found] == expected
        for match in found:
            distance, similarity = nearest[match.person]
            assert match.distance == pytest.approx(distance, abs=1e-5)
            assert match.similarity == pytest.approx(1 + similarity, abs=1e-5)
            assert match.accepted == (match.distance <= 0.6)


def test_the_nearest_face_speaks_for_a_person():
    known = gallery()
    known.enroll("two faces", vectors([0, 0], [10, 10]), "s")
    known.enroll("in between", vectors([4, 4]), "s")
    assert known.identify(vectors([0.1, 0], [9, 10], [4, 3]), "s").person.tolist() == [
        ["two faces"],
        ["two faces"],
        ["in between"],
    ]


def test_similarity_and_distance_are_of_the_same_face():
    known = gallery()
    known.enroll("Ada", vectors([100, 0], [1, 1]), "s")
    (match,) = known.identify(vectors([2, 0]), "s")[0]
    assert match.distance == pytest.approx(np.sqrt(2)), "the near face, not the one in the same direction"
    assert match.similarity == pytest.approx(np.sqrt(0.5))


def test_what_comes_back_says_what_it_means():
    known = gallery("cosine", 0.35, 0.002)
    known.enroll("Ada", vectors([1, 0]), "s")
    matches = known.identify(vectors([1, 0], [0, 1]), "s")
    assert (matches.threshold, matches.fmr, matches.space) == (0.35, 0.002, "s")
    assert matches.distance.dtype == matches.similarity.dtype == np.float32
    assert matches.best(0).person == "Ada"
    assert matches.best(1) is None
    assert gallery(fmr=None).identify(vectors([1, 0]), "s").fmr is None


def test_of_equals_the_first_enrolled_comes_first():
    known = gallery()
    people = [f"person {i}" for i in np.random.default_rng(1).permutation(300)]
    for i, person in enumerate(people):
        known.enroll(person, vectors([i % 3, 0]), "s")
    found = known.identify(vectors([0, 0], [2, 0]), "s", 300).person.tolist()
    thirds = [people[rest::3] for rest in range(3)]
    assert found == [thirds[0] + thirds[1] + thirds[2], thirds[2] + thirds[1] + thirds[0]]


@pytest.mark.parametrize("n", [0, 3])
def test_nobody_is_known(n):
    matches = gallery().identify(np.ones((n, 4), np.float32), "s", 2)
    assert matches.person.shape == matches.distance.shape == (n, 0)
    assert [matches.best(i) for i in range(n)] == [None] * n


def test_nobody_is_asked_for():
    known = gallery()
    known.enroll("Ada", vectors([1, 0]), "s")
    matches = known.identify(np.zeros((0, 2), np.float32), "s")
    assert (len(matches), list(matches)) == (0, [])


def test_who_was_removed_is_not_found():
    known = gallery()
    known.enroll("Ada", vectors([1, 0]), "s")
    known.enroll("Bo", vectors([0, 1]), "s")
    known.forget("Ada")
    assert known.identify(vectors([1, 0]), "s", 5).person.tolist() == [["Bo"]]
    with pytest.raises(PersonUnknown, match="'Ada'"):
        known.forget("Ada")
    known.enroll("Ada", vectors([1, 0]), "s")
    assert known.identify(vectors([1, 0]), "s").person.tolist() == [["Ada"]]


def test_names_of_any_length_and_script_come_back_whole():
    known, names = gallery(), ["A", "a name " * 28 + "end", "陳小明", "Ada 2"]
    for i, name in enumerate(names):
        known.enroll(name, vectors([i, 0]), "s")
    assert [match.person for match in known.identify(vectors([0, 0]), "s", 9)[0]] == names


def test_vectors_of_another_space_are_refused():
    known = gallery()
    for ask in (lambda: known.enroll("Ada", vectors([1]), "t"), lambda: known.identify(vectors([1]), "t")):
        with pytest.raises(SpaceMismatch, match=r"of s, not of t") as caught:
            ask()
        assert "enrol" in caught.value.hint
    assert known.people() == ()


@pytest.mark.parametrize("name", ["", "  ", "\t\n"])
def test_a_person_needs_a_name(name):
    with pytest.raises(BadRequest, match="name"):
        gallery().enroll(name, vectors([1]), "s")


def test_a_person_needs_a_face():
    known = gallery()
    with pytest.raises(BadRequest, match="'Ada'"):
        known.enroll("Ada", np.zeros((0, 4), np.float32), "s")
    assert known.people() == ()


@pytest.mark.parametrize("k", [0, -1])
def test_at_least_one_candidate_must_be_wanted(k):
    with pytest.raises(BadRequest, match=f"got {k}"):
        gallery().identify(vectors([1]), "s", k)
