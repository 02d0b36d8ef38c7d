import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.ops import boxes
from mien.ops.boxes import area, clip, intersection, iou, nms, soft_nms, square

quick = settings(deadline=None, max_examples=60, derandomize=True, database=None)
corner = st.integers(-20, 20)
side = st.integers(0, 15)
box_lists = st.lists(st.tuples(corner, corner, side, side), max_size=14).map(
    lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows], np.float64).reshape(-1, 4)
)


def random_boxes(rng, n, canvas=60, largest=25):
    low = rng.integers(0, canvas, (n, 2))
    return np.concatenate([low, low + rng.integers(1, largest, (n, 2))], 1).astype(np.float64)


def pixels(box, canvas=120, origin=40):
    """The set of whole pixels that each integer box covers."""
    masks = np.zeros((len(box), canvas, canvas), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, box.astype(int) + origin, strict=True):
        mask[y1:y2, x1:x2] = True
    return masks


def overlap_of_two(a, b, measure):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = width * height if width > 0 and height > 0 else 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    whole = min(areas) if measure == "smaller" else sum(areas) - shared
    return shared / whole if whole else 0.0


def greedy(box, score, threshold, measure="union", group=None):
    """Non-maximum suppression as every textbook writes it."""
    box, score = box.tolist(), score.tolist()
    left, kept = sorted(range(len(box)), key=lambda i: (-score[i], i)), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [
            i
            for i in left
            if (group is not None and group[i] != group[best])
            or overlap_of_two(box[best], box[i], measure) <= threshold
        ]
    return kept


@quick
@given(box_lists, box_lists)
def test_overlap_is_what_counting_pixels_says(a, b):
    in_a, in_b = pixels(a)[:, None], pixels(b)[None]
    shared, union = (in_a & in_b).sum((2, 3)), (in_a | in_b).sum((2, 3))
    np.testing.assert_array_equal(intersection(a, b), shared)
    np.testing.assert_allclose(iou(a, b), np.where(union > 0, shared / np.maximum(union, 1), 0), rtol=1e-12)
    np.testing.assert_array_equal(area(a), pixels(a).sum((1, 2)))


@quick
@given(box_lists, box_lists)
def test_iou_is_symmetric_within_bounds_and_one_with_itself(a, b):
    found = iou(a, b)
    np.testing.assert_array_equal(found, iou(b, a).T)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_array_equal(np.diagonal(iou(a, a)), (area(a) > 0).astype(float))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_iou_of_halves_and_quarters(dtype):
    a = np.array([[0, 0, 10, 10]], dtype)
    b = np.array([[0, 0, 10, 5], [5, 5, 15, 15], [10, 0, 20, 10], [0, 0, 10, 10]], dtype)
    np.testing.assert_allclose(iou(a, b), [[1 / 2, 25 / 175, 0, 1]], rtol=1e-6)


def test_inverted_boxes_cover_nothing():
    inverted = np.array([[10.0, 10, 0, 0], [10, 0, 0, 10]])
    assert area(inverted).tolist() == [0, 0]
    assert not iou(inverted, np.array([[-50.0, -50, 50, 50]])).any()
    assert not iou(inverted, inverted).any()


@pytest.mark.parametrize("measure", ["union", "smaller"])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nms_is_the_greedy_loop(rng, measure, threshold, dtype):
    box = random_boxes(rng, 150).astype(dtype)
    score = rng.random(150).astype(dtype)
    assert nms(box, score, threshold, measure=measure).tolist() == greedy(box, score, threshold, measure)


def test_of_equal_scores_the_earlier_wins(rng):
    box, score = random_boxes(rng, 200, canvas=40), rng.integers(0, 4, 200) / 4
    kept = nms(box, score, 0.3)
    assert kept.tolist() == greedy(box, score, 0.3)
    same = np.array([[0.0, 0, 5, 5]] * 4)
    assert nms(same, np.array([0.5, 0.9, 0.9, 0.5]), 0.3).tolist() == [1]


def test_overlapping_by_exactly_the_threshold_is_allowed():
    box = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5]])
    score = np.array([0.9, 0.8])
    assert nms(box, score, 0.5).tolist() == [0, 1]
    assert nms(box, score, 0.499).tolist() == [0]


@pytest.mark.parametrize("measure", ["union", "smaller"])
def test_nms_over_several_blocks(rng, measure):
    n = 2 * boxes._BLOCK + 77
    box, score = random_boxes(rng, n, canvas=700, largest=60), rng.integers(0, 300, n) / 300
    kept = nms(box, score, 0.2, measure=measure)
    assert len(kept) > boxes._BLOCK * 3 // 4, "so that later blocks meet many kept boxes"
    assert kept.tolist() == greedy(box, score, 0.2, measure)


def test_groups_do_not_compete(rng):
    box, score, group = random_boxes(rng, 300, canvas=40), rng.random(300), rng.integers(-2, 9, 300)
    kept = nms(box, score, 0.3, group=group)
    assert kept.tolist() == greedy(box, score, 0.3, group=group.tolist())
    apart = [
        np.flatnonzero(group == g)[nms(box[group == g], score[group == g], 0.3)] for g in np.unique(group)
    ]
    assert sorted(kept) == sorted(np.concatenate(apart))


@pytest.mark.parametrize("groups", [(0, 1), (1, 0), (-3, -2), (0, 1000)])
def test_boxes_of_two_groups_never_meet_wherever_they_are(groups):
    for away in range(-120, 120, 3):
        box = np.array([[0, 0, 10, 10], [away, away, away + 10, away + 10]], np.float32)
        assert nms(box, np.array([0.9, 0.8]), 0.0, group=np.array(groups)).tolist() == [0, 1]


@quick
@given(box_lists, st.integers(0, 9), st.sampled_from(["union", "smaller"]), st.data())
def test_nms_keeps_the_best_and_no_two_that_overlap(box, tenths, measure, data):
    n = len(box)
    score = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), float)
    group = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), int)
    with mock.patch.object(boxes, "_BLOCK", 4):
        kept = nms(box, score, tenths / 10, measure=measure, group=group).tolist()
    assert kept == greedy(box, score, tenths / 10, measure, group.tolist())
    assert [score[i] for i in kept] == sorted(score[kept], reverse=True)
    for place, i in enumerate(kept):
        for j in kept[place + 1 :]:
            assert group[i] != group[j] or overlap_of_two(box[i], box[j], measure) <= tenths / 10


@pytest.mark.parametrize("group", [None, np.zeros(0, int)])
def test_nothing_suppresses_to_nothing(group):
    kept = nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.5, group=group)
    assert kept.shape == (0,)
    assert np.issubdtype(kept.dtype, np.integer)
    indices, scores = soft_nms(np.zeros((0, 4)), np.zeros(0))
    assert indices.shape == scores.shape == (0,)
    assert np.zeros(3)[indices].shape == (0,)


def soft_greedy(box, score, sigma, least):
    """The pseudo-code of the paper's figure 2, its scores cut at the end."""
    left, final = list(range(len(box))), list(map(float, score))
    order = []
    while left:
        best = max(left, key=lambda i: (final[i], -i))
        left.remove(best)
        order.append(best)
        for i in left:
            final[i] *= math.exp(-(overlap_of_two(box[best], box[i], "union") ** 2) / sigma)
    kept = [i for i in order if final[i] >= least]
    return kept, [final[i] for i in kept]


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("least", [0.0, 0.001, 0.2])
def test_soft_nms_is_the_papers_loop(rng, sigma, least):
    box, score = random_boxes(rng, 80), rng.random(80)
    indices, scores = soft_nms(box, score, sigma=sigma, least=least)
    expected, lowered = soft_greedy(box, score, sigma, least)
    assert indices.tolist() == expected
    np.testing.assert_allclose(scores, lowered, rtol=1e-9)


def test_soft_nms_leaves_its_arguments_and_lone_boxes_alone(rng):
    box, score = np.array([[0.0, 0, 5, 5], [50, 50, 60, 60], [0, 0, 5, 5]]), np.array([0.5, 0.75, 0.25])
    indices, scores = soft_nms(box, score)
    assert indices.tolist() == [1, 0, 2]
    np.testing.assert_allclose(scores, [0.75, 0.5, 0.25 * math.exp(-2)])
    assert score.tolist() == [0.5, 0.75, 0.25]


def test_clip_cuts_to_the_picture():
    box = np.array([[-5, -6, 5, 6], [90, 40, 110, 60], [200, 200, 300, 300], [1, 2, 3, 4]], np.float32)
    cut = clip(box, (100, 50))
    assert cut.tolist() == [[0, 0, 5, 6], [90, 40, 100, 50], [100, 50, 100, 50], [1, 2, 3, 4]]
    assert cut.dtype == np.float32
    assert box[0, 0] == -5
    assert clip(np.zeros((0, 4)), (5, 5)).shape == (0, 4)


@quick
@given(box_lists)
def test_square_keeps_the_centre_and_takes_the_longer_side(box):
    squares = square(box)
    assert squares.shape == box.shape
    for before, after in zip(box.tolist(), squares.tolist(), strict=True):
        longer = max(before[2] - before[0], before[3] - before[1])
        assert (after[2] - after[0], after[3] - after[1]) == (longer, longer)
        assert (after[0] + after[2], after[1] + after[3]) == (before[0] + before[2], before[1] + before[3])
