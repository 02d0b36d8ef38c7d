import math

import msgspec
import numpy as np
import pytest

from mien.models.blazeface import BlazefaceFacts, decode
from mien.models.stage import read_facts
from mien.packs.builtin import builtin_manifest

MANIFEST = builtin_manifest("blazeface")
FACTS = read_facts(MANIFEST, BlazefaceFacts)
SIZE_WH = MANIFEST.input.size_wh


def centres_slowly():
    """Section 3.2 of the paper: two anchors for each cell of 16 x 16, six for each of 8 x 8."""
    found = []
    for cells, anchors in ((16, 2), (8, 6)):
        side = 128 / cells
        for row in range(cells):
            for column in range(cells):
                found += [((column + 0.5) * side, (row + 0.5) * side)] * anchors
    return found


def some_outputs(rng):
    rows = len(centres_slowly())
    return {
        FACTS.score: rng.normal(-1, 2, (rows, 1)).astype(np.float32),
        FACTS.box: rng.uniform(0, 40, (rows, 16)).astype(np.float32),
    }


def test_there_are_896_anchors():
    assert len(centres_slowly()) == 896
    assert SIZE_WH == (128, 128)
    # And no more: the network's rows would not fit them.
    outputs = {FACTS.score: np.full((896, 1), 9.0), FACTS.box: np.zeros((896, 16))}
    assert decode(FACTS, outputs, SIZE_WH, 0.5).box.shape == (896, 4)


@pytest.mark.parametrize("least", [0.0, 0.7])
def test_decoding_equals_a_slow_loop(rng, least):
    outputs = some_outputs(rng)
    found = decode(FACTS, outputs, SIZE_WH, least)
    number = 0
    for i, (x, y) in enumerate(centres_slowly()):
        score = 1 / (1 + math.exp(-float(outputs[FACTS.score][i, 0])))
        if score < least:
            continue
        across, down, width, height = (float(value) for value in outputs[FACTS.box][i, :4])
        middle = x + across, y + down
        box = (middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2)
        np.testing.assert_allclose(found.box[number], box, atol=1e-3)
        np.testing.assert_allclose(found.score[number], score, rtol=1e-5)
        number += 1
    assert number == len(found.score) > 5
    assert found.points is None


def test_raw_scores_of_any_size_become_shares():
    outputs = {FACTS.score: np.zeros((896, 1), np.float32), FACTS.box: np.zeros((896, 16), np.float32)}
    outputs[FACTS.score][:3, 0] = [-1e30, 1e30, 0]
    score = decode(FACTS, outputs, SIZE_WH, 0.0).score
    np.testing.assert_allclose(score[:3], [0, 1, 0.5], atol=1e-30)
    assert np.isfinite(score).all()


def test_nothing_sure_gives_empty_columns(rng):
    found = decode(FACTS, some_outputs(rng), SIZE_WH, 1.0)
    assert (found.box.shape, found.score.shape) == ((0, 4), (0,))


@pytest.mark.parametrize("wrong", [{"strides": [8]}, {"anchors": [2, 0]}, {"points": "regressors"}])
def test_facts_that_do_not_fit_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(FACTS) | wrong, BlazefaceFacts)
