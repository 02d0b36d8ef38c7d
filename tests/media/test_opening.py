import io
import socket
from pathlib import Path

import numpy as np
import pytest

from mien.core.image import Image
from mien.errors import BadRequest, UnreadableImage
from mien.media.opening import name_of, opened


def open_it(source):
    with opened(source, max_bytes=1000) as file:
        return file.stream.read(), file.name, file.size_bytes


def test_a_file_is_closed_and_a_stream_is_left_open(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    with opened(path, max_bytes=3) as file:
        assert file.stream.read() == b"abc"
    assert file.stream.closed
    stream = io.BytesIO(b"xyzabc")
    stream.seek(3)
    assert open_it(stream) == (b"abc", "<stream>", 3)
    assert not stream.closed


@pytest.mark.parametrize("address", ["http://localhost/a.jpg", "https://example.org/a.jpg", "HTTPS://X"])
def test_addresses_are_refused_with_a_hint(address):
    with pytest.raises(BadRequest, match="network") as caught:
        open_it(address)
    assert "Download" in caught.value.hint


@pytest.mark.parametrize(
    "source",
    [None, 7, 1.5, ["a.jpg"], np.zeros((4, 4, 3), np.uint8), Image.from_rgb(np.zeros((1, 1, 3), np.uint8))],
)
def test_other_types_are_refused(source):
    with pytest.raises(BadRequest, match="path, bytes or a binary file"):
        open_it(source)


def test_paths_that_cannot_be(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for path, words in (
        ("nul\0.jpg", "cannot be a path"),
        (tmp_path / "missing.jpg", "does not exist"),
        ("", "folder"),
        (file / "below.jpg", "Not a directory"),
        ("x" * 5000, "too long"),
    ):
        with pytest.raises(UnreadableImage, match=words) as caught:
            open_it(path)
        assert "\0" not in caught.value.message


def test_permission_denied_says_so(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableImage, match="Permission denied"):
        open_it(path)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UnreadableImage, match="may not be read"):
        open_it(tmp_path)


def test_sockets_and_devices_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.jpg")
        with pytest.raises(UnreadableImage, match="socket"):
            open_it("s.jpg")
    with pytest.raises(UnreadableImage, match="device"):
        open_it("/dev/zero")


def test_streams_that_fail(tmp_path):
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(UnreadableImage, match="closed"):
        open_it(closed)
    with pytest.raises(BadRequest, match="not bytes"):
        open_it(io.StringIO("text"))

    class Broken(io.RawIOBase):
        name = "cable.jpg"

        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(UnreadableImage, match=r"cable\.jpg cannot be read"):
        open_it(Broken())


def test_names_hold_nothing_that_a_terminal_obeys():
    assert name_of("照片.jpg") == "照片.jpg"
    assert name_of("a\x1b[2Jb\n.jpg") == "'a\\x1b[2Jb\\n.jpg'"
    assert name_of(b"secret") == "<bytes>"
    assert name_of(object()) == "<object>"
