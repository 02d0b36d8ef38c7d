import json

import msgspec
import numpy as np
import pytest

from mien import Image
from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.errors import BadRequest, UnreadableImage
from mien.evaluate.detection import detect, evaluate_detection
from mien.evaluate.measures.boxes import Detected, Marked

NONE = np.zeros((0, 4))


def square(side, x=0):
    return [x, 0, x + side, side]


def marked(*boxes, ignored=NONE):
    return Marked(np.array(boxes, float), np.array(ignored, float))


def detected(*boxes, score=0.9):
    return Detected(np.array(boxes, float), np.full(len(boxes), score))


def test_photographs_go_in_and_boxes_come_out_in_order():
    image = Image.from_rgb(np.zeros((50, 50, 3), np.uint8), "b.jpg")
    faces = Faces((50, 50), np.array([[1, 2, 3, 4]]), np.array([0.5]))

    def analyze(photos, columns):
        assert (photos, columns) == (["a.jpg", "b.jpg"], ("box", "score"))
        yield Failure("a.jpg", UnreadableImage("torn"))
        yield Analysis(image, faces)

    failed, found = detect(analyze, ["a.jpg", "b.jpg"])
    assert failed is None
    assert (found.box.tolist(), found.score.tolist()) == ([[1, 2, 3, 4]], [0.5])


def test_a_photograph_that_could_not_be_used_counts_as_missed():
    truth = [marked(square(40)), marked(square(40), square(20, x=100))]
    found = evaluate_detection(truth, [detected(square(40)), None]).measures
    assert (found.photographs, found.failures, found.faces) == (2, 1, 3)
    assert (found.recall.count, found.recall.of) == (1, 3)
    assert found.precision.value == 1
    # A third of the recalls 0, 0.01 ... 1 is reached: 34 of 101.
    assert (found.average_precision, found.average_precision_75) == pytest.approx((34 / 101, 34 / 101))


def test_recall_by_height_puts_bounds_into_the_upper_band():
    sizes = [15.9, 16, 31.9, 32, 64, 127.9, 128, 500]
    truth = [marked(square(side)) for side in sizes]
    found = [detected(square(side)) if side != 16 else None for side in sizes]
    by_height = evaluate_detection(truth, found).measures.recall_by_height
    counted = {band: (rate.count, rate.of) for band, rate in by_height.items()}
    assert counted == {"<16": (1, 1), "16-32": (1, 2), "32-64": (1, 1), "64-128": (2, 2), ">=128": (2, 2)}


def test_wrong_boxes_are_counted_per_photograph_and_ignored_ones_are_not():
    truth = [marked(square(40), ignored=[square(60, x=200)]), marked(), marked(), marked()]
    boxes = [detected(square(40), square(50, x=205)), detected(square(9)), detected(square(9)), detected()]
    evaluation = evaluate_detection(truth, boxes)
    found = evaluation.measures
    assert found.false_positives_per_photograph == 0.5
    assert (found.boxes, found.ignored, found.precision.count) == (3, 1, 1)
    froc = next(chart for chart in evaluation.charts if "wrong boxes" in chart.title.lower())
    assert froc.lines[0].x[-1] == 0.5
    assert froc.lines[0].y[-1] == 1


@pytest.mark.parametrize(
    ("truth", "found"),
    [
        ([marked()], [None]),
        ([marked()], [detected(square(9))]),
        ([marked(square(9))], [detected()]),
        ([marked(ignored=[square(60)])], [detected(square(40))]),
        ([marked(square(90), ignored=[square(100)])], [detected(square(72))]),
    ],
)
def test_where_there_is_nothing_to_measure_it_says_so(truth, found):
    evaluation = evaluate_detection(truth, found)
    words = json.dumps(msgspec.to_builtins(evaluation.measures))
    assert "NaN" not in words
    assert all(
        np.isfinite(line.y).all() for chart in evaluation.charts for line in getattr(chart, "lines", ())
    )
    if not evaluation.measures.faces:
        assert evaluation.measures.average_precision is None
        assert evaluation.measures.recall.value is None


def test_many_boxes_make_curves_of_few_points(rng):
    boxes = [detected(*(square(9, x=20 * i) for i in range(100))) for _ in range(10)]
    truth = [marked(*(square(9, x=20 * i) for i in range(0, 100, 2))) for _ in range(10)]
    evaluation = evaluate_detection(truth, boxes)
    assert evaluation.measures.recall.value == 1
    assert evaluation.measures.precision.value == 0.5
    for chart in evaluation.charts[:2]:
        assert all(len(line.x) <= 400 for line in chart.lines)


def test_photographs_must_be_the_same():
    with pytest.raises(BadRequest):
        evaluate_detection([marked()], [])


def test_yunet_finds_the_faces_that_were_agreed_on(shared, modern_home):
    from pathlib import Path

    from mien import Mien, load_settings

    folder = shared("data/faces_wild")
    file = json.loads((Path(__file__).parents[1] / "faces_wild.json").read_text())
    truth = {name: boxes for name, boxes in file.items() if name.startswith("expressions_and_odd/")}
    kit = Mien(load_settings(environ={}, home=modern_home, store="memory", detector="yunet"))
    found = evaluate_detection(
        [marked(*boxes["faces"], ignored=boxes["ignore"]) for boxes in truth.values()],
        detect(kit.analyze, [folder / name for name in truth]),
    ).measures
    assert found.failures == 0
    assert found.recall.value == 1
    assert found.average_precision > 0.8


def test_faces_are_missed_by_group_of_photographs():
    truth = [marked(square(40), square(40, x=100)), marked(), marked(square(40)), marked(square(40))]
    found = [detected(square(40)), detected(square(9)), None, detected(square(40))]
    evaluation = evaluate_detection(truth, found, labels={"place": ["in", "in", "out", ""]})
    (by_place,) = evaluation.measures.groups
    assert (by_place.column, by_place.measure, by_place.unlabelled) == ("place", "miss_rate", 1)
    counted = {one.group: (one.rate.count, one.rate.of, one.unanswered) for one in by_place.groups}
    assert counted == {"in": (1, 2, 0), "out": (1, 1, 0)}
    # Both faces are on one photograph, which says nothing about others.
    assert (by_place.groups[0].rate.low, by_place.groups[0].rate.high) == (0, 1)
    assert evaluation.tables[-1].header == ("group", "faces", "miss rate")
    assert evaluation.charts[-1].bars == {"in": 0.5, "out": 1}
    with pytest.raises(BadRequest, match="do not fit"):
        evaluate_detection(truth, found, labels={"place": ["in"]})


def test_a_group_without_faces_is_in_no_table():
    evaluation = evaluate_detection([marked(), marked(square(9))], [None, None], labels={"k": ["x", ""]})
    assert evaluation.measures.groups[0].groups == []
    assert len(evaluation.tables) == 2
