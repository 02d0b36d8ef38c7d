"""Broken, hostile and odd files, each with what must come of it.

`build_hostile(folder)` writes them all; any test may ask for it: the decoder's, and those of the doors.
"""

import io
import os
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import PIL.Image
from PIL import ImageCms

from rawfiles import (
    bmp,
    exif,
    gif,
    join_jpeg,
    jpeg_segments,
    orientation,
    photo,
    png,
    png16,
    png_chunk,
    png_of,
    tiff,
    webp_header,
)


@dataclass(frozen=True)
class Expectation:
    """What opening a file gives: an error of this code whose message holds these words, or this picture.

    `rgb` None and `code` None: it opens, and what it shows is not defined.
    """

    code: str | None = None
    words: str = ""
    rgb: np.ndarray | None = None
    tolerance: int = 0


RGB = photo()
H, W = RGB.shape[:2]
GREY = np.repeat(RGB[:, :, :1], 3, axis=2)
MASK = np.where(np.arange(W) < 20, 0, np.where(np.arange(W) < 40, 128, 255)).astype(np.uint8) * np.ones(
    (H, 1), np.uint8
)


def on_white(rgb, alpha):
    a = alpha[:, :, None] / 255
    return np.round(rgb * a + 255 * (1 - a)).astype(np.uint8)


def encoded(array, kind, **options):
    stream = io.BytesIO()
    PIL.Image.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


def unreadable(words=""):
    return Expectation("unreadable_image", words)


def too_large(words="pixels"):
    return Expectation("image_too_large", words)


def shows(rgb, tolerance=0):
    return Expectation(rgb=np.asarray(rgb), tolerance=tolerance)


def turned(rgb, value):
    """EXIF orientation in numpy's words: where row 0 and column 0 of the stored picture belong."""
    return {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, 1),
    }[value](rgb)


def truncated():
    whole = {
        "jpg": encoded(RGB, "JPEG", quality=95),
        "png": encoded(RGB, "PNG"),
        "webp": encoded(RGB, "WEBP", quality=90),
        "bmp": encoded(RGB, "BMP"),
        "gif": encoded(RGB, "GIF"),
        "tif": encoded(RGB, "TIFF"),
        "lzw.tif": encoded(RGB, "TIFF", compression="tiff_lzw"),
        "progressive.jpg": encoded(RGB, "JPEG", quality=95, progressive=True),
        "avif": encoded(RGB, "AVIF", quality=90),
    }
    for suffix, data in whole.items():
        for tenth in range(1, 10):
            # Of three bytes of a JPEG nothing can be said; a tenth of these files is a few hundred.
            yield f"truncated_{tenth}0.{suffix}", data[: len(data) * tenth // 10], unreadable("truncated")


def not_pictures():
    noise = np.random.default_rng(3).integers(0, 256, 4000).astype(np.uint8).tobytes()
    yield "zero_bytes.jpg", b"", unreadable("empty")
    yield "one_byte.png", b"\x89", unreadable("nothing that we know")
    yield "magic_only.jpg", b"\xff\xd8\xff", unreadable()
    yield "magic_only.webp", b"RIFF\x04\0\0\0WEBP", unreadable()
    yield "magic_only.avif", b"\0\0\0\x10ftypavif\0\0\0\0", unreadable()
    yield "soi_eoi.jpg", b"\xff\xd8\xff\xd9", unreadable()
    yield "web_page.jpg", b"<!DOCTYPE html><html><body>404</body></html>", unreadable("web page")
    yield "document.jpg", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", unreadable("PDF")
    yield "archive.png", b"PK\x03\x04" + noise, unreadable("ZIP")
    yield "video.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + noise, unreadable("video")
    yield "video_avi.bmp", b"RIFF\0\0\1\0AVI LIST" + noise, unreadable("AVI")
    yield "text.png", "纯文本 is not a picture. ".encode() * 60, unreadable("plain text")
    yield "drawing.png", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", unreadable("SVG")
    yield "postscript.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", unreadable("PostScript")
    yield "photoshop.jpg", b"8BPS\0\1" + noise, unreadable("Photoshop")
    yield "noise.bin.jpg", b"\x13\x37" + noise, unreadable("nothing that we know")
    for name, magic in {
        "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        "png": b"\x89PNG\r\n\x1a\n",
        "gif": b"GIF89a",
        "tif": b"II*\0",
        "bmp": b"BM",
        "webp": b"RIFF\x90\x0f\0\0WEBP",
        "avif": b"\0\0\0\x1cftypavif",
    }.items():
        # Whatever the noise says, a picture it is not: too large, damaged or cut off.
        yield f"noise_with_magic.{name}", magic + noise, Expectation("unreadable_image|image_too_large")


def bombs():
    yield "bomb.png", png((100_000, 100_000), 8, 2, []), too_large()
    yield "bomb_grey.png", png((100_000, 100_000), 1, 0, []), too_large()
    yield "bomb.bmp", bmp((100_000, 100_000)), too_large()
    yield "bomb.tif", tiff((100_000, 100_000), b""), too_large()
    yield "bomb.gif", gif((65_535, 65_535), (1, 1)), too_large()
    yield "bomb_frame.gif", gif((1, 1), (65_535, 65_535), dispose=2), too_large()
    yield "bomb.webp", webp_header((16_777_216, 16_777_216)), too_large()
    jpeg = bytearray(encoded(RGB, "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    yield "bomb.jpg", bytes(jpeg), too_large()
    zeros = zlib.compress(bytes(100_000_000))
    yield "bomb_text.png", png_of(RGB, png_chunk(b"zTXt", b"Comment\0\0" + zeros)), unreadable("PNG")
    yield "bomb_itxt.png", png_of(RGB, png_chunk(b"iTXt", b"a\0\1\0\0\0" + zeros)), unreadable("PNG")
    yield "bomb_icc.png", png_of(RGB, png_chunk(b"iCCP", b"a\0\0" + zeros)), unreadable("PNG")
    huge_count = tiff((W, H), RGB.tobytes(), [(305, 2, 0xFFFFFFF0, 8)])  # a "Software" tag of 4 GB
    yield "bomb_tag.tif", huge_count, shows(RGB)


def damaged():
    whole = png_of(RGB)
    at = whole.index(b"IDAT")
    yield "crc_of_pixels.png", whole[:-16] + b"\0\0\0\0" + whole[-12:], shows(RGB)
    yield "crc_of_header.png", whole[:29] + b"\0\0\0\0" + whole[33:], unreadable("PNG")
    yield "pixels_zeroed.png", whole[: at + 8] + bytes(len(whole) - at - 8), unreadable()
    yield "no_end.png", whole[:-12], shows(RGB)
    yield "zero_width.png", png((0, 10), 8, 2, []), unreadable()
    yield "depth_3.png", png((4, 4), 3, 0, [b"\0\0"] * 4), unreadable()
    yield "too_few_rows.png", png((W, H), 8, 2, [RGB[0].tobytes()]), Expectation()
    jpeg = encoded(RGB, "JPEG", quality=95)
    size_at = jpeg.index(b"\xff\xc0") + 5
    yield "zero_height.jpg", jpeg[:size_at] + b"\0\0" + jpeg[size_at + 2 :], unreadable()
    yield (
        "no_tables.jpg",
        join_jpeg([p for p in jpeg_segments(jpeg) if p[0] not in (0xDB, 0xC4)]),
        unreadable(),
    )
    yield "no_frame.jpg", join_jpeg([p for p in jpeg_segments(jpeg) if p[0] != 0xC0]), unreadable()
    yield "tail_of_garbage.jpg", jpeg + b"\0garbage" * 500, shows(RGB, 40)
    yield (
        "height_claims_more.jpg",
        jpeg[:size_at] + struct.pack(">H", 4000) + jpeg[size_at + 2 :],
        Expectation(),
    )
    yield "no_picture.gif", b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0) + b";", unreadable()
    yield "too_little.gif", gif((64, 64), (64, 64)), unreadable()
    yield "no_compression_named.tif", tiff((W, H), RGB.tobytes(), [(259, 3, 1, 7777)]), unreadable()
    yield "directory_beyond_end.tif", b"II*\0\xff\xff\xff\x00", unreadable("truncated")
    yield "strip_beyond_end.tif", tiff((W, H), b""), unreadable("truncated")
    yield "directory_loop.tif", tiff((W, H), RGB.tobytes(), next_ifd=8), shows(RGB)
    yield "exif_directory_loop.tif", tiff((W, H), RGB.tobytes(), [(34665, 4, 1, 8)]), shows(RGB)
    yield "samples_500.tif", tiff((W, H), RGB.tobytes(), [(277, 3, 1, 500)]), unreadable()
    yield "float.tif", encoded(RGB[:, :, 0].astype(np.float32), "TIFF"), unreadable("floating-point")
    yield "int32.tif", encoded(RGB[:, :, 0].astype(np.int32), "TIFF"), unreadable("integer")


def metadata():
    for value in range(1, 9):
        tag = orientation(value)
        yield f"orientation_{value}.png", encoded(RGB, "PNG", exif=tag), shows(turned(RGB, value))
        stored = encoded(RGB, "JPEG", quality=100, subsampling=0, exif=tag)
        yield f"orientation_{value}.jpg", stored, shows(turned(RGB, value), 8)
        yield (
            f"orientation_{value}.tif",
            tiff((W, H), RGB.tobytes(), [(274, 3, 1, value)]),
            shows(turned(RGB, value)),
        )
        lossless = encoded(RGB, "WEBP", lossless=True, exif=tag)
        yield f"orientation_{value}.webp", lossless, shows(turned(RGB, value))
    nan = exif(
        (0x0112, 12, 1, struct.pack("<f", np.nan)),
        (0x011A, 5, 1, struct.pack("<I", 14 + 3 * 12)),
        (0x8769, 4, 1, struct.pack("<I", 8)),  # the Exif directory is this one: a loop
    )
    odd = {
        "nan": nan,
        "garbage": b"Exif\0\0" + b"\xff\x00\x17" * 300,
        "empty": b"Exif\0\0",
        "orientation_0": orientation(0),
        "orientation_99": orientation(99),
        "orientation_text": exif((0x0112, 2, 4, b"six\0")),
        "counts_4_billion": exif(
            (0x0112, 3, 0xFFFFFFFF, b"\x08\0\0\0"), (0x9003, 2, 0xFFFFFFFF, b"\x08\0\0\0")
        ),
    }
    for name, block in odd.items():
        yield f"exif_{name}.png", encoded(RGB, "PNG", exif=block), shows(RGB)
        yield f"exif_{name}.jpg", encoded(RGB, "JPEG", quality=100, subsampling=0, exif=block), shows(RGB, 8)
        yield f"exif_{name}.webp", encoded(RGB, "WEBP", lossless=True, exif=block), shows(RGB)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    # Which primary is called red and which blue is only a name in the profile's table.
    swapped = srgb.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    yield "icc_srgb.png", encoded(RGB, "PNG", icc_profile=srgb), shows(RGB, 1)
    yield "icc_red_is_blue.png", encoded(RGB, "PNG", icc_profile=swapped), shows(RGB[:, :, ::-1], 2)
    yield "icc_red_is_blue.tif", encoded(RGB, "TIFF", icc_profile=swapped), shows(RGB[:, :, ::-1], 2)
    transparent = np.dstack([RGB, MASK])
    yield (
        "icc_and_alpha.png",
        encoded(transparent, "PNG", icc_profile=swapped),
        shows(on_white(RGB[:, :, ::-1], MASK), 3),
    )
    yield "icc_garbage.png", encoded(RGB, "PNG", icc_profile=b"\xde\xad" * 200), shows(RGB)
    yield (
        "icc_garbage.jpg",
        encoded(RGB, "JPEG", quality=100, subsampling=0, icc_profile=b"\1" * 99),
        shows(RGB, 8),
    )
    yield "icc_cut.png", encoded(RGB, "PNG", icc_profile=srgb[:200]), shows(RGB)
    yield "icc_of_lab.png", encoded(RGB, "PNG", icc_profile=lab), shows(RGB)
    yield "icc_of_rgb_on_grey.png", encoded(RGB[:, :, 0], "PNG", icc_profile=srgb), shows(GREY)


def odd_pixels():
    wide = RGB.astype(np.uint16) << 8 | 0x5A
    yield "pixel_1x1.png", encoded(RGB[:1, :1], "PNG"), shows(RGB[:1, :1])
    yield (
        "line_1x20000.png",
        encoded(np.full((20_000, 1, 3), 77, np.uint8), "PNG"),
        shows(np.full((20_000, 1, 3), 77)),
    )
    yield (
        "line_20000x1.jpg",
        encoded(np.full((1, 20_000, 3), 77, np.uint8), "JPEG"),
        shows(np.full((1, 20_000, 3), 77), 2),
    )
    yield "wrong_extension.png", encoded(RGB, "BMP"), shows(RGB)
    yield "wrong_extension.jpg", encoded(RGB, "PNG"), shows(RGB)
    yield "grey.png", encoded(RGB[:, :, 0], "PNG"), shows(GREY)
    yield "grey_16.png", png16(wide[:, :, 0], 0), shows(GREY)
    yield "grey_16.tif", encoded(wide[:, :, 0], "TIFF"), shows(GREY)
    yield "rgb_16.png", png16(wide, 2), shows(RGB)
    alpha_16 = np.dstack([wide, MASK.astype(np.uint16) * 257])
    yield "rgba_16.png", png16(alpha_16, 6), shows(on_white(RGB, MASK), 1)
    yield "grey_alpha_16.png", png16(alpha_16[:, :, [0, 3]], 4), shows(on_white(GREY, MASK), 1)
    yield "alpha.png", encoded(np.dstack([RGB, MASK]), "PNG"), shows(on_white(RGB, MASK), 1)
    yield (
        "alpha.webp",
        encoded(np.dstack([RGB, MASK]), "WEBP", lossless=True, exact=True),
        shows(on_white(RGB, MASK), 1),
    )
    grey_alpha = [np.dstack([RGB[:, :, 0], MASK])[i].tobytes() for i in range(H)]
    yield "grey_alpha.png", png((W, H), 8, 4, grey_alpha), shows(on_white(GREY, MASK), 1)
    key = png_chunk(b"tRNS", struct.pack(">3H", *(int(c) for c in RGB[0, 0])))
    keyed = np.where((RGB[0, 0] == RGB).all(axis=2, keepdims=True), 255, RGB)
    yield "colour_key.png", png_of(RGB, key), shows(keyed)
    rows = [bytes([0, 1, 2, 3])] * 2
    palette = png_chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9]))
    see_through = png_chunk(b"tRNS", bytes([255, 0, 128]))
    seen = np.array([[[255, 0, 0], [255, 255, 255], [127, 127, 255], [9, 9, 9]]] * 2)
    yield "palette_transparent.png", png((4, 2), 8, 3, rows, palette, see_through), shows(seen, 1)
    beyond = png((4, 2), 8, 3, [bytes([0, 1, 2, 250])] * 2, palette)  # colour 250 of 4
    yield "palette_too_short.png", beyond, Expectation()
    bits = np.array([[[255] * 3, [0] * 3, [255] * 3, [0] * 3, [255] * 3, [0] * 3, [255] * 3, [0] * 3]])
    yield "one_bit.png", png((8, 1), 1, 0, [b"\xaa"]), shows(bits)
    yield "top_down.bmp", bmp((W, -H), RGB[:, :, ::-1].tobytes()), shows(RGB)
    cmyk = PIL.Image.fromarray(np.dstack([255 - RGB, np.full((H, W), 51, np.uint8)]), "CMYK")
    printed = np.round(RGB * (204 / 255)).astype(np.uint8)
    stream = io.BytesIO()
    cmyk.save(stream, "JPEG", quality=100, subsampling=0)
    yield "cmyk_adobe.jpg", stream.getvalue(), shows(printed, 8)
    stored = join_jpeg([p for p in jpeg_segments(stream.getvalue()) if p[0] != 0xEE])
    # Without Adobe's marker, Adobe's convention is assumed all the same: others are hardly ever met.
    yield "cmyk_plain.jpg", stored, shows(printed, 8)
    stream = io.BytesIO()
    cmyk.save(stream, "TIFF")
    yield "cmyk.tif", stream.getvalue(), shows(printed, 1)
    for name, mode, tolerance in (("ycbcr", "YCbCr", 4), ("lab", "LAB", 24)):  # 8-bit Lab is coarse
        converted = PIL.Image.fromarray(RGB)
        if mode == "LAB":
            converted = ImageCms.profileToProfile(
                converted, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
            )
        stream = io.BytesIO()
        converted.convert(mode).save(stream, "TIFF")
        yield f"{name}.tif", stream.getvalue(), shows(RGB, tolerance)
    frames = [
        PIL.Image.fromarray(np.full((8, 8, 3), c, np.uint8)) for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    ]
    red = np.zeros((8, 8, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        stream = io.BytesIO()
        lossless = {"lossless": True} if kind == "WEBP" else {}
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:], **lossless)
        yield f"animated.{kind.lower()}", stream.getvalue(), shows(red)
    yield "名字 with spaces 😀.png", encoded(RGB, "PNG"), shows(RGB)


def build_hostile(folder):
    """Write every file into the folder; name -> what opening it must give."""
    expected = {}
    for family in (truncated, not_pictures, bombs, damaged, metadata, odd_pixels):
        for name, data, expectation in family():
            (folder / name).write_bytes(data)
            expected[name] = expectation
    (folder / "folder.jpg").mkdir()
    expected["folder.jpg"] = unreadable("folder")
    for name, target, words in (
        ("link_to_itself.jpg", "link_to_itself.jpg", "symbolic links"),
        ("link_to_nothing.jpg", "nowhere.jpg", "does not exist"),
        ("device.jpg", "/dev/zero", "device"),
    ):
        (folder / name).symlink_to(target)
        expected[name] = unreadable(words)
    os.mkfifo(folder / "pipe.jpg")
    expected["pipe.jpg"] = unreadable("pipe")
    return expected
