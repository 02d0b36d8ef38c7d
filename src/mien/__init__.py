"""Mien: face intelligence that runs on your own machine.

    from mien import Mien

    mien = Mien()
    mien.verify("a.jpg", "b.jpg").verified

Names are imported when first used, so that `import mien` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien import errors as errors
    from mien.core.analysis import Analysis as Analysis
    from mien.core.analysis import Failure as Failure
    from mien.core.faces import Face as Face
    from mien.core.faces import Faces as Faces
    from mien.core.image import Image as Image
    from mien.core.matches import Match as Match
    from mien.core.matches import Matches as Matches
    from mien.core.results import Enrolment as Enrolment
    from mien.core.results import Identification as Identification
    from mien.core.results import Verification as Verification
    from mien.errors import MienError as MienError
    from mien.kit import Mien as Mien
    from mien.media.images import open_image as open_image
    from mien.settings import Settings as Settings
    from mien.settings import load_settings as load_settings

_HOMES = {
    "Analysis": "mien.core.analysis",
    "Enrolment": "mien.core.results",
    "Face": "mien.core.faces",
    "Faces": "mien.core.faces",
    "Failure": "mien.core.analysis",
    "Identification": "mien.core.results",
    "Image": "mien.core.image",
    "Match": "mien.core.matches",
    "Matches": "mien.core.matches",
    "Mien": "mien.kit",
    "MienError": "mien.errors",
    "Settings": "mien.settings",
    "Verification": "mien.core.results",
    "load_settings": "mien.settings",
    "open_image": "mien.media.images",
}

__all__ = ["errors", *_HOMES]  # noqa: PLE0604 - names of one table


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name == "__version__":
        return import_module("importlib.metadata").version("mien")
    if name == "errors":
        return import_module("mien.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
