from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from mien.core.columns import BY_NAME
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.quality_parts import QualityParts
from mien.packs.builtin import builtin_manifest
from mien.settings import Settings

LABELS = BY_NAME["quality_parts"].labels
# Eyes, nose, mouth corners in the distance of the eyes, from between the eyes; the nose on the middle.
SHAPE = np.array([(-56.5, 0), (56.5, 0), (0, 64), (-46.5, 130), (46.5, 130)]) / 113
LIGHT = LABELS[:9]


def stage(**facts):
    manifest = builtin_manifest("quality-parts")
    if facts:
        manifest = msgspec.structs.replace(manifest, facts=manifest.facts | facts)
    return QualityParts(SimpleNamespace(manifest=manifest), None, Settings())


@pytest.fixture(scope="module")
def parts():
    return stage()


def at(centre, apart, turn_deg=0.0, shape=SHAPE):
    """Five points of a face with its eyes around `centre`."""
    turn = np.radians(turn_deg)
    matrix = apart * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return shape @ matrix.T + centre


def faces_of(image, *points):
    n = len(points)
    box = np.tile([0, 0, 9, 9], (n, 1)).reshape(n, 4)
    return Faces(image.size_wh, box, np.ones(n), points=np.array(points).reshape(n, 5, 2))


def measured(parts, rgb, points):
    image = Image(np.ascontiguousarray(rgb))
    row = parts([image], [faces_of(image, points)])[0].quality_parts[0]
    return dict(zip(LABELS, row, strict=True))


def flat(value, size_wh=(400, 400)):
    return np.full((size_wh[1], size_wh[0], 3), value, np.uint8)


def noise(rng, size_wh=(400, 400), low=0, high=256):
    return rng.integers(low, high, (size_wh[1], size_wh[0], 3), np.uint8)


def curve(x, middle, width):
    return 1 / (1 + np.exp((middle - x) / width))


MIDDLE = at((200, 180), 70)


def test_all_are_shares(parts, rng):
    found = measured(parts, noise(rng), MIDDLE)
    assert all(0 <= value <= 1 for value in found.values())


@pytest.mark.parametrize("value", [0, 60, 128, 188, 230, 255])
def test_even_light_has_the_values_of_the_standard(parts, value):
    found = measured(parts, flat(value), MIDDLE)
    linear = value / 255 / 12.92 if value < 11 else ((value / 255 + 0.055) / 1.055) ** 2.4
    linear = round(linear * 255) / 255
    assert found["luminance_mean"] == pytest.approx(
        curve(linear, 0.2, 0.05) * (1 - curve(linear, 0.8, 0.05)), abs=1e-5
    )
    assert found["luminance_variance"] == pytest.approx(0, abs=1e-6)
    assert found["dynamic_range"] == pytest.approx(0, abs=1e-6)
    assert found["illumination_uniformity"] == 1
    assert found["natural_colour"] == 1
    assert found["background_uniformity"] > 0.99
    dark = linear * 255 <= 25
    assert found["under_exposure_prevention"] == pytest.approx(
        np.clip(1.2 * (0.832 - curve(float(dark), 0.92, 0.05)), 0, 1), abs=1e-5
    )
    assert found["over_exposure_prevention"] == pytest.approx(0.01 / (float(value == 255) + 0.01), abs=1e-5)


def test_two_lights_have_the_variance_of_two_values(parts):
    rgb = flat(0)
    rgb[:, 200:] = 188  # half of the light, to the last bit of eight
    found = measured(parts, rgb, at((199.5, 180), 70))
    value = ((188 / 255 + 0.055) / 1.055) ** 2.4
    variance = (round(value * 255) / 255) ** 2 / 4
    expected = np.sin(np.pi * 60 * variance / (60 * variance + 1))
    assert found["luminance_variance"] == pytest.approx(expected, abs=0.01)
    assert found["dynamic_range"] == pytest.approx(1 / 8, abs=0.02)
    assert found["illumination_uniformity"] == 0


def test_size_is_the_distance_of_the_eyes(parts):
    for apart in (20, 70, 110):
        found = measured(parts, flat(128), at((200, 180), apart))
        assert found["inter_eye_distance"] == pytest.approx(curve(apart, 70, 20), abs=1e-3)


@pytest.mark.parametrize(
    ("label", "centre"),
    [
        # 0.9 distances of the eyes beside the eye; the picture ends half a pixel outside its last pixel.
        ("leftward_crop", ((0.9 + 0.5) * 60 - 0.5, 200)),
        ("rightward_crop", (399.5 - (0.9 + 0.5) * 60, 200)),
        # 1.4 and 1.8 times the way to the chin, which is 1.75 times that to the mouth.
        ("margin_above", (200, 1.4 * 1.75 * 130 / 113 * 60 - 0.5)),
        ("margin_below", (200, 399.5 - 1.8 * 1.75 * 130 / 113 * 60)),
    ],
)
def test_margins_are_a_half_where_the_standard_says(parts, label, centre):
    found = measured(parts, flat(128), at(centre, 60))
    assert found[label] == pytest.approx(0.5, abs=0.01)
    others = {"leftward_crop", "rightward_crop"} - {label}
    assert all(found[other] > 0.99 for other in others)


@pytest.mark.parametrize("turn_deg", [0, 20, -45, 120])
def test_roll(parts, turn_deg):
    found = measured(parts, flat(128), at((200, 200), 50, turn_deg))
    expected = np.cos(np.radians(turn_deg)) ** 2 if abs(turn_deg) < 90 else 0
    assert found["head_pose_roll"] == pytest.approx(expected, abs=1e-4)
    assert found["head_pose_yaw"] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("yaw_deg", [0, 15, -30, 60, 90])
def test_yaw_from_a_nose_that_stands_out(parts, yaw_deg):
    yaw = np.radians(yaw_deg)
    depth = np.array([0, 0, 0.5, 0, 0])
    seen = np.stack([SHAPE[:, 0] * np.cos(yaw) + depth * np.sin(yaw), SHAPE[:, 1]], 1)
    found = measured(parts, flat(128), at((200, 180), 60, 10, seen))
    assert found["head_pose_yaw"] == pytest.approx(np.cos(yaw) ** 2, abs=1e-3)


def test_background_is_beside_and_above_the_head(parts, rng):
    points = at((200, 180), 60)
    face_only = flat(128)
    face_only[140:, 150:251] = noise(rng, (101, 260))
    assert measured(parts, face_only, points)["background_uniformity"] > 0.99
    busy = noise(rng)
    busy[80:, 102:299] = 128
    assert measured(parts, busy, points)["background_uniformity"] < 0.05


def test_no_background_in_sight_does_not_disturb(parts, rng):
    points = at((50, 40), 60)
    assert measured(parts, noise(rng, (100, 120)), points)["background_uniformity"] > 0.99


def test_a_slope_has_the_gradient_that_ofiq_measures(parts):
    """OFIQ makes 354 pixels of 492 of its frame and filters with Scharr, which gives 32 times the slope."""
    linear = np.arange(400) / 399
    srgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear) * 255
    rgb = np.repeat(np.tile(srgb.round().astype(np.uint8), (400, 1))[..., None], 3, 2)
    found = measured(parts, rgb, at((200, 200), 113))  # the frame's own scale
    slope = 32 * 255 / 399 / (354 / 492)
    assert found["background_uniformity"] == pytest.approx(1.9 * (1 - curve(slope, 10, 100)), abs=0.05)


def test_light_does_not_depend_on_the_size_of_the_face(parts, demo_pictures):
    picture = PIL.Image.fromarray(demo_pictures[0].rgb).resize((400, 400))
    small = measured(parts, np.asarray(picture), MIDDLE)
    large = measured(parts, np.asarray(picture.resize((1200, 1200))), 3 * MIDDLE + 1)
    for label in (
        "luminance_mean",
        "luminance_variance",
        "dynamic_range",
        "natural_colour",
        "illumination_uniformity",
    ):
        assert small[label] == pytest.approx(large[label], abs=0.05), label


def test_what_is_out_of_the_picture_is_not_looked_at(parts):
    cut = measured(parts, flat(188), at((10, 180), 70))
    whole = measured(parts, flat(188), MIDDLE)
    for label in ("luminance_mean", "under_exposure_prevention", "dynamic_range", "luminance_variance"):
        assert cut[label] == pytest.approx(whole[label], abs=1e-5), label
    assert cut["leftward_crop"] < 0.01


def test_a_face_that_the_picture_does_not_show_is_worth_nothing(parts, rng):
    found = measured(parts, noise(rng), at((-900, 2000), 70))
    assert [found[label] for label in LIGHT] == [0] * len(LIGHT)


def test_crowds_equal_single_faces(parts, rng):
    image = Image(noise(rng))
    points = [at(rng.uniform(0, 400, 2), rng.uniform(5, 150), rng.uniform(-90, 90)) for _ in range(70)]
    faces = faces_of(image, *points)
    together = parts([image], [faces])[0].quality_parts
    for i in (0, 31, 32, 69):
        np.testing.assert_allclose(parts([image], [faces[[i]]])[0].quality_parts[0], together[i], atol=1e-5)


def test_pictures_of_a_batch_equal_single_ones(parts, rng):
    images = [Image(noise(rng, size)) for size in ((300, 200), (1, 1), (90, 400))]
    faces = [
        faces_of(images[0], MIDDLE),
        faces_of(images[1], MIDDLE),
        faces_of(images[2], MIDDLE / 2, MIDDLE / 4),
    ]
    together = parts(images, faces)
    assert [len(found) for found in together] == [1, 1, 2]
    for image, given, found in zip(images, faces, together, strict=True):
        np.testing.assert_allclose(parts([image], [given])[0].quality_parts, found.quality_parts, atol=1e-5)


def test_no_face_and_no_picture(parts):
    image = Image(flat(0, (1, 1)))
    assert parts([image], [faces_of(image)])[0].quality_parts.shape == (0, len(LABELS))
    assert parts([], []) == []


@pytest.mark.parametrize(
    "facts",
    [{"window": [180, 222, 250, 272]}, {"window": [0, 0, 8, 8]}, {"curves": {}}, {"zoom": 0}, {"odd": 1}],
)
def test_facts_that_do_not_fit_are_refused(facts):
    with pytest.raises(ManifestInvalid, match="quality-parts"):
        stage(**facts)


def test_photographs_get_worse_where_they_were_spoilt(parts, kit, demo_pictures):
    detector = kit.stage("mtcnn")
    worse = {
        "sharpness": lambda picture: picture.filter(PIL.ImageFilter.GaussianBlur(picture.width / 60)),
        "under_exposure_prevention": lambda picture: picture.point(lambda value: value // 8),
        "over_exposure_prevention": lambda picture: picture.point(lambda value: min(255, 4 * value)),
        "luminance_variance": lambda picture: picture.point(lambda value: 120 + value // 40),
    }
    for image in demo_pictures[:3]:
        faces = detector([image], [Faces.empty(image.size_wh)])[0].largest()
        good = dict(zip(LABELS, parts([image], [faces])[0].quality_parts[0], strict=True))
        for label, spoil in worse.items():
            spoilt = replace(image, rgb=np.asarray(spoil(PIL.Image.fromarray(image.rgb))))
            row = parts([spoilt], [faces])[0].quality_parts[0]
            assert row[LABELS.index(label)] < good[label] - 0.2, label
