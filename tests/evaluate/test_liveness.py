from pathlib import Path

import numpy as np
import pytest

from mien.core.faces import Faces
from mien.errors import BadRequest
from mien.evaluate.liveness import evaluate_liveness
from mien.evaluate.looking import Looked
from mien.evaluate.reading.kinds import Presentations


def looked_at(scores):
    """Scores by photograph; None where no face was found."""
    faces = [
        Faces.empty((9, 9))
        if score is None
        else Faces((9, 9), np.array([[0, 0, 9, 9]]), np.ones(1), live=np.array([score]))
        for score in scores
    ]
    return Looked(tuple(Path(str(i)) for i in range(len(scores))), tuple(faces), ())


def evaluated(rows, **options):
    kinds, scores = zip(*rows, strict=True)
    looked = looked_at(scores)
    return evaluate_liveness(Presentations(looked.photos, kinds), looked, **options)


ROWS = [("live", 0.9), ("live", 0.4), ("live", None), ("print", 0.1), ("print", None), ("screen", 0.6)]


def test_each_kind_is_judged_by_itself_and_silence_is_counted():
    found = evaluated(ROWS).measures
    assert (found.threshold, found.worst_kind, found.apcer_max, found.acer) == (0.5, "screen", 1, 0.75)
    assert {kind: rate.value for kind, rate in found.apcer.items()} == {"print": 0, "screen": 1}
    assert (found.bpcer.count, found.bpcer.of) == (1, 2)
    assert (found.bpnrr.count, found.bpnrr.of) == (1, 3)
    assert {kind: (rate.count, rate.of) for kind, rate in found.apnrr.items()} == {
        "print": (1, 2),
        "screen": (0, 1),
    }


def test_the_threshold_can_be_chosen():
    found = evaluated(ROWS, threshold=0.65).measures
    assert (found.apcer_max, found.bpcer.value, found.acer) == (0, 0.5, 0.25)


def test_tables_and_charts_name_every_kind_and_say_what_acer_is():
    evaluation = evaluated([*ROWS, ("mask", None)])
    assert "(APCER of the worst kind + BPCER) / 2" in evaluation.tables[0].note
    by_kind = {row[0]: row for row in evaluation.tables[1].rows}
    assert set(by_kind) == {"print", "screen", "mask"}
    assert by_kind["mask"][1:3] == ("no face was found on any", "–")
    trade_off, bars, histogram = evaluation.charts
    assert [line.label for line in trade_off.lines] == ["print", "screen"]
    assert trade_off.x_scale == trade_off.y_scale == "deviate"
    assert bars.bars == {"print": 0, "screen": 1}
    assert [line.label for line in histogram.lines] == ["live", "print", "screen"]
    assert all(line.y.sum() == pytest.approx(1) for line in histogram.lines)


def test_no_chart_has_more_lines_than_can_be_told_apart():
    rows = [("live", 0.9), *((f"attack {i}", 0.1) for i in range(30))]
    evaluation = evaluated(rows)
    assert all(len(chart.lines) <= 8 for chart in evaluation.charts if hasattr(chart, "lines"))
    assert "23 more kinds" in evaluation.charts[0].note
    assert len(evaluation.tables[1].rows) == len(evaluation.charts[1].bars) == 30


def test_the_trade_off_keeps_its_ends_with_many_scores(rng):
    rows = [("live", score) for score in rng.beta(8, 2, 3000)]
    rows += [("print", score) for score in rng.beta(2, 8, 3000)]
    line = evaluated(rows).charts[0].lines[0]
    assert len(line.x) <= 801
    # Every step of the rarest errors is there.
    assert {1 / 3000, 2 / 3000} <= set(line.x)
    assert {1 / 3000, 2 / 3000} <= set(np.round(line.y * 3000) / 3000)


@pytest.mark.parametrize(
    "rows",
    [
        [("live", None), ("print", 0.1)],
        [("live", 0.9), ("print", None)],
        [("live", None), ("print", None)],
    ],
)
def test_kinds_without_any_face_are_refused(rows):
    with pytest.raises(BadRequest):
        evaluated(rows)


def test_groups_are_judged_at_the_one_threshold_and_kinds_by_themselves(rng):
    n = 400
    kinds = rng.choice(["live", "print", "screen"], n)
    scores = rng.random(n).tolist()
    for i in range(0, n, 9):
        scores[i] = None
    label = rng.choice(["a", "b", ""], n).tolist()
    evaluation = evaluated(list(zip(kinds, scores, strict=True)), threshold=0.4, labels={"light": label})
    (found,) = evaluation.measures.groups
    assert found.column == "light"
    for kind, part in {"live": found.bpcer, **found.apcer}.items():
        assert part.measure == ("bpcer" if kind == "live" else "apcer")
        for one in part.groups:
            mine = [
                s for k, s, name in zip(kinds, scores, label, strict=True) if (k, name) == (kind, one.group)
            ]
            said = [s for s in mine if s is not None]
            assert (one.cases, one.unanswered, one.rate.of) == (len(mine), len(mine) - len(said), len(said))
            assert one.rate.count == sum((s < 0.4) if kind == "live" else (s >= 0.4) for s in said)
        assert part.unlabelled == sum(k == kind and not name for k, name in zip(kinds, label, strict=True))
    assert found.apcer.keys() == {"print", "screen"}
    bpcer, apcer = evaluation.tables[2:]
    assert [row[0] for row in bpcer.rows] == ["a", "b"]
    assert [row[:2] for row in apcer.rows] == [(k, name) for k in ("print", "screen") for name in "ab"]
    assert bpcer.note.startswith("All at the one threshold 0.4. Worst to best BPCER: ")
    assert [chart.title for chart in evaluation.charts[3:]] == [
        "Live faces refused by light",
        "Attacks taken for live by light",
    ]


def test_attacks_without_labels_have_no_groups():
    evaluation = evaluated(ROWS, labels={"origin": ["x", "y", "x", "", "", ""]})
    (found,) = evaluation.measures.groups
    assert [one.group for one in found.bpcer.groups] == ["x", "y"]
    assert {kind: part.unlabelled for kind, part in found.apcer.items()} == {"print": 2, "screen": 1}
    assert [table.title for table in evaluation.tables[2:]] == ["BPCER by origin"]
    assert evaluated(ROWS).measures.groups == []
    with pytest.raises(BadRequest, match="do not fit"):
        evaluated(ROWS, labels={"origin": ["x"]})
