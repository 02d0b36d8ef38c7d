"""Small JPEGs, for pages and for keeping."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import PIL.Image

from mien.core.faces import Face
from mien.core.image import Image

_QUALITY = 82
_MARGIN = 0.35  # around a face, as a share of its longer side: hair and chin make it a portrait


def jpeg(image: Image, longest_px: int) -> bytes:
    """Encode a picture as JPEG, shrunk so that its longer side is at most this long."""
    picture = PIL.Image.fromarray(image.rgb)
    picture.thumbnail((longest_px, longest_px), PIL.Image.Resampling.LANCZOS)
    encoded = BytesIO()
    picture.save(encoded, "JPEG", quality=_QUALITY, optimize=True)
    return encoded.getvalue()


def portrait(image: Image, face: Face) -> Image:
    """Cut out a face with some room around it, as square as the edges of the picture allow."""
    centre = (face.box[:2] + face.box[2:]) / 2
    reach = max(face.width, face.height) * (0.5 + _MARGIN)
    x1, y1 = np.maximum(np.floor(centre - reach), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(centre + reach), image.size_wh).astype(int)
    return Image.from_rgb(image.rgb[y1:y2, x1:x2], image.source)
