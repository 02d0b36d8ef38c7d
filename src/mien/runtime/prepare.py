"""Pixels to tensors, as a manifest's `[input]` says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.packs.manifest import Input

Pixels = NDArray[np.uint8]

# Grey as ITU-R BT.601 has it.
_LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)


def to_tensor(chips: Sequence[Pixels] | Pixels, spec: Input) -> NDArray[np.float32]:
    """Normalise RGB chips of one size into a batch.

    Args:
        chips: n arrays `(h, w, 3)` uint8 RGB, or one array `(n, h, w, 3)`.
        spec: Colour order, mean and scale: `(x - mean) * scale` per channel of that order.

    Returns:
        `(n, c, h, w)` float32, contiguous; c is 1 for grey and 3 otherwise.
    """
    pixels: NDArray[np.uint8 | np.float32] = np.asarray(chips)
    if spec.colour == "bgr":
        pixels = pixels[..., ::-1]
    elif spec.colour == "grey":
        pixels = pixels @ _LUMA
    planes = pixels.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    planes -= np.asarray(spec.mean, np.float32)[:, None, None]
    planes *= np.asarray(spec.scale, np.float32).reshape(-1, 1, 1)
    return planes
