"""What comes out of the pipeline for each item that went in."""

from __future__ import annotations

from dataclasses import dataclass

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import MienError


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """An item that could not be processed; it never stops the others.

    Attributes:
        source: The path or name that was handed in.
        error: Why; its `code` is stable and its `hint` says what to do.
    """

    source: str
    error: MienError


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """One picture and the faces found in it, in pixels of the original (`Image.original_wh`)."""

    image: Image
    faces: Faces

    @property
    def source(self) -> str:
        """The path or name the picture came from."""
        return self.image.source or "<array>"
