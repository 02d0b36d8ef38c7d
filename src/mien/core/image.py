"""One picture, always RGB, always upright."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded picture.

    Attributes:
        rgb: uint8 array `(h, w, 3)`, red first, EXIF orientation already applied. Read-only.
        source: Where it came from, for people: a path or `"<bytes>"`. None if made from an array.
        index: Position in its source: 0 for a photograph, the frame number in a video.
        time_s: Seconds since the start of its source; None for photographs.
        full_wh: Width and height of the original, if this is a smaller copy of it; else None.
        digest: SHA-256 of the encoded photograph, hexadecimal, if it came from no file; of a file None.
        taken: When it was taken, as its own head says, if it came from no file; of a file None.
    """

    rgb: NDArray[np.uint8]
    source: str | None = None
    index: int = 0
    time_s: float | None = None
    full_wh: tuple[int, int] | None = None
    digest: str | None = None
    taken: str | None = None

    def __post_init__(self) -> None:
        array = self.rgb
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 3:
            raise BadRequest(
                f"Image.rgb wants a uint8 array (h, w, 3), got {describe(array)}.",
                hint="Use mien.open_image(path), Image.from_rgb(array) or Image.from_bgr(array).",
            )
        if array.shape[2] != 3 or 0 in array.shape:
            raise BadRequest(f"Image.rgb wants shape (h, w, 3) without empty sides, got {array.shape}.")
        # Whoever can still write to the pixels, such as a camera loop, must not change this picture.
        kept = array.copy() if _writeable(array) else array.view()
        kept.setflags(write=False)
        object.__setattr__(self, "rgb", kept)

    def __repr__(self) -> str:
        """Size and source; pixels are nobody's business in a log."""
        return f"Image({self.width} x {self.height}, source={self.source!r}, index={self.index})"

    @classmethod
    def from_rgb(cls, array: NDArray[np.uint8], source: str | None = None) -> Self:
        """Wrap a uint8 array `(h, w, 3)` whose first channel is red (Pillow, imageio, torchvision)."""
        return cls(array, source)

    @classmethod
    def from_bgr(cls, array: NDArray[np.uint8], source: str | None = None) -> Self:
        """Wrap a uint8 array `(h, w, 3)` whose first channel is blue (OpenCV)."""
        if not isinstance(array, np.ndarray) or array.ndim != 3:
            raise BadRequest(f"Image.from_bgr wants a uint8 array (h, w, 3), got {describe(array)}.")
        return cls(np.ascontiguousarray(array[:, :, ::-1]), source)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.rgb.shape[1])

    @property
    def size_wh(self) -> tuple[int, int]:
        """`(width, height)` in pixels."""
        return self.width, self.height

    @property
    def original_wh(self) -> tuple[int, int]:
        """`(width, height)` of the original, in whose pixels results are given."""
        return self.full_wh or self.size_wh

    def with_(self, **changes: Any) -> Self:  # noqa: ANN401 - mirrors dataclasses.replace
        """Return a copy with other metadata or pixels."""
        return replace(self, **changes)


def _writeable(array: NDArray[np.uint8]) -> bool:
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return True
        owner = owner.base
    return False


def describe(value: object) -> str:
    """Say what a wrong argument was, without its contents: pixels never reach a message."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    return type(value).__name__
