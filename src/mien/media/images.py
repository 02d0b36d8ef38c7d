"""Open, find, read and save photographs."""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

from mien.core.analysis import Failure
from mien.core.image import Image
from mien.errors import BadRequest, ImageTooLarge, MienError, UnreadableImage
from mien.media.formats import HEAD_BYTES, Format, decoder_of, early_size_wh, format_of, looks_like
from mien.media.opening import Opened, Source, name_of, opened, origin_of
from mien.media.pixels import to_srgb, upright
from mien.media.quiet import QUIET_DECODERS
from mien.media.truncation import is_truncated

MAX_PIXELS = 100_000_000
MAX_BYTES = 512 * 1024 * 1024

SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".gif",
        ".avif",
        ".heic",
        ".heif",
    )
)

# What Pillow raises on damaged or hostile files. Its decoders are written for good ones: a wrong length
# surfaces as IndexError, a zero denominator as ZeroDivisionError, a missing tag as KeyError.
DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, EOFError,
    AssertionError, RuntimeError, MemoryError, struct.error, zlib.error, PIL.Image.DecompressionBombError,
)  # fmt: skip

_SAVE_AS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_SAVE_QUALITY = 90


def open_image(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    enough_side: int | None = None,
) -> Image:
    """Decode one photograph to upright 8-bit sRGB.

    JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF and, with the extra `heic`, HEIC, recognised by content.
    Of several frames or pages, the first. EXIF orientation and ICC profile are applied, alpha is
    composited on white, 16 bits keep their high byte.

    Args:
        source: Path, the bytes of a file, or a binary stream.
        max_pixels: Pictures with more are refused from their header, before they are decoded.
            Independent of it, Pillow takes no GIF frame, TIFF or WebP above 179 million.
        max_bytes: Longer files are refused before they are read.
        enough_side: A longer side of so many pixels is enough: a JPEG that has twice as many, or more, is
            decoded to a half, a quarter or an eighth of its size, which takes a fraction of the time.

    Raises:
        BadRequest: The source is of the wrong type or a network address.
        UnreadableImage: Missing, not a picture, damaged or truncated.
        ImageTooLarge: Too many pixels or bytes.
        ExtraMissing: HEIC without the package that reads it.
    """
    with opened(source, max_bytes=max_bytes) as file:
        try:
            head = file.stream.read(HEAD_BYTES)
        except OSError as error:
            raise UnreadableImage(f"{file.name} cannot be read: {error.strerror or error}.") from error
        name = format_of(head)
        if name is None:
            raise UnreadableImage(
                f"{file.name} is not a picture: it looks like {looks_like(head)}.",
                hint="Give a JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF or HEIC file.",
            )
        decoder = decoder_of(name)
        _check_pixels(early_size_wh(name, head), file.name, max_pixels)
        try:
            with QUIET_DECODERS:
                rgb, full_wh = _decode(decoder, file, max_pixels, enough_side)
        except DECODE_ERRORS as error:
            raise _explained(name, file, error) from error
        return Image(rgb, origin_of(source), full_wh=full_wh)


def find_images(paths: Iterable[str | Path]) -> Iterator[Path]:
    """Yield pictures, walking folders recursively in sorted order.

    A path that is not a folder is yielded as it is, whatever its name and even if it is missing, so
    that opening it gives the error; so is a folder that cannot be listed. Inside folders, hidden
    entries and unknown suffixes are skipped, links are followed, and each folder is visited once.
    """
    for given in paths:
        start = Path(given)
        visited: set[tuple[int, int]] = set()
        waiting = [start]
        while waiting:
            path = waiting.pop()
            if not _is_folder(path):
                if path is start or path.suffix.lower() in SUFFIXES:
                    yield path
                continue
            try:
                status = path.stat()
                inside = sorted((p for p in path.iterdir() if not p.name.startswith(".")), reverse=True)
            except OSError:
                yield path
                continue
            if (identity := (status.st_dev, status.st_ino)) not in visited:
                visited.add(identity)
                waiting += inside


def read_images(
    sources: Iterable[Image | Source],
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    enough_side: int | None = None,
) -> Iterator[Image | Failure]:
    """Open sources one at a time, as they are asked for; a bad one becomes a `Failure`.

    Args:
        sources: What `open_image` takes, or pictures, which pass through.
        max_pixels: As in `open_image`.
        max_bytes: As in `open_image`.
        enough_side: As in `open_image`.
    """
    for source in sources:
        if isinstance(source, Image):
            yield source
            continue
        try:
            image = open_image(source, max_pixels=max_pixels, max_bytes=max_bytes, enough_side=enough_side)
        except MienError as error:
            yield Failure(origin_of(source), error)
        else:
            yield image


def save_image(image: Image, path: Path) -> None:
    """Write a picture as JPEG or WebP (quality 90) or PNG, as the suffix says.

    The file appears under its name only when it is complete.

    Raises:
        BadRequest: Unknown suffix, a picture too large for the format, or a place that cannot be written.
    """
    kind = _SAVE_AS.get(path.suffix.lower())
    if kind is None:
        raise BadRequest(
            f"{name_of(path)} has no suffix that we write.", hint=f"End it with one of {', '.join(_SAVE_AS)}."
        )
    encoded = BytesIO()
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        PIL.Image.fromarray(image.rgb).save(encoded, kind, quality=_SAVE_QUALITY)
        with temporary.open("xb") as file:
            file.write(encoded.getbuffer())
        temporary.replace(path)
    except (OSError, ValueError) as error:
        raise BadRequest(f"{name_of(path)} cannot be written: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _decode(
    decoder: type[ImageFile], file: Opened, max_pixels: int, enough_side: int | None
) -> tuple[NDArray[np.uint8], tuple[int, int] | None]:
    """Upright pixels, and the size of the upright original if it is another."""
    file.stream.seek(0)
    picture = decoder(file.stream)
    _check_pixels(picture.size, file.name, max_pixels)
    full_wh = picture.size
    if enough_side is not None and max(full_wh) >= 2 * enough_side:
        share = enough_side / max(full_wh)
        # Only JPEG's decoder takes the hint; it never goes below what is asked for.
        picture.draft(None, (round(full_wh[0] * share), round(full_wh[1] * share)))
    reduced = picture.size != full_wh
    picture.load()
    _check_pixels(picture.size, file.name, max_pixels)  # HEIF may change its mind while decoding
    pixels = np.asarray(upright(to_srgb(picture, file.name), picture))
    if not reduced:
        return pixels, None
    lies = (pixels.shape[1] > pixels.shape[0]) != (full_wh[0] > full_wh[1])
    return pixels, (full_wh[1], full_wh[0]) if lies else full_wh


def _check_pixels(size_wh: tuple[int, int] | None, name: str, max_pixels: int) -> None:
    if size_wh is not None and size_wh[0] * size_wh[1] > max_pixels:
        width, height = size_wh
        raise ImageTooLarge(f"{name} has {width} x {height} pixels, more than the {max_pixels:,} allowed.")


def _explained(name: Format, file: Opened, error: BaseException) -> UnreadableImage | ImageTooLarge:
    if isinstance(error, PIL.Image.DecompressionBombError):
        return ImageTooLarge(
            f"{file.name} is larger than the {name} decoder takes: {error}", hint="Shrink the picture."
        )
    if isinstance(error, MemoryError):
        return ImageTooLarge(f"{file.name} needs more memory than there is.", hint="Shrink the picture.")
    if is_truncated(name, file.stream, file.size_bytes, error):
        return UnreadableImage(
            f"{file.name} is truncated: the file ends before its {name} picture does.",
            hint="Copy or download it again.",
        )
    # The others say little without their type: a KeyError is only a key.
    clear = isinstance(error, (OSError, SyntaxError, ValueError)) and str(error)
    said = str(error).rstrip(".") if clear else repr(error)
    return UnreadableImage(f"{file.name} is damaged: the {name} decoder says: {said}.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
