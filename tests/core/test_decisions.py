import numpy as np
import pytest

from mien.core.matches import Matches


def matches(first, second=np.inf, **options):
    distance = np.array([[first, second]], np.float32)
    return Matches(
        person=np.array([["Ada", "Bo"]]),
        similarity=1 - distance,
        distance=distance,
        threshold=0.5,
        fmr=None,
        space="s",
        margin=np.array([second - first], np.float32),
        **options,
    )


@pytest.mark.parametrize(
    ("first", "second", "options", "decision"),
    [
        (0.4, 0.9, {}, "known"),
        (0.5, 0.9, {}, "known"),
        (0.51, 0.9, {}, "unknown"),
        (0.51, 0.9, {"review_distance": 0.6}, "uncertain"),
        (0.61, 0.9, {"review_distance": 0.6}, "unknown"),
        (0.4, 0.42, {}, "known"),
        (0.4, 0.42, {"least_margin": 0.05}, "uncertain"),
        (0.4, 0.46, {"least_margin": 0.05}, "known"),
        (0.49, 0.51, {"least_margin": 0.05}, "known"),
        (0.4, np.inf, {"least_margin": 0.05}, "known"),
        (np.inf, np.inf, {"least_margin": 0.05, "review_distance": 0.6}, "unknown"),
    ],
)
def test_who_it_is_and_whether_that_is_sure(first, second, options, decision):
    found = matches(first, second, **options)
    assert found.decision(0) == decision
    assert (found.best(0) is not None) == (decision == "known")


def test_places_that_nobody_takes_are_left_out():
    assert [match.person for match in matches(0.3)[0]] == ["Ada"]
    assert matches(np.inf)[0] == ()


def test_nobody_known_is_unknown():
    nothing = np.zeros((1, 0), np.float32)
    found = Matches(nothing.astype(str), nothing, nothing, 0.5, None, "s")
    assert found.decision(0) == "unknown"
    assert found.best(0) is None
