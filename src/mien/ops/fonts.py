"""Letters for pictures: Pillow's own font where it suffices, an installed one for other scripts."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import cast

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

# Tried in this order when a text has characters that Pillow's font lacks, which are all beyond ASCII.
SYSTEM_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "C:/Windows/Fonts/segoeui.ttf",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/malgun.ttf",
)

_NOBODY_DRAWS = "\U0010fffe"  # a noncharacter: every font answers with its sign for a missing glyph
_MISSING = "?"


def lettering(text: str, size_px: int) -> tuple[str, FreeTypeFont]:
    """Choose a font for one line of text, and replace what no font at hand can draw.

    Of the fonts at hand, the first that has every character, else the one that lacks the fewest. A
    letter that it lacks loses its accents (é becomes e); what remains becomes a question mark.

    Args:
        text: Control characters, line breaks among them, become spaces.
        size_px: Height of the letters in pixels, at least 1.

    Returns:
        The text to draw and the font to draw it with.
    """
    line = "".join(c if c.isprintable() else " " for c in text)
    best = cast("FreeTypeFont", ImageFont.load_default(size_px))
    missing = set() if line.isascii() else _missing(best, line)
    for path in SYSTEM_FONTS:
        if not missing:
            break
        if not Path(path).is_file():
            continue
        try:
            font = ImageFont.truetype(path, size_px)
        except OSError:  # not a font after all
            continue
        if len(lacking := _missing(font, line)) < len(missing):
            best, missing = font, lacking
    return "".join(_instead_of(c) if c in missing else c for c in line), best


def _missing(font: FreeTypeFont, line: str) -> set[str]:
    unknown = _drawn(font, _NOBODY_DRAWS)
    # A combining mark drawn alone looks like nothing at all, and spaces are nothing.
    return {
        c for c in set(line) if not (c.isspace() or unicodedata.combining(c)) and _drawn(font, c) == unknown
    }


def _drawn(font: FreeTypeFont, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


def _instead_of(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() and base.isprintable() else _MISSING
