"""Annotated pictures in a folder the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import BadRequest
from mien.media.images import save_image
from mien.ops.draw import draw_faces


def save_annotated(
    image: Image,
    faces: Faces,
    folder: Path,
    labels: Sequence[str] | None = None,
    known: Sequence[bool] | None = None,
) -> Path:
    """Draw faces on a picture and save it under its own name, without replacing another.

    Raises:
        BadRequest: The folder cannot be made or written.
    """
    stem = Path(image.source or "picture").stem
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{stem}.jpg"
        number = 2
        while path.exists():
            path = folder / f"{stem}-{number}.jpg"
            number += 1
    except OSError as error:
        raise BadRequest(f"{folder} cannot be used for pictures: {error.strerror}.") from error
    save_image(draw_faces(image, faces, labels, known=known), path)
    return path
