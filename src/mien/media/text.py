"""Text files that people hand in."""

from __future__ import annotations

from pathlib import Path

from mien.errors import BadRequest

MAX_BYTES = 256 * 1024 * 1024


def read_text(file: Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Raises:
        BadRequest: It is not there, too long, or no text.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise BadRequest(f"{file} is longer than {MAX_BYTES // 2**20} MiB.")
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{file} is no text in UTF-8.", hint="Save it again as UTF-8.") from error
    except OSError as error:
        raise BadRequest(f"{file} cannot be read: {error.strerror or error}.") from error
