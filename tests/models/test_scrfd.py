import itertools
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from mien.core.image import Image
from mien.media.images import find_images, open_image
from mien.models.scrfd import ScrfdFacts, ScrfdMap, decode, scrfd
from mien.models.stage import read_facts
from mien.models.table import load_stage
from mien.packs.builtin import builtin_manifest
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings

PACKS = ("scrfd-500m", "scrfd-2.5g")
FACTS = {name: read_facts(builtin_manifest(name), ScrfdFacts) for name in PACKS}


def some_outputs(rng, facts, size_wh):
    outputs = {}
    for one in facts.maps:
        rows = (size_wh[0] // one.stride) * (size_wh[1] // one.stride) * facts.anchors
        outputs[one.score] = rng.uniform(0, 1, (rows, 1)).astype(np.float32)
        outputs[one.box] = rng.uniform(0, 4, (rows, 4)).astype(np.float32)
        if one.points:
            outputs[one.points] = rng.normal(0, 2, (rows, 10)).astype(np.float32)
    return outputs


def decode_slowly(facts, outputs, size_wh, least):
    """Distances from the corner of each cell, where all its anchors are, to the sides of the box."""
    rows = []
    for one in facts.maps:
        number = -1
        for y in range(0, size_wh[1], one.stride):
            for x in range(0, size_wh[0], one.stride):
                for _ in range(facts.anchors):
                    number += 1
                    score = outputs[one.score][number, 0]
                    if score < least:
                        continue
                    left, up, right, down = outputs[one.box][number] * one.stride
                    shifts = outputs[one.points][number] * one.stride
                    points = [(x + shifts[2 * i], y + shifts[2 * i + 1]) for i in range(5)]
                    rows.append(((x - left, y - up, x + right, y + down), score, points))
    return rows


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("size_wh", [(64, 64), (96, 32), (32, 160)])
@pytest.mark.parametrize("least", [0.0, 0.7])
def test_decoding_equals_a_slow_loop(rng, name, size_wh, least):
    facts = FACTS[name]
    outputs = some_outputs(rng, facts, size_wh)
    found = decode(facts, outputs, size_wh, least)
    expected = decode_slowly(facts, outputs, size_wh, least)
    assert len(expected) == len(found.score) > 5
    for i, (box, score, points) in enumerate(expected):
        np.testing.assert_allclose(found.box[i], box, atol=1e-3)
        assert found.score[i] == score
        np.testing.assert_allclose(found.points[i], points, atol=1e-3)


def test_nothing_sure_gives_empty_columns(rng):
    facts = FACTS["scrfd-500m"]
    found = decode(facts, some_outputs(rng, facts, (64, 64)), (64, 64), 1.01)
    assert (found.box.shape, found.score.shape, found.points.shape) == ((0, 4), (0,), (0, 5, 2))


def test_files_without_points(rng):
    maps = tuple(ScrfdMap(one.stride, one.score, one.box) for one in FACTS["scrfd-500m"].maps)
    facts = msgspec.structs.replace(FACTS["scrfd-500m"], maps=maps)
    found = decode(facts, some_outputs(rng, facts, (64, 64)), (64, 64), 0.5)
    assert len(found.box) > 5
    assert found.points is None


@pytest.mark.parametrize("points", [True, False])
def test_what_it_gives_depends_on_the_file(points):
    facts = msgspec.to_builtins(FACTS["scrfd-500m"])
    if not points:
        for one in facts["maps"]:
            one["points"] = None
    manifest = msgspec.structs.replace(builtin_manifest("scrfd-500m"), facts=facts)
    runtime = SimpleNamespace(device="cpu", network=lambda path: None)
    stage = scrfd(SimpleNamespace(manifest=manifest, file=str), runtime, Settings())
    assert ("points" in stage.gives) == points


@pytest.mark.parametrize("wrong", [{"anchors": 0}, {"maps": [{"stride": 8, "score": "a"}]}, {"sides": [1]}])
def test_facts_that_do_not_fit_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(FACTS["scrfd-500m"]) | wrong, ScrfdFacts)


@pytest.fixture(scope="module")
def stage(shared, tmp_path_factory):
    store = PackStore(tmp_path_factory.mktemp("packs"), shared("models/research").as_uri())

    def make(name, search="normal"):
        pack = store.install(name, accept_licence=True)
        return load_stage(pack, Runtime("cpu", 1), Settings(search=search))

    return make


@pytest.mark.parametrize("name", PACKS)
def test_faces_that_fill_the_picture_are_found_from_afar(shared, stage, name):
    """Most of them not in the whole view, in which they are larger than the faces it learned from."""
    close_ups = [
        open_image(shared(f"data/faces_wild/{path}"))
        for path in ("expressions_and_odd/0-f1-su-ph.jpg", "varied/crop.png", "varied/happy.png")
    ]
    near, afar = (stage(name, search)(close_ups, [None] * 3) for search in ("normal", "close"))
    assert sum(map(len, near)) < sum(map(len, afar))
    for image, faces in zip(close_ups, afar, strict=True):
        assert len(faces) == 1
        assert faces.size_wh == image.size_wh
        assert (faces.box[0, 2:] - faces.box[0, :2]).max() > 0.4 * max(image.size_wh)


def test_the_file_that_takes_several_pictures_keeps_them_apart(shared, stage):
    """As a GPU is given them: what the network says of each is not interleaved."""
    paths = itertools.islice(find_images([shared("data/faces_wild/people")]), 3)
    pictures = [Image(np.ascontiguousarray(open_image(path).rgb[:640, :640])) for path in paths]
    several = stage("scrfd-500m")
    several._most_pixels = 3 * 640 * 640
    alone = stage("scrfd-500m")
    together = several(pictures, [None] * 3)
    assert sum(map(len, together)) >= 3
    for image, faces in zip(pictures, together, strict=True):
        (expected,) = alone([image], [None])
        np.testing.assert_allclose(faces.box, expected.box, atol=1e-2)
        np.testing.assert_allclose(faces.points, expected.points, atol=1e-2)
    assert not FACTS["scrfd-2.5g"].batched
