"""How large a picture will be, from its header alone."""

import io
import struct
import sys

import numpy as np
import PIL.Image
import pytest

import hostile
from mien.errors import ExtraMissing
from mien.media.formats import HEAD_BYTES
from mien.media.images import open_image
from mien.media.measuring import pixels_of

KINDS = ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"]


def encoded(kind, size_wh, **options):
    into = io.BytesIO()
    PIL.Image.new("RGB", size_wh, (200, 10, 10)).save(into, kind, **options)
    return into.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size_wh", [(1, 1), (37, 11), (300, 200), (1, 700)])
def test_it_is_width_times_height(kind, size_wh):
    assert pixels_of(encoded(kind, size_wh)) == size_wh[0] * size_wh[1]


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 40}], ids=str)
def test_both_ways_of_encoding_are_measured(kind, options):
    assert pixels_of(encoded(kind, (120, 90), **options)) == 120 * 90


def test_heif_is_measured_if_it_can_be_read():
    pillow_heif = pytest.importorskip("pillow_heif")
    into = io.BytesIO()
    pillow_heif.from_pillow(PIL.Image.new("RGB", (64, 48))).save(into)
    assert pixels_of(into.getvalue()) == 64 * 48


def test_heif_without_the_package_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ExtraMissing, match="pillow-heif"):
        pixels_of(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(100))


@pytest.mark.parametrize(
    ("kind", "options"), [("GIF", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("PNG", {})]
)
def test_of_several_frames_it_is_the_first(kind, options):
    first, *others = (PIL.Image.fromarray(np.full((20, 30, 3), grey, np.uint8)) for grey in (10, 120, 250))
    into = io.BytesIO()
    first.save(into, kind, save_all=True, append_images=others, **options)
    assert pixels_of(into.getvalue()) == 600


@pytest.mark.parametrize("orientation", [1, 6])
def test_turning_changes_nothing(orientation):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    assert pixels_of(encoded("JPEG", (40, 30), exif=exif)) == 1200


NOT_PICTURES = [
    b"",
    b"\xff",
    b"GIF89a",
    b"RIFF\4\0\0\0WEBP",
    b"\x89PNG\r\n\x1a\n",
    b"<html>",
    b"BM",
    b"II*\0",
    b"II*\0" + b"\xff" * 100,
    bytes(1000),
]


@pytest.mark.parametrize("content", NOT_PICTURES, ids=ascii)
def test_what_is_no_picture_has_none(content):
    assert pixels_of(content) == 0


def frame_beyond(screen_wh, frame_wh, at=(0, 0), extension=b""):
    """A GIF whose frame is larger than its screen."""
    content = encoded("GIF", frame_wh)
    start = 13 + (3 << (content[10] & 7) + 1 if content[10] & 0x80 else 0)
    head = content[:6] + struct.pack("<HH", *screen_wh) + content[10:start]
    frame = content[content.index(b",", start) :]
    return head + extension + frame[:1] + struct.pack("<HH", *at) + frame[5:]


@pytest.mark.parametrize("at", [(0, 0), (7, 5)])
@pytest.mark.parametrize(
    "extension",
    [b"", b"!\xf9\4\0\0\0\0\0", b"!\xfe\3,,,\0", b"!\xfe" + (b"\xff" + b"," * 255) * 9 + b"\0", b"junk"],
    ids=["", "control", "comment", "long comment", "junk"],
)
def test_a_frame_beyond_the_screen_of_a_gif_counts(at, extension):
    content = frame_beyond((1, 1), (300, 200), at, extension)
    image = open_image(content)
    assert pixels_of(content) == image.width * image.height == (300 + at[0]) * (200 + at[1])


@pytest.mark.parametrize("cut", range(13, 60, 3))
def test_a_gif_that_ends_early_is_what_its_screen_is(cut):
    content = frame_beyond((30, 20), (30, 20), extension=b"!\xfe\3,,,\0")[:cut]
    assert pixels_of(content) == 600


def files(tmp_path):
    expected = hostile.build_hostile(tmp_path)
    paths = {name: tmp_path / name for name in expected}
    return {
        name: (path.read_bytes(), expected[name])
        for name, path in paths.items()
        if path.is_file() and not path.is_symlink()
    }


def test_no_file_is_too_odd_and_what_opens_is_measured_as_it_opens(tmp_path):
    """Never less than what decoding takes, or it would take more than the room that was made for it."""
    opened = 0
    for name, (content, expected) in files(tmp_path).items():
        found = pixels_of(content)
        assert found >= 0
        if expected.rgb is not None:
            opened += 1
            image = open_image(content)
            assert found >= image.width * image.height, name
        elif expected.code == "image_too_large":
            assert found > 100_000_000, name
    assert opened > 80


def test_bombs_are_measured_without_being_decoded():
    files = {name: content for name, content, _ in hostile.bombs()}
    assert pixels_of(files["bomb.png"]) == 10**10
    assert pixels_of(files["bomb.webp"]) == 2**48
    assert pixels_of(files["bomb.gif"]) == pixels_of(files["bomb_frame.gif"]) == 65_535**2
    assert pixels_of(files["bomb.jpg"]) == 65_500**2


def test_cut_off_pictures_are_measured_if_their_head_is_there():
    for kind in KINDS:
        content = encoded(kind, (300, 200))
        for length in range(0, min(len(content), HEAD_BYTES), 7):
            assert pixels_of(content[:length]) in {0, 60_000}, (kind, length)
