import itertools

import msgspec
import numpy as np
import pytest

from mien.core.image import Image
from mien.models.mmod import MmodFacts, boxes_from_centres, resize_corners, suppress, tile_layout

FACTS = MmodFacts(80, 8, 14, 6, 10, 11, 8_000_000, 0.0, 0.338, 1.0, 0.3)


@pytest.fixture(scope="module")
def detect(kit):
    stage = kit.stage("mmod")
    return lambda image: stage([image], [None])[0]


@pytest.fixture(scope="module")
def theirs(dlib, dlib_models):
    return dlib.cnn_face_detection_model_v1(str(dlib_models / "mmod_human_face_detector.dat"))


def shrunk(image, longest=480):
    # dlib needs seconds for a large photograph; every second pixel will do for a comparison.
    step = max(1, round(max(image.size_wh) / longest))
    return Image(np.ascontiguousarray(image.rgb[::step, ::step]))


def assert_same_boxes(detect, theirs, pictures):
    compared = 0
    for image in map(shrunk, pictures):
        expected = [
            (r.rect.left(), r.rect.top(), r.rect.right(), r.rect.bottom())
            for r in theirs(image.rgb.copy(), 0)
        ]
        found = detect(image)
        assert len(found) == len(expected)
        for box in np.array(expected).reshape(-1, 4):
            assert np.abs(found.box - box).max(1).min() <= 2
        compared += len(expected)
    assert compared > 0


def test_boxes_are_those_of_dlib(detect, theirs, demo_pictures):
    assert_same_boxes(detect, theirs, demo_pictures)


@pytest.mark.slow
def test_boxes_are_those_of_dlib_in_the_wild(detect, theirs, wild_pictures):
    assert_same_boxes(detect, theirs, wild_pictures[::24])


@pytest.mark.parametrize("size_wh", [(640, 480), (480, 640), (100, 900), (900, 100), (81, 81), (512, 512)])
def test_tiles_do_not_touch(size_wh):
    tiles, canvas_wh = tile_layout(size_wh, FACTS)
    cover = np.zeros(canvas_wh[::-1], int)
    for x, y, width, height in tiles:
        assert x >= 11
        assert y >= 11
        assert x + width <= canvas_wh[0] - 11
        assert y + height <= canvas_wh[1] - 11
        cover[y : y + height, x : x + width] += 1
    assert cover.max() == 1
    assert tuple(tiles[0, 2:]) == size_wh
    for before, after in itertools.pairwise(tiles):
        assert tuple(after[2:]) == tuple(side * 5 // 6 for side in before[2:])


def test_resize_keeps_corners_and_ramps():
    ramp = np.linspace(0, 1, 11, dtype=np.float32)[None, None].repeat(7, 1)
    small = resize_corners(ramp, 6, 4)
    np.testing.assert_allclose(small[0, 2], np.linspace(0, 1, 6), atol=1e-6)
    assert resize_corners(ramp, 11, 7) is ramp
    assert resize_corners(ramp, 1, 1).shape == (1, 1, 1)


def test_centre_on_the_first_tile_maps_to_itself():
    tiles, _ = tile_layout((400, 300), FACTS)
    box = boxes_from_centres(np.array([[111.0, 91.0]]), tiles, FACTS)
    np.testing.assert_allclose(box, [[100 - 39.5, 80 - 39.5, 100 + 39.5, 80 + 39.5]])
    assert boxes_from_centres(np.zeros((0, 2)), tiles, FACTS).shape == (0, 4)


def test_suppression_counts_pixels():
    # Two 10-pixel squares that share 5 columns: 50 of 150 pixels.
    box = np.array([[0, 0, 9, 9], [5, 0, 14, 9], [40, 40, 49, 49]], float)
    score = np.array([0.5, 0.9, 0.1])
    assert suppress(box, score, 0.34, 1.0).tolist() == [1, 0, 2]
    assert suppress(box, score, 0.33, 1.0).tolist() == [1, 2]
    assert suppress(box, score, 0.34, 0.49).tolist() == [1, 2]


def test_tiny_pictures_have_no_faces(detect):
    for height, width in ((1, 1), (3, 200), (200, 3), (79, 79)):
        assert len(detect(Image(np.zeros((height, width, 3), np.uint8)))) == 0


def test_pictures_beyond_the_bound_are_shrunk_and_boxes_put_back(kit, demo_pictures):
    stage = kit.stage("mmod")
    image = demo_pictures[0]
    whole = stage([image], [None])[0]
    factor = 3
    large = image.with_(rgb=np.ascontiguousarray(image.rgb.repeat(factor, 0).repeat(factor, 1)))
    small = type(stage)(kit.packs.get("mmod"), kit.runtime, kit.settings)
    small.facts = msgspec.structs.replace(stage.facts, most_pixels=image.width * image.height)
    found = small([large], [None])[0]
    assert len(found) == len(whole) > 0
    np.testing.assert_allclose(found.box / factor, whole.box, atol=6)


@pytest.mark.parametrize("wrong", [{"rate": 1}, {"stride": 0}, {"iou": 2.0}, {"score_scale": 0.0}])
def test_facts_out_of_range_are_refused(wrong):
    facts = msgspec.to_builtins(FACTS) | wrong
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(facts, MmodFacts)
