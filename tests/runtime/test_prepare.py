import numpy as np
import pytest

from mien.packs.manifest import Input
from mien.runtime.prepare import to_tensor

SPECS = [
    Input("rgb", (0.0, 0.0, 0.0), 1.0),
    Input("rgb", (127.5, 127.5, 127.5), 1 / 128),
    Input("bgr", (104.0, 117.0, 123.0), 1.0),
    Input("bgr", (1.0, 2.0, 3.0), 0.25),
]


def expected(chips, spec):
    planes = np.zeros((len(chips), 3, *chips[0].shape[:2]))
    for n, chip in enumerate(chips):
        for plane in range(3):
            channel = plane if spec.colour == "rgb" else 2 - plane
            planes[n, plane] = (chip[:, :, channel].astype(float) - spec.mean[plane]) * spec.scale
    return planes


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("n", [1, 3])
def test_is_what_the_manifest_says(rng, spec, n):
    chips = [rng.integers(0, 256, (5, 7, 3), dtype=np.uint8) for _ in range(n)]
    kept = np.array(chips)
    for given in (chips, tuple(chips), np.array(chips)):
        tensor = to_tensor(given, spec)
        assert (tensor.shape, tensor.dtype) == ((n, 3, 5, 7), np.float32)
        assert tensor.flags.c_contiguous
        np.testing.assert_allclose(tensor, expected(chips, spec), rtol=1e-6, atol=1e-5)
        tensor[...] = 0
    np.testing.assert_array_equal(chips, kept)


def test_mean_and_scale_of_bgr_are_in_the_order_of_the_network():
    red = np.array([[[[255, 0, 0]]]], np.uint8)
    blue, green, last = to_tensor(red, Input("bgr", (10.0, 20.0, 55.0), 2.0))[0, :, 0, 0]
    assert (blue, green, last) == (-20, -40, 400)


@pytest.mark.parametrize("spec", SPECS)
def test_no_chips_are_an_empty_batch(spec):
    tensor = to_tensor(np.zeros((0, 5, 7, 3), np.uint8), spec)
    assert (tensor.shape, tensor.dtype) == ((0, 3, 5, 7), np.float32)


def test_a_read_only_picture_will_do(rng):
    chips = rng.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    chips.setflags(write=False)
    assert to_tensor(chips, SPECS[2]).flags.writeable


def test_grey_is_luma():
    pixels = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]]], np.uint8)
    tensor = to_tensor(pixels, Input("grey", (127.5,), 1 / 127.5))
    assert tensor.shape == (1, 1, 1, 4)
    np.testing.assert_allclose((tensor[0, 0, 0] + 1) / 2, [0.299, 0.587, 0.114, 1], atol=1e-6)


def test_a_scale_per_channel(rng):
    chip = rng.integers(0, 256, (1, 4, 5, 3), np.uint8)
    mean, scale = (123.675, 116.28, 103.53), (0.0171, 0.0175, 0.0174)
    tensor = to_tensor(chip, Input("rgb", mean, scale))
    expected = (chip.astype(float) - mean) * scale
    np.testing.assert_allclose(tensor, expected.transpose(0, 3, 1, 2), atol=1e-5)
