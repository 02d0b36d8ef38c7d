from pathlib import Path

import msgspec
import numpy as np
import pytest

from mien.compare.comparison import comparison, spent
from mien.compare.peers import Absent, Entry
from mien.compare.race import Run
from mien.evaluate.reading.pairs import Pairs


def run(name, seconds, *, rival=None, distance=(), faces=(1, 1, 0, 2), threshold=0.5):
    entry = Entry(name, name, "a + b", ("python",), {"threads": 2}, rival)
    return Run(
        entry=entry,
        versions={name: "1.2"},
        threshold=threshold,
        seconds=np.array(seconds, np.float64),
        faces=np.array(faces, np.int64),
        distance=np.array(distance, np.float64),
        memory_mb=123.4,
    )


@pytest.fixture
def pairs():
    """Twenty pairs, one of each kind in each of ten folds."""
    return Pairs(
        photos=tuple(Path(f"{i}.jpg") for i in range(4)),
        person=np.arange(4, dtype=np.int32),
        pairs=np.zeros((20, 2), np.int32),
        same=np.tile([True, False], 10),
        fold=np.repeat(np.arange(10, dtype=np.int32), 2),
    )


def test_spent_is_the_sum_of_medians_not_the_median_of_sums(rng):
    seconds = rng.random((5, 7))
    expected = sum(sorted(column)[2] for column in seconds.T.tolist())
    assert spent(seconds) == pytest.approx(expected)
    assert spent(np.array([[1.0, 100.0], [2.0, 1.0], [100.0, 2.0]])) == 4.0


def test_ratios():
    found = comparison(
        [
            run("Mien", [[2.0, 2.0]]),
            run("Slow", [[6.0, 6.0]], rival="Mien"),
            run("Fast", [[1.0, 1.0]], rival="Mien"),
        ],
        [],
        None,
    ).measures
    ours, slow, fast = found.contestants
    assert ours.mien_faster_by is None
    assert slow.mien_faster_by == 3.0
    assert fast.mien_faster_by == 0.5
    assert [one.photographs_per_second for one in found.contestants] == [1.0, pytest.approx(1 / 3), 2.0]


def test_each_is_compared_with_its_own_rival():
    found = comparison(
        [
            run("Mien a", [[1.0]]),
            run("Mien b", [[10.0]]),
            run("X", [[5.0]], rival="Mien a"),
            run("Y", [[5.0]], rival="Mien b"),
            run("Z", [[5.0]], rival="Mien that broke"),
        ],
        [],
        None,
    ).measures
    assert [one.mien_faster_by for one in found.contestants] == [None, None, 5.0, 0.5, None]


def test_accuracy_and_what_is_not_found(pairs):
    distance = np.where(pairs.same, 0.4, 0.6)
    perfect = run("Mien", [[1.0]], distance=distance)
    distance = distance.copy()
    distance[0] = np.inf  # no face: two people, which is wrong here
    distance[1] = np.inf  # and right here
    blind = run("Peer", [[1.0]], rival="Mien", distance=distance, threshold=0.6)
    ours, peer = comparison([perfect, blind], [], pairs).measures.contestants
    assert (ours.accuracy, ours.accuracy_sd) == (1.0, 0.0)
    assert ours.accuracy_at_threshold.value == 1.0
    assert ours.accuracy_at_threshold.count == ours.accuracy_at_threshold.of
    assert peer.accuracy == pytest.approx(0.95)
    assert peer.accuracy_sd == pytest.approx(np.std([0.5] + [1.0] * 9))
    # At 0.6 all nine pairs of different people that have a distance are taken for one person.
    assert peer.accuracy_at_threshold.count == 10
    assert peer.accuracy_at_threshold.value == 0.5
    assert peer.accuracy_at_threshold.low < 0.5 < peer.accuracy_at_threshold.high
    assert (peer.no_face.count, peer.no_face.of, peer.faces) == (1, 4, 4)


def test_one_without_a_threshold_says_so(pairs):
    found = comparison([run("Peer", [[1.0]], distance=np.where(pairs.same, 0, 1), threshold=None)], [], pairs)
    rate = found.measures.contestants[0].accuracy_at_threshold
    assert rate.value is None
    assert "no threshold" in rate.note


def test_one_that_found_nobody_has_no_accuracy(pairs):
    blind = run("Peer", [[1.0]], distance=np.full(20, np.inf), faces=(0, 0, 0, 0))
    found = comparison([blind], [], pairs)
    one = found.measures.contestants[0]
    assert one.accuracy is None
    assert one.no_face.value == 1.0
    assert one.accuracy_at_threshold.value == 0.5
    assert dict(zip(found.tables[0].header, found.tables[0].rows[0], strict=True))["accuracy, in folds"] == ""


def test_tables_and_charts(pairs):
    distance = np.where(pairs.same, 0.4, 0.6)
    found = comparison(
        [run("Mien", [[1.0]], distance=distance), run("Peer", [[2.5]], rival="Mien", distance=distance)],
        [Absent("Other", "is not installed", "pip install other")],
        pairs,
    )
    table, missing = found.tables
    assert all(len(row) == len(table.header) for row in table.rows)
    row = dict(zip(table.header, table.rows[1], strict=True))
    assert row["who"] == "Peer 1.2"
    assert row["accuracy, in folds"] == "100.00% ± 0.00%"
    assert row["at its own threshold"] == "100.00% (0.5)"
    assert row["no face"] == "1 of 4"
    assert row["photographs/s"] == "1.6"
    assert row["Mien is faster, times"] == "2.50"
    assert row["memory MB"] == "123"
    assert missing.rows == [("Other", "is not installed", "pip install other")]
    assert found.headline.endswith("2.50 times as fast as Peer, its accuracy +0.00 points beside theirs.")
    assert [chart.title for chart in found.charts] == ["Speed", "Pairs decided wrongly"]
    assert found.noun == "compare"
    written = msgspec.json.decode(msgspec.json.encode(found.measures))
    assert written["contestants"][1]["mien_faster_by"] == 2.5
    assert written["absent"][0]["reason"] == "is not installed"


def test_nobody_came():
    found = comparison([], [Absent("Other", "is not installed")], None)
    assert found.headline == "Nobody was there to compare with."
    assert not found.charts
    assert found.measures.contestants == []


def test_without_pairs_only_speed_is_compared():
    found = comparison([run("Mien", [[1.0]]), run("Peer", [[2.0]], rival="Mien")], [], None)
    assert [chart.title for chart in found.charts] == ["Speed"]
    assert found.headline == "Mien is 2.00 times as fast as Peer."


def test_the_headline_is_as_short_for_several(pairs):
    distance = np.where(pairs.same, 0.4, 0.6)
    blind = np.where(np.arange(20) == 0, np.inf, distance)
    found = comparison(
        [
            run("Mien", [[2.0]], distance=blind),
            run("A", [[1.0]], rival="Mien", distance=distance),
            run("B", [[9.0]], rival="Mien", distance=np.full(20, np.inf)),
        ],
        [],
        pairs,
    )
    assert found.headline == (
        "Mien is 0.50 to 4.50 times as fast as 2 other programs, its accuracy -5.00 points beside theirs."
    )
