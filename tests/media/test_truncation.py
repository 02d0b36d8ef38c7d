import io

import pytest

from hostile import RGB, encoded
from mien.media.truncation import is_truncated


def asked(name, data, said="something went wrong"):
    return is_truncated(name, io.BytesIO(data), len(data), OSError(said))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "AVIF"])
def test_the_file_itself_says_where_it_should_end(name):
    whole = encoded(RGB, name, **({"compression": "tiff_lzw"} if name == "TIFF" else {}))
    assert not asked(name, whole)
    assert asked(name, whole[: len(whole) * 3 // 4])


@pytest.mark.parametrize(
    "said", ["image file is truncated", "Unexpected end of file", "not enough image data"]
)
def test_the_decoder_is_believed(said):
    assert asked("PNG", encoded(RGB, "PNG"), said)


def test_a_stream_that_went_away_is_not_called_truncated():
    stream = io.BytesIO(b"\xff\xd8")
    stream.close()
    assert not is_truncated("JPEG", stream, 1_000_000, OSError("gone"))
