import numpy as np
import pytest
from PIL.ImageFile import ImageFile

from hostile import RGB, encoded
from mien.media.formats import HEAD_BYTES, decoder_of, early_size_wh, format_of, looks_like
from rawfiles import gif, webp_header


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "AVIF"])
def test_formats_are_recognised_by_content(name):
    head = encoded(RGB, name)[:HEAD_BYTES]
    assert format_of(head) == name
    assert issubclass(decoder_of(name), ImageFile)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", None),
        (b"II+\0", "TIFF"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"", None),
    ],
)
def test_containers_are_told_apart_by_their_brand(head, name):
    assert format_of(head) == name


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"RIFF\0\0\0\0WAVE", "WAV"),
        (b"RIFF\0\0\0\0odd ", "RIFF"),
        (b"\x1aE\xdf\xa3", "Matroska"),
        (b" \n<HTML>", "HTML"),
        (b"<?xml version='1.0'?><note/>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"\xef\xbb\xbfhello", "text"),
        (("面" * 200).encode()[:HEAD_BYTES], "text"),  # cut inside a character
        (b"\0\1\2\3", "nothing that we know"),
    ],
)
def test_other_files_are_named(head, words):
    assert words in looks_like(head)


def test_sizes_are_known_early_where_decoders_reserve_memory():
    assert early_size_wh("GIF", gif((300, 20), (1, 1))) == (300, 20)
    assert early_size_wh("WebP", webp_header((70_000, 3))) == (70_000, 3)
    rgba = np.dstack([RGB, RGB[:, :, 0]])
    for options in ({"lossless": True}, {"lossless": False}):
        assert early_size_wh("WebP", encoded(RGB, "WEBP", **options)) == (64, 48)
        assert early_size_wh("WebP", encoded(rgba, "WEBP", **options)) == (64, 48)
    assert early_size_wh("WebP", b"RIFF\0\0\0\0WEBPVP8L") is None
    assert early_size_wh("WebP", b"RIFF\0\0\0\0WEBPODD!") is None
    assert early_size_wh("PNG", encoded(RGB, "PNG")) is None
