"""How large a picture will be once it is decoded."""

from __future__ import annotations

from io import BytesIO

from mien.media.formats import HEAD_BYTES, decoder_of, early_size_wh, format_of
from mien.media.images import DECODE_ERRORS
from mien.media.quiet import QUIET_DECODERS


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
    if size_wh is None:
        try:
            with QUIET_DECODERS:
                size_wh = decoder(BytesIO(content)).size
        except DECODE_ERRORS:
            return 0
    return size_wh[0] * size_wh[1]
