import msgspec
import numpy as np
import pytest

from mien.models.stage import read_facts
from mien.models.ultraface import UltrafaceFacts, decode
from mien.packs.builtin import builtin_manifest

MANIFEST = builtin_manifest("ultraface")
FACTS = read_facts(MANIFEST, UltrafaceFacts)
# 40 x 30, 20 x 15, 10 x 8 and 5 x 4 cells, the first and the last with three anchors, the others with two.
ANCHORS = 4420


def some_outputs(rng, rows=ANCHORS):
    face = rng.uniform(0, 1, rows)
    corners = np.sort(rng.uniform(-0.1, 1.1, (rows, 2, 2)), 1).reshape(rows, 4)
    outputs = {FACTS.score: np.stack([1 - face, face], 1), FACTS.box: corners}
    return {name: value.astype(np.float32) for name, value in outputs.items()}


@pytest.mark.parametrize("size_wh", [(320, 240), (640, 480)])
@pytest.mark.parametrize("least", [0.0, 0.9])
def test_decoding_equals_a_slow_loop(rng, size_wh, least):
    outputs = some_outputs(rng, 400)
    found = decode(FACTS, outputs, size_wh, least)
    width, height = size_wh
    expected = []
    for (_, face), (left, top, right, bottom) in zip(outputs[FACTS.score], outputs[FACTS.box], strict=True):
        if face >= least:
            expected.append((left * width, top * height, right * width, bottom * height, face))
    assert len(expected) == len(found.score) > 5
    np.testing.assert_allclose(found.box, np.array(expected)[:, :4], atol=1e-3)
    np.testing.assert_array_equal(found.score, np.array(expected)[:, 4])
    assert found.points is None


def test_nothing_sure_gives_empty_columns(rng):
    found = decode(FACTS, some_outputs(rng), (320, 240), 1.01)
    assert (found.box.shape, found.score.shape) == ((0, 4), (0,))


@pytest.mark.parametrize("missing", ["score", "box", "sure"])
def test_facts_that_are_missing_are_named(missing):
    facts = {name: value for name, value in msgspec.to_builtins(FACTS).items() if name != missing}
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert(facts, UltrafaceFacts)
