"""Any pixel format that Pillow decodes to plain 8-bit sRGB.

- Alpha is composited on white, as a page would show it.
- 16 bits keep their high byte, so a value that was 8-bit before comes back exactly.
- An embedded ICC profile is followed; one that is broken or of another colour model is ignored.
- 32-bit integer and floating-point pixels are refused: nothing in the file says which value is white.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
import PIL.Image
from PIL import ImageCms
from PIL.ExifTags import Base as Tag
from PIL.Image import Transpose

from mien.errors import UnreadableImage

# Exceptions that damaged metadata raises inside Pillow, where the pixels may still be good.
BROKEN_METADATA = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError,
    EOFError, AssertionError, RuntimeError, ImageCms.PyCMSError,
)  # fmt: skip

_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}

# Pillow mode -> the mode in which colour can be managed.
_WORKING = {
    "1": "L", "L": "L", "LA": "LA", "La": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBX": "RGB",
    "RGBA": "RGBA", "RGBa": "RGBA", "YCbCr": "RGB", "CMYK": "CMYK", "LAB": "LAB",
}  # fmt: skip
_WORKING_WITH_KEY = {"1": "LA", "L": "LA", "P": "RGBA", "RGB": "RGBA"}
_ICC_SPACE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


def to_srgb(picture: PIL.Image.Image, name: str) -> PIL.Image.Image:
    """Convert a loaded picture to mode RGB, sRGB, without alpha.

    Raises:
        UnreadableImage: Pixels whose range is not defined.
    """
    profile = picture.info.get("icc_profile")
    picture = _eight_bit(picture, name)
    table = _WORKING_WITH_KEY if picture.has_transparency_data else {}
    working = table.get(picture.mode) or _WORKING.get(picture.mode)
    if working is None:
        raise UnreadableImage(f"{name} has pixels of an unknown kind ({picture.mode}).")
    if picture.mode != working:
        picture = picture.convert(working)
    if working not in ("LA", "RGBA"):
        return _managed(picture, profile)
    colour = _managed(picture.convert(working[:-1]), profile)
    on_white = PIL.Image.new("RGB", picture.size, "white")
    on_white.paste(colour, mask=picture.getchannel("A"))
    return on_white


def upright(rgb: PIL.Image.Image, original: PIL.Image.Image) -> PIL.Image.Image:
    """Turn or mirror a picture as the EXIF orientation of the loaded original asks.

    Unreadable EXIF is ignored. TIFF and HEIF arrive upright: their decoders turn them and remove the tag.
    """
    try:
        orientation = original.getexif().get(Tag.Orientation, 1)
    except BROKEN_METADATA:
        return rgb
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return rgb if turn is None else rgb.transpose(turn)


def _eight_bit(picture: PIL.Image.Image, name: str) -> PIL.Image.Image:
    if picture.mode in ("I", "F"):
        kind = "floating-point" if picture.mode == "F" else "32-bit or signed integer"
        raise UnreadableImage(
            f"{name} has {kind} pixels, and nothing says which value is white.",
            hint="Scale it to 8 or 16 bits per channel and save it again.",
        )
    if not picture.mode.startswith("I;16"):
        return picture
    tags = getattr(picture, "tag_v2", {})  # only TIFF has them
    depth = tags.get(258, (16,))[0]  # BitsPerSample: 12-bit samples come in the low bits
    high_byte = (np.asarray(picture) >> (depth - 8)).astype(np.uint8)
    if tags.get(262) == 0:  # PhotometricInterpretation: zero is white
        high_byte = 255 - high_byte
    return PIL.Image.fromarray(high_byte)


def _managed(colour: PIL.Image.Image, profile: bytes | None) -> PIL.Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            if source.profile.xcolor_space.strip() == _ICC_SPACE[colour.mode]:
                return _transformed(colour, source)
        except BROKEN_METADATA:
            pass  # a profile that cannot be followed is as good as none
    if colour.mode == "LAB":
        return _transformed(colour, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    # Converting from RGB to RGB would copy all pixels.
    return colour if colour.mode == "RGB" else colour.convert("RGB")


def _transformed(colour: PIL.Image.Image, source: ImageCms.ImageCmsProfile) -> PIL.Image.Image:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    transform = ImageCms.buildTransform(source, srgb, colour.mode, "RGB")
    if colour.mode == "RGB" and _changes_nothing(transform):
        return colour
    return transform.apply(colour)


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Most profiles are sRGB under some name; to try 729 colours is cheaper than to convert all pixels."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    seen = np.asarray(transform.apply(PIL.Image.fromarray(colours)))
    return int(np.abs(seen.astype(np.int16) - colours).max()) <= 1
