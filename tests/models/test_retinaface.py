import math

import msgspec
import numpy as np
import pytest

from mien.models.retinaface import RetinafaceFacts, RetinaOutputs, anchors, decode
from mien.models.stage import read_facts
from mien.packs.builtin import builtin_manifest

FACTS = read_facts(builtin_manifest("retinaface"), RetinafaceFacts)


def anchors_slowly(size_wh, strides, sides):
    """Every cell of every map, row by row, has squares around its middle."""
    found = []
    for stride, own in zip(strides, sides, strict=True):
        for row in range(math.ceil(size_wh[1] / stride)):
            for column in range(math.ceil(size_wh[0] / stride)):
                found.extend(((column + 0.5) * stride, (row + 0.5) * stride, side) for side in own)
    return found


def some_outputs(rng, size_wh):
    rows = len(anchors_slowly(size_wh, FACTS.strides, FACTS.sides))
    face = rng.uniform(0, 1, rows)
    outputs = {
        FACTS.outputs.score: np.stack([1 - face, face], 1),
        FACTS.outputs.box: rng.normal(0, 2, (rows, 4)),
        FACTS.outputs.points: rng.normal(0, 5, (rows, 10)),
    }
    return {name: value.astype(np.float32) for name, value in outputs.items()}


@pytest.mark.parametrize("size_wh", [(64, 64), (96, 32), (32, 160), (40, 70)])
def test_anchors_are_where_the_paper_has_them(size_wh):
    """Table 2 has squares of 16 to 406 pixels, two or three to a cell; the strides are the same."""
    found = anchors(size_wh, FACTS.strides, FACTS.sides)
    np.testing.assert_allclose(found, anchors_slowly(size_wh, FACTS.strides, FACTS.sides))


def test_a_picture_of_640_pixels_has_16800_anchors():
    """(80 * 80 + 40 * 40 + 20 * 20) cells, two anchors each."""
    found = anchors((640, 640), FACTS.strides, FACTS.sides)
    assert found.shape == (16_800, 3)
    np.testing.assert_allclose(found[[0, 1, 2, -1]], [(4, 4, 16), (4, 4, 32), (12, 4, 16), (624, 624, 512)])


@pytest.mark.parametrize("size_wh", [(64, 64), (96, 32), (32, 160)])
@pytest.mark.parametrize("least", [0.0, 0.7])
def test_decoding_equals_a_slow_loop(rng, size_wh, least):
    outputs = some_outputs(rng, size_wh)
    found = decode(FACTS, outputs, size_wh, least)
    near, far = FACTS.variances
    number = 0
    for i, (x, y, side) in enumerate(anchors_slowly(size_wh, FACTS.strides, FACTS.sides)):
        score = outputs[FACTS.outputs.score][i, 1]
        if score < least:
            continue
        across, down, wide, high = (float(value) for value in outputs[FACTS.outputs.box][i])
        middle = x + across * near * side, y + down * near * side
        width, height = side * math.exp(wide * far), side * math.exp(high * far)
        box = (middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2)
        five = outputs[FACTS.outputs.points][i]
        points = [(x + five[2 * k] * near * side, y + five[2 * k + 1] * near * side) for k in range(5)]
        np.testing.assert_allclose(found.box[number], box, rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(found.points[number], points, rtol=1e-5, atol=1e-3)
        assert found.score[number] == score
        number += 1
    assert number == len(found.score) > 5


def test_nothing_sure_gives_empty_columns(rng):
    found = decode(FACTS, some_outputs(rng, (64, 64)), (64, 64), 1.01)
    assert (found.box.shape, found.score.shape, found.points.shape) == ((0, 4), (0,), (0, 5, 2))


def test_files_without_points(rng):
    names = RetinaOutputs(FACTS.outputs.score, FACTS.outputs.box)
    facts = msgspec.structs.replace(FACTS, outputs=names)
    found = decode(facts, some_outputs(rng, (64, 64)), (64, 64), 0.5)
    assert len(found.box) > 5
    assert found.points is None


@pytest.mark.parametrize(
    "wrong", [{"strides": [8, 16]}, {"variances": [0.1]}, {"variances": [0.1, 0]}, {"sides": [[0], [1], [2]]}]
)
def test_facts_that_do_not_fit_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(FACTS) | wrong, RetinafaceFacts)
