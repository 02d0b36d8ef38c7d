import numpy as np
import pytest

from mien.core.image import Image, describe
from mien.errors import BadRequest


def picture(height=4, width=6):
    return np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)


def test_knows_its_size_and_source():
    image = Image(picture(), "a.jpg", 7, 0.5)
    assert (image.width, image.height, image.size_wh) == (6, 4, (6, 4))
    assert (image.source, image.index, image.time_s) == ("a.jpg", 7, 0.5)
    assert (Image(picture()).source, Image(picture()).index, Image(picture()).time_s) == (None, 0, None)


def test_from_rgb_keeps_the_pixels_and_the_source():
    image = Image.from_rgb(picture(), "a.jpg")
    assert (image.rgb == picture()).all()
    assert image.source == "a.jpg"


def test_from_bgr_swaps_the_channels():
    bgr = np.zeros((2, 3, 3), np.uint8)
    bgr[..., 0] = 200  # blue
    bgr[0, 1] = (1, 2, 3)
    image = Image.from_bgr(bgr, "b.jpg")
    assert tuple(image.rgb[0, 0]) == (0, 0, 200)
    assert tuple(image.rgb[0, 1]) == (3, 2, 1)
    assert image.source == "b.jpg"
    assert image.rgb.flags.c_contiguous


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "photo.jpg",
        picture().tolist(),
        picture().astype(np.float32),
        picture().astype(np.int64),
        picture()[..., 0],
        picture()[None],
    ],
    ids=["none", "path", "list", "float32", "int64", "grey", "batch"],
)
def test_what_is_not_a_picture_is_refused_with_a_hint(wrong):
    with pytest.raises(BadRequest, match="uint8 array") as caught:
        Image.from_rgb(wrong)
    assert "open_image" in caught.value.hint
    assert "from_bgr" in caught.value.hint


@pytest.mark.parametrize("shape", [(4, 6, 4), (4, 6, 1), (0, 6, 3), (4, 0, 3)])
def test_a_wrong_shape_is_named(shape):
    with pytest.raises(BadRequest) as caught:
        Image(np.zeros(shape, np.uint8))
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("wrong", [None, [[1, 2, 3]], np.zeros((4, 6), np.uint8), np.zeros((4, 6, 3))])
def test_from_bgr_refuses_what_from_rgb_refuses(wrong):
    with pytest.raises(BadRequest):
        Image.from_bgr(wrong)


def test_is_read_only_and_leaves_the_callers_array_alone():
    mine = picture()
    image = Image.from_rgb(mine)
    with pytest.raises(ValueError, match="read-only"):
        image.rgb[0, 0, 0] = 1
    with pytest.raises(AttributeError):
        image.source = "other"
    mine[0, 0, 0] = 99
    assert mine.flags.writeable


@pytest.mark.parametrize("make", [Image.from_rgb, Image.from_bgr])
def test_pixels_never_reach_a_message(make):
    secret = np.full((2, 2), 137, np.uint8)
    for wrong in (secret, secret.tolist(), secret.astype(np.float64)):
        with pytest.raises(BadRequest) as caught:
            make(wrong)
        assert "137" not in str(caught.value) + caught.value.hint


def test_describe_says_type_and_shape_only():
    assert describe(np.full((2, 5), 137, np.int16)) == "int16 array of shape (2, 5)"
    assert describe([137]) == "list"
    assert describe(None) == "NoneType"


def test_with_changes_a_copy():
    image = Image.from_rgb(picture(), "a.jpg")
    other = image.with_(index=3, time_s=0.1)
    assert (other.source, other.index, other.time_s) == ("a.jpg", 3, 0.1)
    assert (other.rgb == image.rgb).all()
    assert (image.index, image.time_s) == (0, None)
    with pytest.raises(BadRequest):
        image.with_(rgb=image.rgb[..., 0])
