"""Where a picture may come from: a path, bytes or an open file, checked before anything is decoded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mien.core.image import describe
from mien.errors import BadRequest, ImageTooLarge, UnreadableImage

Source = str | Path | bytes | BinaryIO

_NO_PATH_HINT = "Check the path."
_TOO_MANY_BYTES_HINT = "Shrink the file, or raise the limit: MIEN_MAX_BYTES, or max_bytes in mien.toml."

_NOT_A_FILE = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A seekable stream of known length, ready to be decoded.

    Attributes:
        stream: Positioned at its start.
        name: For messages; printable.
        size_bytes: Length of the stream.
    """

    stream: BinaryIO
    name: str
    size_bytes: int


def name_of(source: object) -> str:
    """Name a source for people, without its contents and without characters that a terminal obeys."""
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        name = "<bytes>"
    elif hasattr(source, "read"):
        given = getattr(source, "name", None)
        name = given if isinstance(given, str) else "<stream>"
    else:
        name = f"<{describe(source)}>"
    return name if isinstance(name, str) and name.isprintable() else ascii(name)


def origin_of(source: object) -> str:
    """What a result calls its source: the path exactly as it was given, so that it can be opened again."""
    return str(os.fspath(source)) if isinstance(source, (str, Path)) else name_of(source)


@contextmanager
def opened(source: Source, *, max_bytes: int) -> Iterator[Opened]:
    """Open a source for reading; a file that was opened here is closed at the end.

    Only regular files are opened, so a pipe or a device cannot make the program wait.

    Args:
        source: A path, the bytes of a file, or a binary stream, which is read from where it stands.
        max_bytes: Longer sources are refused, files before a byte of them is read.

    Raises:
        BadRequest: Not a kind of source that exists, or an address on the network.
        ImageTooLarge: More than `max_bytes`.
        UnreadableImage: Missing, empty, not a regular file, or not permitted.
    """
    name = name_of(source)
    if isinstance(source, (str, Path)):
        _refuse_address(name)
        path = Path(source)
        size_bytes = _size_of_file(path, name)
        _check_size(size_bytes, name, max_bytes)
        try:
            file = path.open("rb")
        except OSError as error:
            raise _unusable(name, error) from error
        with file:
            yield Opened(file, name, size_bytes)
        return
    data = (
        bytes(source)
        if isinstance(source, (bytes, bytearray, memoryview))
        else _read(source, name, max_bytes)
    )
    _check_size(len(data), name, max_bytes)
    yield Opened(BytesIO(data), name, len(data))


def _refuse_address(name: str) -> None:
    if name.lower().startswith(("http://", "https://")):
        raise BadRequest(
            f"{name} is an address on the network; Mien opens files.",
            hint="Download the picture first, then hand in the file.",
        )


def _size_of_file(path: Path, name: str) -> int:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise UnreadableImage(f"{name} does not exist.", hint=_NO_PATH_HINT) from error
    except OSError as error:
        raise _unusable(name, error) from error
    except ValueError as error:  # a NUL in the path
        raise UnreadableImage(f"{name} cannot be a path: {error}.", hint=_NO_PATH_HINT) from error
    if stat.S_ISDIR(status.st_mode):
        readable = os.access(path, os.R_OK | os.X_OK)
        what = "a folder, not a picture" if readable else "a folder that may not be read"
        raise UnreadableImage(f"{name} is {what}.", hint="Name a file inside it, or make it readable.")
    for is_kind, kind in _NOT_A_FILE:
        if is_kind(status.st_mode):
            raise UnreadableImage(
                f"{name} is {kind}, not a file.", hint="Copy its contents into a file first."
            )
    return status.st_size


def _unusable(name: str, error: OSError) -> UnreadableImage:
    return UnreadableImage(f"{name} cannot be opened: {error.strerror or error}.", hint=_NO_PATH_HINT)


def _check_size(size_bytes: int, name: str, max_bytes: int) -> None:
    if size_bytes == 0:
        raise UnreadableImage(f"{name} is empty: zero bytes.", hint="Copy or download it again.")
    if size_bytes > max_bytes:
        raise ImageTooLarge(
            f"{name} has {size_bytes:,} bytes, more than the {max_bytes:,} allowed.",
            hint=_TOO_MANY_BYTES_HINT,
        )


def _read(source: BinaryIO, name: str, max_bytes: int) -> bytes:
    if not hasattr(source, "read"):
        raise BadRequest(
            f"A picture is a path, bytes or a binary file, not {describe(source)}.",
            hint="Wrap arrays in Image.from_rgb or Image.from_bgr, so that the channel order is known.",
        )
    try:
        # One more than allowed tells "exactly at the limit" from "beyond it".
        data: object = source.read(max_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: the file is closed
        raise UnreadableImage(f"{name} cannot be read: {error}.") from error
    if not isinstance(data, bytes):
        raise BadRequest(
            f"{name} yields {describe(data)}, not bytes.", hint="Open files in binary mode: 'rb'."
        )
    return data
