"""Annotated pictures in a folder the user names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from mien.cli.console import remarks
from mien.cli.summary import tag
from mien.core.analysis import Analysis
from mien.core.faces import Faces
from mien.core.image import Image
from mien.core.results import Identification
from mien.errors import BadRequest
from mien.media.images import save_image
from mien.ops.draw import draw_faces

T = TypeVar("T")

# The format counts its sides in 16 bits, less a margin that libjpeg keeps.
_LONGEST_JPEG = 65_000


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
    path = free_path(image, folder)
    save_image(draw_faces(image, faces, labels, known=known), path)
    return path


def free_path(image: Image, folder: Path) -> Path:
    """Where a picture can be saved under its own name without replacing another.

    Raises:
        BadRequest: The folder cannot be made or read.
    """
    stem = Path(image.source or "picture").stem
    try:
        folder.mkdir(parents=True, exist_ok=True)
        suffix = ".jpg" if max(image.size_wh) <= _LONGEST_JPEG else ".png"
        path = folder / f"{stem}{suffix}"
        number = 2
        while path.exists():
            path = folder / f"{stem}-{number}{suffix}"
            number += 1
    except OSError as error:
        raise BadRequest(f"{folder} cannot be used for pictures: {error.strerror}.") from error
    return path


def saving(results: Iterable[T], folder: Path) -> Iterator[T]:
    """Save an annotated picture of each result that passes, with its names; at the end say where."""
    saved = 0
    for result in results:
        if isinstance(result, Analysis):
            save_annotated(result.image, result.faces, folder, [tag(face) for face in result.faces])
            saved += 1
        elif isinstance(result, Identification):
            labels = [name or "unknown" for name in result.names]
            known = [name is not None for name in result.names]
            save_annotated(result.image, result.faces, folder, labels, known)
            saved += 1
        yield result
    remarks().print(f"{saved} annotated pictures are in {folder}", markup=False, soft_wrap=True)
