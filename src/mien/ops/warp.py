"""Resampling pixels: resizing whole pictures and cutting aligned chips out of them.

Pillow does the arithmetic, on the smallest region that is needed; when a chip is much smaller than
the region it shows, the region is halved first, since bilinear interpolation alone would skip
pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from mien.ops.align import Matrix, invert_transform, scale_of

Pixels = NDArray[np.uint8]


def resize(rgb: Pixels, size_wh: tuple[int, int]) -> Pixels:
    """Resize `(h, w, 3)`: means of whole blocks of pixels, then a triangle filter for what is left.

    Of pictures that are made more than four times smaller only every second pixel is looked at, every third
    from six times on, and so on: to look at all of them takes longer than to find the faces.
    """
    height, width = rgb.shape[:2]
    step = max(1, int(min(width / size_wh[0], height / size_wh[1]) / 2))
    if step > 1:
        rgb = rgb[step // 2 :: step, step // 2 :: step]
    box = (0, 0, min(width / step, rgb.shape[1]), min(height / step, rgb.shape[0]))
    picture = PIL.Image.fromarray(np.ascontiguousarray(rgb))
    return np.asarray(picture.resize(size_wh, PIL.Image.Resampling.BILINEAR, box, reducing_gap=1.0))


def warp(rgb: Pixels, matrix: Matrix, size_wh: tuple[int, int]) -> Pixels:
    """Cut an aligned chip out of a picture, bilinear; what lies outside the picture is black.

    Args:
        rgb: `(h, w, 3)` uint8.
        matrix: `(2, 3)`, from the picture's frame to the chip's.
        size_wh: Width and height of the chip.

    Returns:
        `(height, width, 3)` uint8.
    """
    width, height = size_wh
    back = invert_transform(matrix)
    corners = (
        np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]) @ back[:, :2].T
        + back[:, 2]
    )
    halvings = max(0, math.floor(math.log2(max(scale_of(back), 1))))
    margin = 4 * 2**halvings
    limit = np.array([rgb.shape[1], rgb.shape[0]])
    low = np.clip(np.floor(corners.min(0)) - margin, 0, limit).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + margin + 1, 0, limit).astype(int)
    if (high <= low).any():
        return np.zeros((height, width, 3), np.uint8)
    pixels = rgb[low[1] : high[1], low[0] : high[0]]
    for _ in range(halvings):
        pixels = halve(pixels)
    if 0 in pixels.shape:
        return np.zeros((height, width, 3), np.uint8)
    region = PIL.Image.fromarray(pixels)
    # Pillow's pixel centres are at halves, ours at integers; each halving puts pixel i over pixel 2 i + 2.
    shrink = 2**halvings
    turn = back[:, :2] / shrink
    shift = (back[:, 2] - low) / shrink - 2 * (1 - 1 / shrink) + 0.5 - turn @ np.array([0.5, 0.5])
    data = (*turn[0], shift[0], *turn[1], shift[1])
    chip = region.transform(size_wh, PIL.Image.Transform.AFFINE, data, PIL.Image.Resampling.BILINEAR)
    return np.asarray(chip)


def halve(rgb: Pixels) -> Pixels:
    """Halve `(h, w, 3)` with the five-tap kernel 1 4 6 4 1 of Burt and Adelson.

    The Laplacian Pyramid as a Compact Image Code, IEEE Transactions on Communications, 1983. Pixel i
    of the result lies over pixel `2 i + 2`; the border that the kernel cannot cover is lost.

    Returns:
        `((h - 3) // 2, (w - 3) // 2, 3)` uint8, empty for pictures of less than five pixels.
    """
    rows, columns = (max((side - 3) // 2, 0) for side in rgb.shape[:2])
    tall = _taps([rgb[start : start + 2 * rows : 2][:rows] for start in range(5)])
    small = _taps([tall[:, start : start + 2 * columns : 2][:, :columns] for start in range(5)])
    small >>= 8
    return small.astype(np.uint8)


def _taps(parts: list[NDArray[Any]]) -> NDArray[np.uint16]:
    """1 4 6 4 1 times five arrays; added in place, which takes half of the time."""
    a, b, c, d, e = parts
    total: NDArray[np.uint16] = np.add(b, d, dtype=np.uint16)
    total <<= 2
    total += a
    total += e
    middle = np.multiply(c, 6, dtype=np.uint16)
    total += middle
    return total
