import PIL.Image
import pytest

from mien.media.taken import day_taken


def photograph(path, day, kind="JPEG", tag=0x9003):
    exif = PIL.Image.Exif()
    exif[271] = "camera"  # Pillow writes no EXIF that has none of the first kind
    if day is not None:
        exif.get_ifd(0x8769)[tag] = day
    PIL.Image.new("RGB", (8, 8)).save(path, kind, exif=exif)
    return path


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_day_is_that_of_the_camera(tmp_path, kind):
    assert day_taken(photograph(tmp_path / "x", "2010:05:10 10:04:01", kind)) == "2010-05-10"


@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        "0000:00:00 00:00:00",
        "2010:13:01 00:00:00",
        "2010:02:30",
        "1200:01:01 00:00:00",
        "9999:01:01",
        "May 2010",
        "\0" * 19,
    ],
)
def test_a_day_that_is_none_is_none(tmp_path, said):
    assert day_taken(photograph(tmp_path / "x.jpg", said)) == ""


def test_what_follows_the_day_does_not_matter(tmp_path):
    assert day_taken(photograph(tmp_path / "x.jpg", "2009:09:09 20:27:09.60:04:00")) == "2009-09-09"


def test_other_dates_do_not_count(tmp_path):
    # DateTimeDigitized: of a scan.
    assert day_taken(photograph(tmp_path / "x.jpg", "2010:05:10 10:04:01", tag=0x9004)) == ""


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\xff\xd8\xff\xe1\xff\xffExif\0\0II*\0\xff\xff\xff\xff"]
)
def test_no_picture_has_no_day(tmp_path, content):
    file = tmp_path / "x.jpg"
    file.write_bytes(content)
    assert day_taken(file) == ""


def test_a_file_that_is_not_there_has_no_day(tmp_path):
    assert day_taken(tmp_path / "none.jpg") == ""
    assert day_taken(tmp_path) == ""
    assert day_taken("<bytes>") == ""


def test_real_photographs(shared):
    wild = shared("data/faces_wild")
    assert day_taken(wild / "obama_biden" / "biden.jpg") == "2010-05-10"
    assert day_taken(wild / "pairs_labelled" / "img2.jpg") == ""
