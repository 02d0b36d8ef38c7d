import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import convolve1d, gaussian_filter, map_coordinates

from mien.ops.warp import halve, resize, warp


def shift_by(x, y):
    return np.array([[1.0, 0, x], [0, 1, y]])


@pytest.fixture
def noise(rng):
    return rng.integers(1, 256, (41, 53, 3), dtype=np.uint8)


@pytest.fixture
def smooth(rng):
    blurred = gaussian_filter(rng.random((120, 160, 3)), (5, 5, 0))
    return ((blurred - blurred.min()) / np.ptp(blurred) * 254 + 1).astype(np.uint8)


def test_identity_gives_the_picture(noise):
    np.testing.assert_array_equal(warp(noise, shift_by(0, 0), (53, 41)), noise)


@pytest.mark.parametrize(("x", "y"), [(5, 3), (-5, -3), (7, -11), (52, 40)])
def test_whole_shifts_are_exact_and_black_comes_in(noise, x, y):
    expected = np.zeros_like(noise)
    for row in range(41):
        for column in range(53):
            if 0 <= row - y < 41 and 0 <= column - x < 53:
                expected[row, column] = noise[row - y, column - x]
    np.testing.assert_array_equal(warp(noise, shift_by(x, y), (53, 41)), expected)


def test_quarter_turns_are_exact(noise):
    height, width = noise.shape[:2]
    clockwise = np.array([[0.0, -1, height - 1], [1, 0, 0]])
    np.testing.assert_array_equal(warp(noise, clockwise, (height, width)), np.rot90(noise, -1))
    anticlockwise = np.array([[0.0, 1, 0], [-1, 0, width - 1]])
    np.testing.assert_array_equal(warp(noise, anticlockwise, (height, width)), np.rot90(noise))
    upside_down = np.array([[-1.0, 0, width - 1], [0, -1, height - 1]])
    np.testing.assert_array_equal(warp(noise, upside_down, (width, height)), np.rot90(noise, 2))


@pytest.mark.parametrize("angle_deg", [0, 10, -37, 90, 171])
@pytest.mark.parametrize("scale", [0.75, 1.0, 1.7, 3.0])
def test_is_bilinear_with_pixel_centres_at_integers(smooth, angle_deg, scale):
    side, centre = 40, np.array([80.25, 60.6])
    angle = np.radians(angle_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, np.full(2, (side - 1) / 2) - turn @ centre])
    y, x = np.mgrid[:side, :side]
    at = np.linalg.solve(turn, np.stack([x.ravel(), y.ravel()]) - matrix[:, 2:])
    expected = np.stack(
        [map_coordinates(smooth[..., c].astype(float), at[::-1], order=1) for c in range(3)], -1
    )
    found = warp(smooth, matrix, (side, side)).reshape(-1, 3)
    assert np.abs(found - expected).max() < 1.001, "no more than rounding"


def test_half_a_pixel_is_half_a_pixel():
    step = np.zeros((8, 8, 3), np.uint8)
    step[:, 4:] = 200
    assert warp(step, shift_by(0.5, 0), (8, 8))[4, :, 0].tolist() == [0, 0, 0, 0, 100, 200, 200, 200]
    assert warp(step, shift_by(0, 0.5), (8, 8))[4, :, 0].tolist() == [0, 0, 0, 0, 200, 200, 200, 200]


@pytest.mark.parametrize("by", [(60, 0), (-60, 0), (0, 50), (0, -50), (1e7, 1e7), (-1e12, 3)])
@pytest.mark.parametrize("scale", [1.0, 0.1, 4.0])
def test_far_outside_is_black(noise, by, scale):
    matrix = np.array([[scale, 0, by[0] * scale], [0, scale, by[1] * scale]])
    size_wh = (max(1, int(50 * scale)), max(1, int(40 * scale)))
    chip = warp(noise, matrix, size_wh)
    assert chip.shape == (size_wh[1], size_wh[0], 3)
    assert not chip.any()


def test_outside_is_black_and_inside_is_not_at_any_angle(noise):
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, [40.0, 10.0]])
    chip = warp(noise, matrix, (120, 90))
    y, x = np.mgrid[:90, :120]
    at = np.linalg.solve(turn, np.stack([x.ravel(), y.ravel()]) - matrix[:, 2:]).T.reshape(90, 120, 2)
    inside = ((at > -0.49) & (at < np.array([52.49, 40.49]))).all(-1)
    outside = ((at < -0.51) | (at > np.array([52.51, 40.51]))).any(-1)
    assert inside.any()
    assert chip[inside].any(-1).all(), "the noise has no black"
    assert not chip[outside].any()


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_reducing_averages_blocks(rng, factor):
    blurred = gaussian_filter(
        rng.random((12 * factor, 15 * factor, 3)), (3 * factor, 3 * factor, 0), mode="nearest"
    )
    rgb = ((blurred - blurred.min()) / np.ptp(blurred) * 255).astype(np.uint8)
    blocks = rgb.reshape(12, factor, 15, factor, 3).mean((1, 3))
    middle = (factor - 1) / 2
    found = warp(rgb, np.array([[1, 0, -middle], [0, 1, -middle]]) / factor, (15, 12))
    # At the border of the picture halving loses less than two pixels of the chip; each cuts off fractions.
    assert np.abs(found - blocks)[2:-2, 2:-2].max() <= 5
    assert np.abs(found - blocks)[2:-2, 2:-2].mean() < 2.5


@pytest.mark.parametrize("factor", [1.0, 1.9, 2.0, 2.7, 4.0, 7.3, 8.0])
@pytest.mark.parametrize("start", [0.0, 13.0, 50.6])
def test_reducing_moves_nothing(factor, start):
    ramp = np.broadcast_to(np.arange(256)[None, :, None], (256, 256, 3)).astype(np.uint8)
    for rgb, axis in ((ramp, 1), (np.ascontiguousarray(ramp.transpose(1, 0, 2)), 0)):
        chip = warp(rgb, np.array([[1, 0, -start], [0, 1, -start]]) / factor, (20, 20))
        at = start + np.arange(20) * factor
        here = (at > 2 * factor) & (at < 255 - 2 * factor)
        seen = np.moveaxis(chip, axis, 0)[here][:, here].astype(float)
        assert here.sum() > 10
        # Pillow cuts fractions off, once for each halving.
        assert np.abs(seen - at[here, None, None] + 0.5).max() <= 1.5


@pytest.mark.parametrize("factor", [2.5, 6.3, 20.0, 77.0])
def test_reducing_keeps_the_mean_and_skips_no_pixels(rng, factor):
    rgb = np.where(rng.random((600, 600, 1)) < 0.5, 0, 255).astype(np.uint8).repeat(3, 2)
    side = int(400 / factor)
    chip = warp(rgb, np.array([[1, 0, -100.0], [0, 1, -100]]) / factor, (side, side)).astype(float)
    assert abs(chip.mean() - rgb[100:500, 100:500].mean()) < 6
    averaged = 2 ** np.floor(np.log2(factor))
    assert chip.std() < 127 / averaged + 2, "an average of n by n pixels varies n times less than one"


@pytest.mark.parametrize(("width", "height"), [(5, 5), (6, 7), (40, 31), (4, 9), (9, 4), (1, 1)])
def test_halving_is_the_five_tap_pyramid(rng, width, height):
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    wide = rgb.astype(int)
    for axis in (0, 1):
        wide = convolve1d(wide, [1, 4, 6, 4, 1], axis=axis)
    expected = (wide[2 : height - 2 : 2, 2 : width - 2 : 2] // 256)[
        : max(height - 3, 0) // 2, : max(width - 3, 0) // 2
    ]
    np.testing.assert_array_equal(halve(rgb), expected)


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 200), (200, 3)])
def test_too_thin_to_be_halved_is_black(shape):
    chip = warp(np.full((*shape, 3), 200, np.uint8), np.eye(2, 3) / 2, (10, 10))
    assert chip.shape == (10, 10, 3)
    assert not chip.any()


def test_a_chip_of_a_corner_is_the_corner_of_the_whole(smooth):
    matrix = np.array([[1.3, 0.4, -20.0], [-0.4, 1.3, 30]])
    whole = warp(smooth, matrix, (200, 220))
    corner = warp(smooth, matrix + np.array([[0, 0, -70], [0, 0, -50]]), (64, 48))
    assert np.abs(whole[50:98, 70:134].astype(int) - corner).max() <= 1


@pytest.mark.parametrize("size_wh", [(160, 120), (80, 60), (33, 47), (500, 300), (40, 100)])
def test_resize_is_near_a_triangle_filter(smooth, size_wh):
    exact = np.asarray(PIL.Image.fromarray(smooth).resize(size_wh, PIL.Image.Resampling.BILINEAR)).astype(int)
    found = resize(smooth, size_wh)
    assert found.shape == (size_wh[1], size_wh[0], 3)
    blocks = max(smooth.shape[1] / size_wh[0], smooth.shape[0] / size_wh[1]) >= 2
    assert np.abs(found - exact).max() <= (8 if blocks else 1)
    assert np.abs(found - exact).mean() < (1.5 if blocks else 0.01)


@pytest.mark.parametrize("factor", [2, 3])
def test_small_reductions_look_at_every_pixel(rng, factor):
    noise = rng.integers(0, 256, (20 * factor, 30 * factor, 3), dtype=np.uint8)
    blocks = noise.reshape(20, factor, 30, factor, 3).mean((1, 3))
    assert np.abs(resize(noise, (30, 20)) - blocks).max() <= 1


@pytest.mark.parametrize("factor", [4, 5, 7.3, 12])
def test_large_reductions_move_nothing(factor):
    """A ramp stays the same ramp, whichever of its pixels are looked at."""
    width = round(40 * factor)
    ramp = np.repeat(np.linspace(0, 255, width)[None, :, None], round(20 * factor), 0)
    small = resize(np.repeat(ramp, 3, 2).astype(np.uint8), (40, 20))[10, 1:-1, 0]
    wanted = (np.arange(1, 39) + 0.5) * 255 / 40
    assert np.abs(small - wanted).max() < 255 / 40 / 3


def test_one_pixel_is_enough():
    dot = np.full((1, 1, 3), 77, np.uint8)
    assert (warp(dot, shift_by(0, 0), (1, 1)) == 77).all()
    assert (resize(dot, (3, 2)) == 77).all()
    chip = warp(dot, shift_by(2, 1), (5, 3))
    assert (chip[1, 2] == 77).all()
    assert chip.any(-1).sum() == 1
