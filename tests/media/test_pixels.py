import numpy as np
import PIL.Image
import pytest

from hostile import RGB, encoded
from mien.errors import UnreadableImage
from mien.media.images import open_image
from mien.media.pixels import to_srgb, upright
from mien.media.quiet import QUIET_DECODERS
from rawfiles import tiff


def test_sixteen_bits_are_scaled_and_not_clipped():
    ramp = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    rgb = to_srgb(PIL.Image.fromarray(ramp), "ramp")
    np.testing.assert_array_equal(np.asarray(rgb)[:, :, 1], ramp // 256)


@pytest.mark.parametrize(("bits", "white", "expected"), [(16, 1, 0x12), (16, 0, 255 - 0x12), (12, 1, 0x23)])
def test_tiff_grey_depths(bits, white, expected):
    # Pillow unpacks two 12-bit samples from three bytes: 0x234, 0x123.
    pixels = b"\x34\x12" * 2 if bits == 16 else b"\x23\x42\x34"
    tags = [(258, 3, 1, bits), (262, 3, 1, white), (277, 3, 1, 1), (279, 4, 1, len(pixels))]
    data = bytearray(tiff((2, 1), pixels, tags))
    entry = data.index(bytes([2, 1, 3, 0]))  # tiff() points BitsPerSample to three values: one is wanted
    data[entry + 4 : entry + 12] = bytes([1, 0, 0, 0, bits, 0, 0, 0])
    assert (open_image(bytes(data)).rgb == expected).all()


@pytest.mark.parametrize(("plain", "rare"), [("LA", "La"), ("RGBA", "RGBa"), ("P", "PA"), ("RGB", "RGBX")])
def test_rare_modes_show_the_same_as_the_plain_ones(plain, rare):
    opaque = PIL.Image.fromarray(RGB).convert(plain)
    expected = np.asarray(opaque.convert("RGB"))
    np.testing.assert_array_equal(np.asarray(to_srgb(opaque.convert(rare), "x")), expected)


def test_an_unknown_mode_is_refused():
    with pytest.raises(UnreadableImage, match="HSV"):
        to_srgb(PIL.Image.new("HSV", (2, 2)), "x")


@pytest.mark.parametrize(
    "info",
    [
        {"exif": b"II*\0\xff\xff\xff\xff"},
        {"exif": b"nothing"},
        {"exif": b""},
        {"Raw profile type exif": "\nexif\n 4\nzz"},
        {"xmp": b"<tiff:Orientation>0</tiff:Orientation>"},
    ],
)
def test_exif_that_cannot_be_parsed_leaves_the_picture_as_it_is(info):
    picture = PIL.Image.fromarray(RGB)
    picture.info.update(info)
    with QUIET_DECODERS:
        assert upright(picture, picture) is picture


def test_opaque_alpha_changes_nothing():
    opaque = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    np.testing.assert_array_equal(open_image(encoded(opaque, "PNG")).rgb, RGB)
