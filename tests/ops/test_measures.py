import itertools

import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from mien.ops.measures import (
    alike,
    colour_distance,
    entropy,
    histograms,
    linear_light,
    logistic,
    luminance,
    moments,
    sharpness,
)


def everywhere(values):
    return np.ones(values.shape[:3], bool)


def texture(rng, blur=0.0, contrast=1.0, size=(128, 136)):
    """A picture with detail of all sizes, `(1, h, w, 3)`."""
    coarse = [PIL.Image.fromarray(rng.integers(0, 256, (n, n), np.uint8)).resize(size) for n in (8, 32, 96)]
    picture = PIL.Image.fromarray(np.mean([np.asarray(one) for one in coarse], 0).astype(np.uint8))
    grey = np.asarray(picture.filter(PIL.ImageFilter.GaussianBlur(blur)), float)
    return np.repeat((128 + contrast * (grey - 128)).astype(np.uint8)[None, ..., None], 3, 3)


def test_logistic_is_a_half_in_the_middle_and_never_overflows():
    with np.errstate(all="raise"):
        found = logistic(np.array([-1e9, 0.0, 1.0, 1e9]), 0.0, 1.0)
    np.testing.assert_allclose(found, [0, 0.5, 1 / (1 + np.exp(-1)), 1], atol=1e-12)


def test_linear_light_is_that_of_srgb():
    # IEC 61966-2-1: 0.5 of sRGB is 0.2140 of light; its straight part ends at 0.04045.
    np.testing.assert_allclose(
        linear_light(np.array([0, 0.04045, 0.5, 1])), [0, 0.0031308, 0.21404, 1], atol=1e-5
    )


def test_luminance_weighs_linear_light(rng):
    rgb = rng.integers(0, 256, (40, 3), np.uint8)
    expected = linear_light(rgb / 255.0) @ [0.2126, 0.7152, 0.0722] * 255
    np.testing.assert_allclose(luminance(rgb), expected, atol=0.5 + 1e-9)
    assert luminance(np.array([255, 255, 255], np.uint8)) == 255


def test_histograms_count_each_face_for_itself_and_only_in_the_mask(rng):
    values = rng.integers(0, 256, (3, 20, 10), np.uint8)
    mask = rng.random(values.shape) < 0.5
    mask[2] = False
    found = histograms(values, mask)
    for i in range(2):
        expected, _ = np.histogram(values[i][mask[i]], np.arange(257), density=True)
        np.testing.assert_allclose(found[i], expected)
    assert not found[2].any()


def test_moments_are_mean_and_variance(rng):
    values = rng.integers(0, 256, (2, 30, 30), np.uint8)
    mean, variance = moments(histograms(values, np.ones(values.shape, bool)))
    np.testing.assert_allclose(mean, values.mean((1, 2)) / 255)
    np.testing.assert_allclose(variance, values.var((1, 2)) / 255**2)


def test_entropy_counts_bits():
    shares = np.zeros((3, 256))
    shares[0, 7] = 1
    shares[1, [3, 200]] = 0.5
    shares[2] = 1 / 256
    np.testing.assert_allclose(entropy(shares), [0, 1, 8])


def test_alike_is_what_two_histograms_share():
    a = np.zeros((3, 4, 4), np.uint8)
    b = np.zeros((3, 4, 4), np.uint8)
    b[1] = 255
    b[2, :2] = 255
    np.testing.assert_allclose(alike(a, b), [1, 0, 0.5])


# CIELAB under D50 of the primaries of sRGB, http://www.brucelindbloom.com: red 80.81 and 69.89, green
# -79.27 and 80.99, blue 68.30 and -112.03.
@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((255, 0, 0), np.hypot(80.81 - 25, 69.89 - 35)),
        ((0, 255, 0), 100),
        ((0, 0, 255), 100),
        ((128, 128, 128), 0),
        ((200, 150, 125), 0),
    ],
)
def test_distance_from_the_colour_of_skin(rgb, expected):
    pixels = np.full((1, 2, 5, 5, 3), rgb, np.uint8)
    assert colour_distance(pixels)[0] == pytest.approx(expected, abs=0.1)


def test_grey_pictures_are_natural_but_nearly_grey_ones_are_not():
    pixels = np.full((2, 6, 6, 3), 128, np.uint8)
    pixels[1, 0, 0] = (130, 128, 127)
    grey, tinted = colour_distance(pixels)
    assert grey == 0
    assert tinted == pytest.approx(np.hypot(5, 5), abs=0.2)


def test_each_blur_is_less_sharp(rng):
    found = [
        sharpness(rgb, everywhere(rgb))[0]
        for rgb in (texture(np.random.default_rng(1), blur) for blur in (0, 1, 2, 4, 8))
    ]
    assert all(a > b + 0.02 for a, b in itertools.pairwise(found)), found


def test_motion_in_one_direction_is_a_blur():
    rgb = texture(np.random.default_rng(1))
    moved = np.mean([np.roll(rgb, step, 2) for step in range(12)], 0).astype(np.uint8)
    assert sharpness(moved, everywhere(rgb)) < sharpness(rgb, everywhere(rgb)) - 0.2
    np.testing.assert_allclose(
        sharpness(moved, everywhere(rgb)),
        sharpness(moved.swapaxes(1, 2), everywhere(rgb).swapaxes(1, 2)),
        rtol=1e-5,
    )


def test_sharpness_does_not_depend_on_contrast():
    full, half = (texture(np.random.default_rng(1), 1, contrast) for contrast in (1, 0.5))
    np.testing.assert_allclose(
        sharpness(full, everywhere(full)), sharpness(half, everywhere(half)), atol=0.03
    )


def test_sharpness_does_not_see_beyond_the_mask():
    rgb = texture(np.random.default_rng(1), 4)
    mask = everywhere(rgb)
    mask[:, :, 64:] = False
    edged = rgb.copy()
    edged[:, :, 84:] = 255 * (np.arange(44) % 4 < 2)[:, None]
    np.testing.assert_allclose(sharpness(edged, mask), sharpness(rgb, mask))


def test_a_flat_picture_is_not_sharp():
    flat = np.full((2, 136, 128, 3), 90, np.uint8)
    assert sharpness(flat, everywhere(flat)).tolist() == [0, 0]
