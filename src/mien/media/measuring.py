"""How large a picture will be once it is decoded."""

from __future__ import annotations

import re
import struct
from io import BytesIO

from mien.media.formats import HEAD_BYTES, decoder_of, early_size_wh, format_of
from mien.media.images import DECODE_ERRORS
from mien.media.quiet import QUIET_DECODERS

# An extension, or a frame; decoders skip what is neither.
_BLOCK = re.compile(rb"[!,]")


def pixels_of(content: bytes) -> int:
    """Pixels of an encoded picture, from its header; 0 of what is none: opening it says why.

    Raises:
        ExtraMissing: HEIC without the package that reads it.
    """
    name = format_of(content[:HEAD_BYTES])
    if name is None:
        return 0
    decoder = decoder_of(name)
    size_wh = early_size_wh(name, content[:HEAD_BYTES])
    if name == "GIF" and size_wh is not None:
        size_wh = _with_first_frame(size_wh, content)
    if size_wh is None:
        try:
            with QUIET_DECODERS:
                size_wh = decoder(BytesIO(content)).size
        except DECODE_ERRORS:
            return 0
    return size_wh[0] * size_wh[1]


def _with_first_frame(screen_wh: tuple[int, int], content: bytes) -> tuple[int, int]:
    """Width and height of a GIF, whose first frame may reach beyond the screen that its header names.

    Blocks: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
    """
    try:
        flags = content[10]
        at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        while (begun := _BLOCK.search(content, at)) and begun[0] == b"!":
            at = begun.end() + 1
            while length := content[at]:
                at += 1 + length
        if begun is None:
            return screen_wh
        left, top, width, height = struct.unpack_from("<4H", content, begun.end())
    except (IndexError, struct.error):
        return screen_wh  # it ends before: it cannot be decoded either
    return max(screen_wh[0], left + width), max(screen_wh[1], top + height)
