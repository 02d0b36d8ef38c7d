"""A picture with its halved copies, so that cutting out a large square costs what a small one does.

Boxes here are in edge coordinates: pixel i spans i to i + 1.
"""

from __future__ import annotations

import math

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_HAMMING = PIL.Image.Resampling.HAMMING


class Mipmap:
    """Halved copies of one picture, made when first needed."""

    def __init__(self, rgb: Pixels) -> None:
        self._levels = [PIL.Image.fromarray(rgb)]

    def resized(self, size_wh: tuple[int, int]) -> Pixels:
        """The whole picture at another size, `(h, w, 3)`, area-averaged with a soft edge (Hamming)."""
        whole = self._levels[0]
        picture, halvings = self._copy(whole.width / size_wh[0])
        # An odd side is halved upwards: the last pixel of a copy may lie partly outside the picture.
        edges = (0, 0, whole.width / 2**halvings, whole.height / 2**halvings)
        return np.asarray(picture.resize(size_wh, _HAMMING, edges))

    def square(self, box: NDArray[np.float64], side: int) -> Pixels:
        """What lies in a square box xyxy, as `(side, side, 3)`; black outside the picture."""
        picture, halvings = self._copy((box[2] - box[0]) / side)
        x1, y1, x2, y2 = (float(edge) for edge in box / 2**halvings)
        if x1 >= 0 and y1 >= 0 and x2 <= picture.width and y2 <= picture.height:
            return np.asarray(picture.resize((side, side), _HAMMING, (x1, y1, x2, y2)))
        outline = (math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2))
        inner = (x1 - outline[0], y1 - outline[1], x2 - outline[0], y2 - outline[1])
        return np.asarray(picture.crop(outline).resize((side, side), _HAMMING, inner))

    def _copy(self, reduction: float) -> tuple[PIL.Image.Image, int]:
        """The smallest copy that still has one and a half times the pixels wanted on a side."""
        halvings = max(0, math.floor(math.log2(max(reduction, 1) / 1.5)))
        while len(self._levels) <= halvings:
            self._levels.append(self._levels[-1].reduce(2))
        return self._levels[halvings], halvings
