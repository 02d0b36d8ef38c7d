"""Making faces unrecognisable in a copy of the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFilter

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import BadRequest
from mien.ops.boxes import clip

# Cells across a face. Networks still recognise people in 16 x 16 pixels; with 6 little is left to them.
_CELLS = 6
_BLACK = (0, 0, 0)


def hide_faces(image: Image, faces: Faces, way: str = "pixelate", *, grow: float = 0.3) -> Image:
    """Hide every face under an ellipse around its grown box.

    `solid` leaves nothing of the face. `pixelate` leaves the means of about six by six cells and `blur`
    as much detail as that: people who know the person, or who have a list of candidates, may still guess.

    Args:
        image: Not changed.
        faces: Found in this picture.
        way: What to put over a face.
        grow: The box is grown by this share of its sides, so that hair, ears and chin are hidden too.

    Returns:
        A new picture with the same source; the same object if there are no faces.

    Raises:
        BadRequest: Unknown way, a negative `grow`, or the faces of a picture of another size.
    """
    if way not in WAYS:
        raise BadRequest(f"Faces cannot be hidden by {way!r}.", hint=f"Ways: {', '.join(WAYS)}.")
    if not grow >= 0:
        raise BadRequest(f"grow must not be negative, got {grow}.")
    if faces.size_wh != image.size_wh:
        raise BadRequest(f"Faces of a picture of {faces.size_wh} cannot be hidden in one of {image.size_wh}.")
    if len(faces) == 0:
        return image
    canvas = PIL.Image.fromarray(image.rgb).copy()
    sides = faces.box[:, 2:] - faces.box[:, :2]
    grown = np.concatenate([faces.box[:, :2] - grow / 2 * sides, faces.box[:, 2:] + grow / 2 * sides], 1)
    for box, seen in zip(grown, clip(grown, image.size_wh), strict=True):
        left, top = (int(v) for v in np.floor(seen[:2]))
        right, bottom = (int(v) for v in np.ceil(seen[2:]))
        if right <= left or bottom <= top:
            continue
        region = canvas.crop((left, top, right, bottom))
        mask = PIL.Image.new("L", region.size)
        # The whole ellipse, also where the picture cuts it, and a little more than the box holds.
        ImageDraw.Draw(mask).ellipse(_ellipse(box, left, top), fill=255)
        canvas.paste(WAYS[way](region, float(max(box[2:] - box[:2]))), (left, top), mask)
    return image.with_(rgb=np.array(canvas))


def _ellipse(box: NDArray[np.floating[Any]], left: int, top: int) -> tuple[float, float, float, float]:
    """The ellipse through the middles between sides and corners of the box, from a region's corner."""
    x1, y1, x2, y2 = (float(v) for v in box)
    wide, high = 0.1 * (x2 - x1), 0.1 * (y2 - y1)
    return x1 - wide - left, y1 - high - top, x2 + wide - left, y2 + high - top


def _pixelate(region: PIL.Image.Image, side: float) -> PIL.Image.Image:
    cell = max(1.0, side / _CELLS)
    few_wh = tuple(max(1, round(length / cell)) for length in region.size)
    small = region.resize(few_wh, PIL.Image.Resampling.BOX)  # type: ignore[arg-type]
    return small.resize(region.size, PIL.Image.Resampling.NEAREST)


def _blur(region: PIL.Image.Image, side: float) -> PIL.Image.Image:
    # First the means of cells: a plain blur can be undone in part.
    return _pixelate(region, side).filter(ImageFilter.GaussianBlur(side / _CELLS / 2))


def _solid(region: PIL.Image.Image, _: float) -> PIL.Image.Image:
    return PIL.Image.new("RGB", region.size, _BLACK)


WAYS: dict[str, Callable[[PIL.Image.Image, float], PIL.Image.Image]] = {
    "blur": _blur,
    "pixelate": _pixelate,
    "solid": _solid,
}
