"""Photographs on their way to the server: read, named, and not decoded here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import PIL.Image

from mien.answers.pictures import encodable
from mien.core.image import Image
from mien.errors import BadRequest
from mien.media.expanding import expand
from mien.media.images import MAX_BYTES, find_images
from mien.media.opening import Source, opened


@dataclass(frozen=True, slots=True, repr=False)
class Photograph:
    """A photograph, and what the server is to call it.

    Attributes:
        source: A path, the bytes of a file, a binary file, or an `Image`, which travels as PNG.
        name: What answers call it. Jobs that enrol read from it whom it shows: `Ada/1.jpg`.
    """

    source: Source | Image
    name: str


Photo = Source | Image | Photograph


@dataclass(frozen=True, slots=True)
class Upload:
    """A photograph as it is sent."""

    name: str
    media_type: str
    content: bytes

    def __repr__(self) -> str:
        """Sizes only."""
        return f"Upload({self.media_type!r}, {len(self.content)} bytes)"


def upload(photo: Photo, number: int = 1) -> Upload:
    """Read a photograph.

    Args:
        photo: The photograph.
        number: What it is called by if it has no name.

    Raises:
        BadRequest: It is none, such as a bare array or an address on the network.
        UnreadableImage: The file is missing, empty, no regular file, or not permitted.
        ImageTooLarge: It is larger than anything that is a photograph.
    """
    if isinstance(photo, Photograph):
        return _named(upload(photo.source, number), photo.name)
    if isinstance(photo, Image):
        return Upload(_name(photo.source, number), "image/png", _png(photo))
    with opened(photo, max_bytes=MAX_BYTES) as file:
        content = file.stream.read()
    path = photo if isinstance(photo, (str, Path)) else getattr(photo, "name", None)
    return Upload(_name(path, number), "application/octet-stream", content)


def uploads(photos: Photo | Iterable[Photo]) -> Iterator[Upload]:
    """Read one photograph or several, one after the other; folders become the photographs in them.

    Raises:
        MienError: As `upload`.
    """
    alone = isinstance(photos, Photograph) or not isinstance(photos, Iterable)
    many: Any = [photos] if alone else photos
    for number, photo in enumerate(expand(many), 1):
        yield upload(photo, number)


def in_folder(folder: str | Path) -> Iterator[Photograph]:
    """The photographs below a folder, named by their paths within it, as jobs that enrol want them.

    Raises:
        BadRequest: It is no folder.
    """
    top = Path(folder)
    if not top.is_dir():
        raise BadRequest(f"{folder} is not a folder.")
    for path in find_images([top]):
        yield Photograph(path, path.relative_to(top).as_posix())


def _named(one: Upload, name: str) -> Upload:
    return Upload(encodable(name), one.media_type, one.content)


def _name(source: object, number: int) -> str:
    """The last part of a path: where a photograph lies is not the server's business."""
    name = PurePath(source).name if isinstance(source, (str, PurePath)) else ""
    return encodable(name) if name else f"photograph-{number}"


def _png(image: Image) -> bytes:
    file = BytesIO()
    PIL.Image.fromarray(image.rgb).save(file, "PNG", compress_level=1)
    return file.getvalue()
