"""The converters that a manifest can name.

Each takes the bytes of one source file and returns the bytes of one pack file, the same bytes
every time. `VERSION` rises when any of them changes what it writes, so that packs are rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from mien.errors import ManifestInvalid

VERSION = 1

Converter = Callable[[bytes], bytes]

CONVERTERS: dict[str, str] = {
    "dlib-resnet": "mien.convert.dlib_networks:resnet",
    "dlib-mmod": "mien.convert.dlib_networks:mmod",
    "dlib-shape": "mien.convert.dlib_shape:shape_predictor",
    "mtcnn-pnet": "mien.convert.mtcnn:pnet",
    "mtcnn-rnet": "mien.convert.mtcnn:rnet",
    "mtcnn-onet": "mien.convert.mtcnn:onet",
}


def converter(name: str) -> Converter:
    """Return the converter of that name, importing what it needs only now."""
    try:
        module, function = CONVERTERS[name].split(":")
    except KeyError:
        known = ", ".join(sorted(CONVERTERS))
        raise ManifestInvalid(
            f"No converter is called {name!r}.", hint=f"Known converters: {known}."
        ) from None
    found: Converter = getattr(import_module(module), function)
    return found
