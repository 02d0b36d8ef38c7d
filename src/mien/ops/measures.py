"""Measuring pixels: light, colour and sharpness of regions, after ISO/IEC 29794-5 and OFIQ.

What each measurement is called there and what it is worth is said in `mien.models.quality_parts`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# From linear sRGB to CIE XYZ under D50.
_XYZ_D50 = np.array([[0.43605, 0.38508, 0.14309], [0.22249, 0.71689, 0.06062], [0.01393, 0.0971, 0.71419]])


def logistic(x: FloatArray, middle: float, width: float) -> FloatArray:
    """OFIQ's `S`: 0 far below the middle, 1 far above it."""
    # Beyond 60 widths it is 0 or 1 to the last bit, and exp would overflow.
    steps: FloatArray = 1 / (1 + np.exp(np.clip((middle - x) / width, -60, 60)))
    return steps


def luminance(rgb: Pixels) -> Pixels:
    """Linear luminance of sRGB `(..., 3)`, in 0..255 (ISO/IEC 29794-5; ITU-R BT.709)."""
    curve = 255 * linear_light(np.arange(256) / 255)
    red, green, blue = (weight * curve for weight in (0.2126, 0.7152, 0.0722))
    summed = red.take(rgb[..., 0]) + green.take(rgb[..., 1]) + blue.take(rgb[..., 2])
    rounded: Pixels = (summed + 0.5).astype(np.uint8)
    return rounded


def linear_light(srgb: FloatArray) -> FloatArray:
    """Linear light of values of sRGB, both 0..1 (IEC 61966-2-1)."""
    light: FloatArray = np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)
    return light


def histograms(values: Pixels, mask: Mask) -> FloatArray:
    """Share of each of the 256 values among the pixels `(n, h, w)` of the mask: `(n, 256)`."""
    n = len(values)
    marked = values + (256 * np.arange(n))[:, None, None]
    counts = np.bincount(marked[mask], minlength=256 * n).reshape(n, 256)
    shares: FloatArray = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares


def moments(shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance, with values in 0..1, of histograms `(n, 256)`."""
    value = np.arange(256) / 255
    mean = shares @ value
    return mean, (shares * (value - mean[:, None]) ** 2).sum(1)


def entropy(shares: FloatArray) -> FloatArray:
    """Shannon's entropy of histograms `(n, 256)` in bits."""
    bits: FloatArray = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(1)
    return bits


def alike(a: Pixels, b: Pixels) -> FloatArray:
    """What the histograms of two regions `(n, h, w)` have in common: 0 nothing, 1 all.

    In 64 bins: the regions have a quarter of the pixels of OFIQ's, which counts in 256.
    """
    every = np.ones(a.shape, bool)
    one, other = (histograms(part, every).reshape(len(a), 64, 4).sum(2) for part in (a, b))
    common: FloatArray = np.minimum(one, other).sum(1)
    return common


def colour_distance(rgb: Pixels) -> FloatArray:
    """How far the mean colour of pixels `(n, ..., 3)` is from those of skin; `(n,)`.

    In CIELAB (D50), as OFIQ has it: 0 if a is in 5..25 and b in 5..35, or if the picture is grey; 100 if
    either is negative.
    """
    within = tuple(range(1, rgb.ndim - 1))
    xyz = linear_light(rgb.mean(within) / 255) @ _XYZ_D50.T / (0.964221, 1.0, 0.825211)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * 24389 / 27 + 16) / 116)
    a, b = 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])
    outside_a = np.maximum(np.maximum(5 - a, a - 25), 0)
    outside_b = np.maximum(np.maximum(5 - b, b - 35), 0)
    distance = np.where((a >= 0) & (b >= 0), np.hypot(outside_a, outside_b), 100)
    grey = (np.ptp(rgb, axis=-1) == 0).all(within)
    return np.where(grey, 0, distance)


def sharpness(rgb: Pixels, mask: Mask) -> FloatArray:
    """Share of the differences between neighbours that a mean over nine pixels takes away; `(n,)`.

    Crete, Dolmiere, Ladret and Nicolas, The Blur Effect: Perception and Estimation with a New No-reference
    Perceptual Blur Metric, SPIE 6492, 2007: what is blurred already loses little. The smaller share of the
    two directions counts. It does not depend on contrast. Measured on the chip halved, on which the eyes
    are 28 pixels apart: detail finer than networks see does not matter. (OFIQ's is a random forest.)
    """
    four = [(rows, columns) for rows in (0, 1) for columns in (0, 1)]
    summed = sum(rgb[:, rows::2, columns::2].astype(np.uint16) for rows, columns in four)
    halved = summed @ np.array([0.299, 0.587, 0.114], np.float32)
    whole = np.logical_and.reduce([mask[:, rows::2, columns::2] for rows, columns in four])
    lost = []
    for axis in (1, 2):
        line, where = np.swapaxes(halved, 1, axis), np.swapaxes(whole, 1, axis)[:, 5:-4]
        before = np.abs(line[:, 5:-4] - line[:, 4:-5]) * where
        # The difference between neighbouring means is that of the pixels that enter and leave.
        after = np.abs(line[:, 9:] - line[:, :-9]) / 9
        lost.append(np.maximum(before - after, 0).sum((1, 2)) / np.maximum(before.sum((1, 2)), 1e-6))
    least: FloatArray = np.minimum(*lost)
    return least
