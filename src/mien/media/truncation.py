"""Whether a damaged file is one that was cut off: a half-finished download or copy.

Asked only after decoding failed, to give the better message.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from mien.media.formats import HEAD_BYTES, Format

_TAIL_BYTES = 1024
_LAST_MARK: dict[Format, bytes] = {"JPEG": b"\xff\xd9", "PNG": b"IEND", "GIF": b";"}
_WORDS = ("truncated", "unexpected end", "end of file", "end of data", "not enough", "too short", "underrun")


def is_truncated(name: Format, stream: BinaryIO, size_bytes: int, error: BaseException) -> bool:
    """Tell from the decoder's words, or from the file's own account of its length.

    Args:
        name: Format that the file claims.
        stream: The file; its position is lost.
        size_bytes: Its length.
        error: What the decoder raised.
    """
    said = str(error).lower()
    if any(words in said for words in _WORDS):
        return True
    try:
        return _ends_early(name, stream, size_bytes)
    except (OSError, ValueError, struct.error):  # the header itself is cut, or the file went away
        return size_bytes < HEAD_BYTES


def _ends_early(name: Format, stream: BinaryIO, size_bytes: int) -> bool:
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    if name in _LAST_MARK:
        stream.seek(-min(size_bytes, _TAIL_BYTES), os.SEEK_END)
        tail = stream.read().rstrip(b"\0")
        return not tail.endswith(b";") if name == "GIF" else _LAST_MARK[name] not in tail
    if name == "WebP":
        return size_bytes < 8 + int.from_bytes(head[4:8], "little")
    if name == "BMP":
        return size_bytes < int.from_bytes(head[2:6], "little")
    if name == "TIFF":
        return _tiff_ends_early(head, stream, size_bytes)
    return _boxes_end_early(stream, size_bytes)


def _tiff_ends_early(head: bytes, stream: BinaryIO, size_bytes: int) -> bool:
    """The first directory begins or ends behind the end of the file (classic TIFF only)."""
    order = "<" if head[:2] == b"II" else ">"
    start = struct.unpack_from(order + "I", head, 4)[0]
    if start + 2 > size_bytes:
        return True
    stream.seek(start)
    entries = struct.unpack(order + "H", stream.read(2))[0]
    return bool(start + 2 + 12 * entries > size_bytes)


def _boxes_end_early(stream: BinaryIO, size_bytes: int) -> bool:
    """AVIF and HEIF are a row of boxes (ISO 14496-12), each beginning with its length."""
    start = 0
    while start < size_bytes:
        stream.seek(start)
        length = int.from_bytes(stream.read(4), "big")
        if length < 8:  # 0: up to the end of the file; 1: a 64-bit length, beyond any picture we open
            return False
        start += length
    return start > size_bytes
