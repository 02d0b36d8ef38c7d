import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import gaussian_filter

from mien.ops.mipmap import Mipmap

FILTER = PIL.Image.Resampling.HAMMING


def smooth(rng, width, height, sigma=25):
    blurred = gaussian_filter(rng.random((height, width, 3)), (sigma, sigma, 0))
    return ((blurred - blurred.min()) / np.ptp(blurred) * 235 + 20).astype(np.uint8)


def assert_alike(found, expected, most=4, mean=1.0):
    difference = np.abs(found.astype(int) - expected.astype(int))
    assert found.shape == expected.shape
    assert difference.max() <= most
    assert difference.mean() <= mean


# Odd sides at every halving are the hard ones: 1025 = 2 * 512 + 1, 775 = 2 * 387 + 1 ...
@pytest.mark.parametrize("picture_wh", [(640, 480), (1025, 775), (333, 97), (31, 500)])
@pytest.mark.parametrize("reduction", [1, 1.5, 3, 3.1, 6.5, 12.3])
def test_resized_is_a_direct_resize(rng, picture_wh, reduction):
    rgb = smooth(rng, *picture_wh)
    size_wh = tuple(max(1, round(side / reduction)) for side in picture_wh)
    direct = np.asarray(PIL.Image.fromarray(rgb).resize(size_wh, FILTER))
    assert_alike(Mipmap(rgb).resized(size_wh), direct)


def test_resized_grows_too(rng):
    rgb = smooth(rng, 40, 30)
    direct = np.asarray(PIL.Image.fromarray(rgb).resize((100, 75), FILTER))
    np.testing.assert_array_equal(Mipmap(rgb).resized((100, 75)), direct)


def test_the_right_and_lower_edge_stay_where_they_are():
    for side in (1000, 1001, 1007, 1023, 1025):
        ramp = np.broadcast_to(np.linspace(0, 250, side)[None, :, None], (side, side, 3)).astype(np.uint8)
        for rgb in (ramp, ramp.transpose(1, 0, 2)):
            direct = np.asarray(PIL.Image.fromarray(np.ascontiguousarray(rgb)).resize((80, 80), FILTER))
            assert_alike(Mipmap(np.ascontiguousarray(rgb)).resized((80, 80)), direct, most=2)


@pytest.mark.parametrize(
    "box",
    [
        (10, 20, 58, 68),
        (100.25, 50.5, 164.75, 115),
        (0, 0, 400, 400),
        (3.3, 7.7, 303.3, 307.7),
        (200, 100, 212, 112),
        (599, 439, 601, 441),
    ],
)
@pytest.mark.parametrize("side", [12, 24, 48])
def test_a_square_is_a_direct_resize_of_the_box(rng, box, side):
    rgb = smooth(rng, 640, 480)
    direct = np.asarray(PIL.Image.fromarray(rgb).resize((side, side), FILTER, box))
    assert_alike(Mipmap(rgb).square(np.array(box, np.float64), side), direct)


@pytest.mark.parametrize(
    "box", [(-100, -60, 140, 180), (500, 300, 800, 600), (-50, 100, 750, 900), (630, -8, 650, 12)]
)
@pytest.mark.parametrize("side", [24, 48])
def test_over_the_border_it_is_black(rng, box, side):
    rgb, pad = smooth(rng, 640, 480), 512
    canvas = np.zeros((480 + 2 * pad, 640 + 2 * pad, 3), np.uint8)
    canvas[pad:-pad, pad:-pad] = rgb
    moved = tuple(edge + pad for edge in box)
    direct = np.asarray(PIL.Image.fromarray(canvas).resize((side, side), FILTER, moved)).astype(int)
    found = Mipmap(rgb).square(np.array(box, np.float64), side).astype(int)
    # Where picture and black meet the two filters blur differently, a pixel of the crop wide.
    centre = box[0] + (np.arange(side) + 0.5) * (box[2] - box[0]) / side
    middle = box[1] + (np.arange(side) + 0.5) * (box[3] - box[1]) / side
    reach = 2.5 * max((box[2] - box[0]) / side, 1)
    x_in = np.minimum(centre, 640 - centre)
    y_in = np.minimum(middle, 480 - middle)
    inside = np.minimum(*np.meshgrid(x_in, y_in))
    assert not found[inside < -reach].any()
    assert np.abs(found - direct)[inside > reach].max() <= 4
    assert np.abs(found - direct).mean() < 2


@pytest.mark.parametrize("box", [(-500, 0, -400, 100), (0, 481, 12, 493), (9000, 9000, 9900, 9900)])
def test_wholly_outside_is_all_black(rng, box):
    found = Mipmap(smooth(rng, 640, 480)).square(np.array(box, np.float64), 24)
    assert found.shape == (24, 24, 3)
    assert not found.any()


def test_a_huge_box_stays_cheap_and_shows_the_picture_as_a_dot():
    rgb = np.full((64, 64, 3), 200, np.uint8)
    found = Mipmap(rgb).square(np.array([-31968.0, -31968, 32032, 32032]), 48)
    assert found.shape == (48, 48, 3)
    y, x = np.nonzero(found.any(-1))
    assert {*y, *x} <= {22, 23, 24, 25}


def test_order_of_requests_does_not_matter(rng):
    rgb, box = smooth(rng, 320, 240), np.array([20.0, 30, 220, 230])
    fresh = {size: Mipmap(rgb).resized(size) for size in ((20, 15), (300, 225), (80, 60))}
    used = Mipmap(rgb)
    first = used.square(box, 24)
    for size, expected in fresh.items():
        np.testing.assert_array_equal(used.resized(size), expected)
    np.testing.assert_array_equal(used.square(box, 24), first)
    np.testing.assert_array_equal(box, [20, 30, 220, 230])


def test_one_pixel_is_enough():
    dot = Mipmap(np.full((1, 1, 3), 77, np.uint8))
    assert (dot.resized((4, 4)) == 77).all()
    assert (dot.square(np.array([0.0, 0, 1, 1]), 12) == 77).all()
