"""When a photograph was taken, as its camera says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from PIL.ExifTags import IFD
from PIL.ExifTags import Base as Tag

from mien.errors import MienError
from mien.media.formats import HEAD_BYTES, decoder_of, format_of
from mien.media.images import DECODE_ERRORS, MAX_BYTES
from mien.media.opening import opened
from mien.media.quiet import QUIET_DECODERS

# The first photograph of a person is of 1838; cameras whose clock was never set say 0000.
_FIRST_YEAR = 1838
_DAY_CHARACTERS = 10


def day_taken(source: str | Path | bytes) -> str:
    """The day in EXIF's DateTimeOriginal, as `YYYY-MM-DD`; empty if there is none, or it is no day.

    Of a scan it is the day of the scan. Only the head of the file is read.
    """
    try:
        with opened(source, max_bytes=MAX_BYTES) as file:
            kind = format_of(file.stream.read(HEAD_BYTES))
            if kind is None:
                return ""
            file.stream.seek(0)
            with QUIET_DECODERS:
                exif = decoder_of(kind)(file.stream).getexif().get_ifd(IFD.Exif)
                return _day(exif.get(Tag.DateTimeOriginal))
    except (MienError, *DECODE_ERRORS):
        return ""


def _day(text: object) -> str:
    if not isinstance(text, str):
        return ""
    try:
        found = date.fromisoformat(text[:_DAY_CHARACTERS].replace(":", "-"))
    except ValueError:
        return ""
    return found.isoformat() if _FIRST_YEAR <= found.year <= datetime.now(UTC).year else ""
