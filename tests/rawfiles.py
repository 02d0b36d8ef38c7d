"""Small writers of picture files, byte by byte: what no library would agree to write."""

import struct
import zlib

import numpy as np


def png_chunk(kind, data, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(size_wh, depth, colour, rows, *chunks):
    """A PNG whose scan lines are given raw; colour 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA."""
    header = struct.pack(">IIBBBBB", *size_wh, depth, colour, 0, 0, 0)
    filtered = b"".join(b"\0" + bytes(row) for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + b"".join(chunks)
        + png_chunk(b"IDAT", zlib.compress(filtered))
        + png_chunk(b"IEND", b"")
    )


def png_of(rgb, *chunks):
    return png((rgb.shape[1], rgb.shape[0]), 8, 2, [row.tobytes() for row in rgb], *chunks)


def png16(array, colour, *chunks):
    """A 16-bit PNG from a uint16 array `(h, w)` or `(h, w, c)`."""
    size_wh = array.shape[1], array.shape[0]
    return png(size_wh, 16, colour, [row.astype(">u2").tobytes() for row in array], *chunks)


def tiff(size_wh, pixels, tags=(), *, next_ifd=0):
    """A little-endian RGB TIFF in one strip; `tags` are (number, type, count, value or offset)."""
    width, height = size_wh
    entries = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 3, 0),  # BitsPerSample: the offset is filled in below
        259: (3, 1, 1),
        262: (3, 1, 2),
        273: (4, 1, 0),
        277: (3, 1, 3),
        278: (4, 1, height),
        279: (4, 1, len(pixels)),
    } | {number: rest for number, *rest in tags}
    start = 8
    after = start + 2 + 12 * len(entries) + 4
    entries[258] = (3, 3, after)
    entries[273] = (4, 1, after + 6)
    table = b"".join(struct.pack("<HHII", number, *entries[number]) for number in sorted(entries))
    return (
        b"II*\0"
        + struct.pack("<IH", start, len(entries))
        + table
        + struct.pack("<I", next_ifd)
        + struct.pack("<3H", 8, 8, 8)
        + pixels
    )


def bmp(size_wh, rows=b""):
    """A 24-bit BMP; a negative height means that the rows run from the top."""
    header = struct.pack("<IiiHHIIiiII", 40, *size_wh, 1, 24, 0, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows


def gif(screen_wh, frame_wh, *, dispose=0):
    """A GIF with a two-colour palette and one frame without enough data."""
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", *screen_wh, 0x80, 0, 0)
        + b"\0\0\0\xff\xff\xff"
        + b"!\xf9\x04"
        + struct.pack("<BHBB", dispose << 2, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, *frame_wh, 0)
        + b"\x02\x02\x4c\x01\0;"
    )


def webp_header(size_wh):
    """A WebP that promises a canvas and holds nothing."""
    canvas = b"".join((side - 1).to_bytes(3, "little") for side in size_wh)
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def exif(*entries, next_ifd=0):
    """An EXIF block with one directory; entries are (tag, type, count, 4 value bytes), offsets from 'II'."""
    table = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return (
        b"Exif\0\0II*\0"
        + struct.pack("<IH", 8, len(entries))
        + table
        + struct.pack("<I", next_ifd)
        + struct.pack("<4I", 0, 0, 0, 0)  # two rationals 0/0, at offset 14 + 12 * len(entries)
    )


def orientation(value):
    return exif((0x0112, 3, 1, struct.pack("<HH", value, 0)))


def jpeg_segments(data):
    """Split a JPEG into [(marker, whole segment)], the scan being the last."""
    parts, at = [], 2
    while data[at + 1] != 0xDA:
        length = struct.unpack(">H", data[at + 2 : at + 4])[0]
        parts.append((data[at + 1], data[at : at + 2 + length]))
        at += 2 + length
    return [*parts, (0xDA, data[at:])]


def join_jpeg(parts):
    return b"\xff\xd8" + b"".join(segment for _, segment in parts)


def photo(height=48, width=64):
    """A picture without symmetry: a gradient with some noise, so that it cannot be compressed away."""
    y, x = np.mgrid[0:height, 0:width]
    channels = np.stack([x * 3, y * 4, (x + y) * 2], axis=-1) + np.random.default_rng(7).integers(
        0, 24, (height, width, 3)
    )
    return np.clip(channels, 0, 255).astype(np.uint8)
