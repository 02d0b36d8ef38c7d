import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mien.errors import BadRequest
from mien.evaluate.measures.boxes import (
    COCO_RANGE,
    Detected,
    Marked,
    average_precision,
    free_response,
    match_boxes,
    precision_recall,
)

NONE = np.zeros((0, 4))


def random_boxes(rng, n):
    corner = rng.integers(0, 60, (n, 2))
    return np.concatenate([corner, corner + rng.integers(4, 40, (n, 2))], axis=1).astype(float)


def random_scene(rng, photos=12):
    marked, detected = [], []
    for _ in range(photos):
        faces, ignored = random_boxes(rng, rng.integers(0, 6)), random_boxes(rng, rng.integers(0, 3))
        near = np.concatenate([faces, ignored])[rng.random(len(faces) + len(ignored)) < 0.8]
        near = near + rng.integers(-3, 4, near.shape) * np.array([1, 1, 0, 0])
        near = near[(near[:, 2:] > near[:, :2]).all(1)]
        box = np.concatenate([near, near[:2], random_boxes(rng, rng.integers(0, 4))])
        marked.append(Marked(faces, ignored))
        detected.append(Detected(box, rng.integers(1, 8, len(box)) / 8))  # many ties
    return marked, detected


def by_pycocotools(marked, detected):
    """The whole of COCOeval: AP by overlap and recall by overlap."""
    annotations, results = [], []
    for image, (truth, boxes) in enumerate(zip(marked, detected, strict=True), 1):
        for crowd, rows in ((0, truth.faces), (1, truth.ignored)):
            for x1, y1, x2, y2 in rows.tolist():
                bbox = [x1, y1, x2 - x1, y2 - y1]
                shape = {"bbox": bbox, "area": bbox[2] * bbox[3], "iscrowd": crowd}
                annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": 1, **shape})
        for (x1, y1, x2, y2), score in zip(boxes.box.tolist(), boxes.score.tolist(), strict=True):
            bbox = [x1, y1, x2 - x1, y2 - y1]
            results.append({"image_id": image, "category_id": 1, "bbox": bbox, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        images = [{"id": i + 1} for i in range(len(marked))]
        truth.dataset = {"images": images, "annotations": annotations, "categories": [{"id": 1}]}
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(results), "bbox")
        judge.params.maxDets = [1, 10, 1000]
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, 0, 0, 2]
    return precision.mean(1), judge.eval["recall"][:, 0, 0, 2]


@pytest.mark.parametrize("seed", range(8))
def test_it_agrees_with_the_whole_of_pycocotools(seed):
    marked, detected = random_scene(np.random.default_rng(seed))
    precision, recall = by_pycocotools(marked, detected)
    matches = match_boxes(marked, detected)
    np.testing.assert_allclose(average_precision(matches), precision, atol=1e-12)
    np.testing.assert_allclose(matches.found.mean(1), recall, atol=1e-12)
    assert precision[0] > precision[-1]  # the scene is not trivial


def test_it_prints_nothing(capfd):
    match_boxes(*random_scene(np.random.default_rng(1)))
    assert capfd.readouterr() == ("", "")


def test_a_face_is_found_once_and_what_is_ignored_counts_neither_way():
    face, crowd = [0, 0, 10, 10], [50, 50, 90, 90]
    boxes = np.array([face, face, [55, 55, 60, 60], [200, 200, 210, 210]], float)
    matches = match_boxes(
        [Marked(np.array([face]), np.array([crowd]))], [Detected(boxes, np.array([0.9, 0.8, 0.7, 0.6]))]
    )
    assert matches.right[0].tolist() == [True, False, False, False]
    assert matches.counted[0].tolist() == [True, True, False, True]
    precision, recall = precision_recall(matches)
    np.testing.assert_allclose(precision, [1, 1 / 2, 1 / 3])
    assert recall.tolist() == [1, 1, 1]
    assert free_response(matches)[0].tolist() == [0, 1, 2]
    assert average_precision(matches)[0] == 1


def test_average_precision_ends_where_the_detector_stops():
    faces = np.array([[i * 20, 0, i * 20 + 10, 10] for i in range(4)], float)
    found = Detected(faces[:2], np.array([0.9, 0.8]))
    # Of the recalls 0, 0.01 ... 1 the 51 up to one half are reached, all at precision 1.
    assert average_precision(match_boxes([Marked(faces, NONE)], [found], [0.5]))[0] == pytest.approx(51 / 101)


@pytest.mark.parametrize("overlap", COCO_RANGE)
def test_the_least_overlap_itself_is_enough(overlap):
    marked = [Marked(np.array([[0.0, 0, 100, 100]]), NONE)]
    for shorter, expected in ((0.0, True), (0.01, False)):
        box = np.array([[0, 0, 100, 100 * overlap - shorter]])
        assert match_boxes(marked, [Detected(box, np.ones(1))], [overlap]).right[0, 0] == expected


def test_photographs_without_faces_and_without_boxes():
    empty, nothing = Marked(NONE, NONE), Detected(NONE, np.zeros(0))
    assert np.isnan(average_precision(match_boxes([empty], [nothing]))).all()
    face = Marked(np.array([[0.0, 0, 9, 9]]), NONE)
    matches = match_boxes([face, empty], [nothing, nothing])
    assert average_precision(matches).tolist() == [0.0] * len(COCO_RANGE)
    assert (matches.photos, matches.found.sum()) == (2, 0)
    wrong = match_boxes([empty], [Detected(np.array([[0.0, 0, 9, 9]]), np.ones(1))])
    assert not wrong.right.any()
    assert wrong.counted.all()


def test_a_box_without_area_is_wrong_even_within_what_is_ignored():
    flat = Detected(np.array([[5.0, 5, 5, 9]]), np.ones(1))
    matches = match_boxes([Marked(NONE, np.array([[0.0, 0, 50, 50]]))], [flat])
    assert matches.counted.all()
    assert not matches.right.any()


def test_what_cannot_be_boxes_is_refused():
    square = np.array([[0.0, 0, 9, 9]])
    with pytest.raises(BadRequest, match="finite"):
        Detected(square, np.array([np.nan]))
    with pytest.raises(BadRequest, match="wants 1"):
        Detected(square, np.ones(2))
    with pytest.raises(BadRequest, match="x1 <= x2"):
        Detected(np.array([[9.0, 0, 0, 9]]), np.ones(1))
    with pytest.raises(BadRequest, match="x1 <= x2"):
        Marked(NONE, np.array([[0, 0, np.nan, 9]]))
    with pytest.raises(BadRequest, match="no area"):
        Marked(np.array([[0.0, 0, 0, 9]]), NONE)
    with pytest.raises(BadRequest, match="shape"):
        Marked(np.ones((2, 5)), NONE)
    with pytest.raises(BadRequest, match="1 photographs are marked and 0"):
        match_boxes([Marked(square, NONE)], [])
    with pytest.raises(BadRequest):
        match_boxes([], [])
