"""Which format a file is in, from its first bytes alone; names and suffixes are never trusted.

The decoders are Pillow's, chosen here by name and built directly. `PIL.Image.open` would try every
registered format, among them some that run other programs (EPS) or parse far more than a photograph.
"""

from __future__ import annotations

import importlib
import struct
from typing import Literal, cast

from PIL.ImageFile import ImageFile

from mien.errors import ExtraMissing

Format = Literal["JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "AVIF", "HEIF"]

HEAD_BYTES = 512

_PLUGINS: dict[Format, tuple[str, str]] = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
}

_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
)
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"8BPS", "a Photoshop document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"\x00\x00\x01\xba", "an MPEG video"),
    (b"\x00\x00\x01\xb3", "an MPEG video"),
    (b"ID3", "an MP3 recording"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture, which is not supported"),
    (b"\xff\x0a", "a JPEG XL picture, which is not supported"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture, which is not supported"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture, which is not supported"),
    (b"\x00\x00\x01\x00", "a Windows icon, which is not supported"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "an SQLite database"),
)


def format_of(head: bytes) -> Format | None:
    """Recognise a supported format from the first `HEAD_BYTES` of a file; None if there is none."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        length = int.from_bytes(head[:4], "big")
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(length, len(head)), 4))}
        # AVIF files may name the general brand mif1 first, so AVIF is asked for before HEIF.
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    return None


def looks_like(head: bytes) -> str:
    """Say in words what a file that is no supported picture seems to be."""
    for magic, what in _OTHERS:
        if head.startswith(magic):
            return what
    if head[4:8] == b"ftyp":
        return "an MP4 or QuickTime video"
    if head[:4] == b"RIFF":
        return {b"AVI ": "an AVI video", b"WAVE": "a WAV recording"}.get(
            head[8:12], "a RIFF file of another kind"
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)"
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith(b"<?xml"):
        return "an XML document"
    if start.startswith((b"{", b"[")):
        return "JSON or other text"
    return "plain text" if _is_text(head) else "nothing that we know"


def _is_text(head: bytes) -> bool:
    # The last character may be cut in two by HEAD_BYTES.
    text = head.decode("utf-8-sig", "replace").rstrip("\ufffd")
    return bool(text) and "\ufffd" not in text and all(c.isprintable() or c.isspace() for c in text)


def decoder_of(name: Format) -> type[ImageFile]:
    """Import the decoder of one format.

    Raises:
        ExtraMissing: HEIF without the extra that reads it.
    """
    module, cls = _PLUGINS[name]
    try:
        return cast("type[ImageFile]", getattr(importlib.import_module(module), cls))
    except ImportError as error:
        raise ExtraMissing.of("heic", f"{name} pictures need the package pillow-heif.") from error


def early_size_wh(name: Format, head: bytes) -> tuple[int, int] | None:
    """Width and height of formats whose decoder reserves memory as soon as it is built.

    For the other formats, and for headers too short to say, None: their decoders only read headers.
    """
    try:
        if name == "GIF":
            return struct.unpack_from("<HH", head, 6)
        if name == "WebP":
            return _webp_size_wh(head)
    except struct.error:
        return None
    return None


def _webp_size_wh(head: bytes) -> tuple[int, int] | None:
    """Container: https://developers.google.com/speed/webp/docs/riff_container; chunks from byte 12."""
    chunk = head[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if chunk == b"VP8L":
        bits = struct.unpack_from("<I", head, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
