import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mien import Image, open_image
from mien.client import Photograph, in_folder
from mien.client.photographs import upload, uploads
from mien.errors import BadRequest, UnreadableImage


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "deep" / "ada 1.jpg"
    path.parent.mkdir()
    path.write_bytes(b"not looked at")
    return path


def test_files_are_sent_as_they_are(file):
    for source in (file, str(file)):
        sent = upload(source)
        assert (sent.name, sent.media_type, sent.content) == (
            "ada 1.jpg",
            "application/octet-stream",
            b"not looked at",
        )
    with file.open("rb") as stream:
        assert upload(stream) == upload(file)


def test_what_has_no_name_gets_a_number(rng):
    image = Image.from_rgb(rng.integers(0, 256, (2, 2, 3), np.uint8))
    sent = list(uploads([b"1", bytearray(b"2"), memoryview(b"3"), io.BytesIO(b"4"), image]))
    assert [one.name for one in sent] == [f"photograph-{n}" for n in range(1, 6)]
    assert [one.content for one in sent[:4]] == [b"1", b"2", b"3", b"4"]


def test_images_travel_without_loss(rng):
    pixels = rng.integers(0, 256, (31, 17, 3), np.uint8)
    sent = upload(Image.from_rgb(pixels, "/home/ada/party.jpg"))
    assert (sent.name, sent.media_type) == ("party.jpg", "image/png")
    assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(sent.content))), pixels)
    assert np.array_equal(open_image(sent.content).rgb, pixels)


def test_names_of_ones_own(file):
    assert upload(Photograph(file, "Ada/1.jpg")).name == "Ada/1.jpg"
    assert upload(Photograph(b"x", "a\udcff.jpg")).name == "a\\udcff.jpg"


def test_one_alone_is_one(file):
    for alone in (file, str(file), b"x", io.BytesIO(b"x"), Photograph(b"x", "x"), bytearray(b"x")):
        assert len(list(uploads(alone))) == 1


def test_folders_become_what_is_in_them(file):
    (file.parent / "b.PNG").write_bytes(b"b")
    (file.parent / "notes.txt").write_bytes(b"c")
    assert [one.name for one in uploads(file.parent.parent)] == ["ada 1.jpg", "b.PNG"]
    assert [one.name for one in uploads([str(file.parent)])] == ["ada 1.jpg", "b.PNG"]


def test_photographs_in_a_folder_are_named_by_their_paths(file, tmp_path):
    found = list(in_folder(tmp_path))
    assert [(one.name, one.source) for one in found] == [("deep/ada 1.jpg", file)]
    with pytest.raises(BadRequest, match="not a folder"):
        list(in_folder(file))


def test_they_are_read_one_by_one(file):
    reading = uploads([b"1", Path("/nowhere/2.jpg"), b"3"])
    assert next(reading).content == b"1"
    with pytest.raises(UnreadableImage, match="does not exist"):
        next(reading)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (np.zeros((4, 4, 3), np.uint8), BadRequest),
        (7, BadRequest),
        (None, BadRequest),
        ("https://example.com/a.jpg", BadRequest),
        (io.StringIO("text"), BadRequest),
        (b"", UnreadableImage),
        ("", BadRequest),
        ("/dev/zero", UnreadableImage),
        ("nul\0byte.jpg", UnreadableImage),
    ],
)
def test_what_is_no_photograph_is_refused_here(wrong, kind):
    with pytest.raises(kind) as caught:
        list(uploads(wrong))
    assert "array" not in repr(caught.value) or "shape" in str(caught.value)


def test_nothing_shows_names_or_pixels(file):
    assert "ada" not in repr(upload(file))
    assert "13 bytes" in repr(upload(file))
    assert "Ada" not in repr(Photograph(b"pixels", "Ada/1.jpg"))
    assert "pixels" not in repr(Photograph(b"pixels", "Ada/1.jpg"))
