from collections import Counter, defaultdict

import numpy as np
import pytest

from mien.compare.race import AT_A_TIME, race, turns
from mien.compare.worker import Patience

SOON = Patience(open_s=30, photo_s=30)
BREAKS = """
    class Contestant:
        threshold, versions = None, {}
        def __init__(self, options): self.left = 2
        def look_at(self, path):
            self.left -= 1
            if not self.left: raise RuntimeError("worn out")
            return (1, 1), [], []
"""


@pytest.mark.parametrize("contestants", [1, 2, 3, 7])
@pytest.mark.parametrize("folders", [1, 3, 7, 10])
@pytest.mark.parametrize("rounds", [1, 3])
def test_everybody_meets_every_folder_equally_often(contestants, folders, rounds):
    planned = list(turns(contestants, folders, rounds))
    met = Counter((turn.folder, turn.contestant) for turn in planned)
    assert met == {(f, c): rounds for f in range(folders) for c in range(contestants)}


@pytest.mark.parametrize("contestants", [2, 3, 5])
def test_everybody_is_equally_often_at_each_place(contestants):
    places = Counter()
    by_folder = defaultdict(list)
    for turn in turns(contestants, 2 * contestants, 3):
        by_folder[turn.round, turn.folder].append(turn.contestant)
    for order in by_folder.values():
        assert sorted(order) == list(range(contestants))
        places.update(enumerate(order))
    assert set(places.values()) == {6}


def test_folders_are_not_split_between_rounds():
    seen = [(turn.round, turn.folder) for turn in turns(3, 4, 2)]
    assert seen == sorted(seen)


def test_order_changes_from_round_to_round():
    first = [turn.contestant for turn in turns(3, 1, 3)]
    assert first == [0, 1, 2, 1, 2, 0, 2, 0, 1]


def test_a_race(contestant):
    photos = [f"{i}" for i in range(AT_A_TIME)] + ["2,9,4", "none"]
    told = []
    runs, absent = race(
        [contestant(name="ours"), contestant(name="peer", rival="ours")],
        photos,
        [("0", "3"), ("3", "none"), ("2,9,4", "4")],
        rounds=2,
        patience=SOON,
        done=lambda number, of: told.append((number, of)),
    )
    assert not absent
    assert [run.entry.name for run in runs] == ["ours", "peer"]
    assert told == [(i + 1, 8) for i in range(8)]
    for run in runs:
        assert run.seconds.shape == (2, 2)
        assert (run.seconds > 0).all()
        assert run.faces.tolist() == [1] * AT_A_TIME + [3, 0]
        assert run.distance.tolist() == [3.0, np.inf, 0.0]
        assert run.threshold == 0.5
        assert run.versions == {"Fake": "1.0"}


def test_who_cannot_run_never_stops_the_others(contestant):
    runs, absent = race(
        [
            contestant(name="ours"),
            contestant("import nothing_of_the_kind", name="missing", rival="ours"),
            contestant(BREAKS, name="breaks", rival="ours"),
            contestant(name="peer", rival="ours"),
        ],
        ["3", "4"],
        [("3", "4")],
        rounds=2,
        patience=SOON,
    )
    assert [run.entry.name for run in runs] == ["ours", "peer"]
    assert [run.distance.tolist() for run in runs] == [[1.0], [1.0]]
    assert [one.name for one in absent] == ["Missing", "Breaks"]
    reasons = [one.reason for one in absent]
    assert "not installed" in reasons[0]
    assert reasons[1] == "ended: RuntimeError: worn out"


def test_mien_does_not_run_alone(contestant):
    runs, absent = race(
        [
            contestant(name="ours"),
            contestant("import nothing_of_the_kind", name="missing", rival="ours"),
            contestant(name="other"),
            contestant(name="peer", rival="other"),
        ],
        ["3"],
        patience=SOON,
    )
    assert [run.entry.name for run in runs] == ["other", "peer"]
    assert [one.name for one in absent] == ["Missing"]


def test_one_that_nobody_was_to_be_compared_with_runs(contestant):
    runs, _ = race([contestant(name="ours")], ["3"], rounds=1, patience=SOON)
    assert len(runs) == 1


def test_peers_run_without_the_mien_that_broke(contestant):
    runs, absent = race(
        [contestant(BREAKS, name="ours"), contestant(name="peer", rival="ours")], ["3"], patience=SOON
    )
    assert [run.entry.name for run in runs] == ["peer"]
    assert [one.name for one in absent] == ["ours"]
