import numpy as np
import pytest

from mien.core.matches import Match, Matches


@pytest.fixture
def matches():
    return Matches(
        person=np.array([["Ada", "Bo"], ["Bo", "Ada"]]),
        similarity=np.array([[0.9, 0.5], [0.25, 0.125]], np.float32),
        distance=np.array([[0.25, 0.5], [0.75, 0.875]], np.float32),
        threshold=0.5,
        fmr=0.001,
        space="s",
    )


def test_one_probe_gives_its_candidates_best_first(matches):
    ada, bo = matches[0]
    assert (ada.person, ada.distance, ada.accepted) == ("Ada", 0.25, True)
    assert ada.similarity == pytest.approx(0.9)
    assert type(ada.person) is str
    assert bo == Match("Bo", 0.5, 0.5, True), "at the threshold is within it"
    assert [match.accepted for match in matches[1]] == [False, False]


def test_iterating_is_indexing(matches):
    assert list(matches) == [matches[0], matches[1]]
    assert len(matches) == 2


def test_best_is_the_first_if_accepted(matches):
    assert matches.best(0).person == "Ada"
    assert matches.best(1) is None
    with pytest.raises(IndexError):
        matches.best(2)


def test_nobody_enrolled_and_nobody_asked():
    nothing = np.zeros((2, 0), np.float32)
    empty = Matches(np.zeros((2, 0), np.str_), nothing, nothing, 0.5, None, "s")
    assert (len(empty), list(empty), empty.best(0)) == (2, [(), ()], None)
    nothing = np.zeros((0, 3), np.float32)
    unasked = Matches(np.zeros((0, 3), np.str_), nothing, nothing, 0.5, None, "s")
    assert (len(unasked), list(unasked)) == (0, [])
