"""Folders among sources become the pictures in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mien.core.image import Image
from mien.errors import BadRequest
from mien.media.images import find_images

Source = Image | str | Path | bytes


def expand(sources: Source | Iterable[Source]) -> Iterator[Source]:
    """One source or many, with folders opened.

    Raises:
        BadRequest: A path is empty.
    """
    single = isinstance(sources, (Image, str, Path, bytes, bytearray, memoryview, np.ndarray))
    many: Any = [sources] if single or hasattr(sources, "read") else sources
    for source in many:
        if isinstance(source, str) and not source:
            raise BadRequest("A path is empty.", hint="Perhaps a variable that was never set.")
        # An address is no path: opening it says so.
        if isinstance(source, (str, Path)) and "://" not in str(source):
            yield from find_images([source])
        else:
            yield source
