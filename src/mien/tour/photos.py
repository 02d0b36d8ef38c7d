"""The photographs of the demo: where they are, and who is in which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.errors import BadRequest
from mien.media.images import find_images

_HERE = Path(__file__).resolve().parent

# A wheel carries them beside this file, a source checkout in its examples.
_PLACES = (_HERE / "photos", _HERE.parents[2] / "examples" / "photos")


@dataclass(frozen=True, slots=True)
class Album:
    """Photographs to learn from and photographs to look at.

    Attributes:
        folder: Where they are.
        known: Photographs by the name of the person they show.
        unknown: Photographs that show anybody or nobody.
    """

    folder: Path
    known: dict[str, tuple[Path, ...]]
    unknown: tuple[Path, ...]


def demo_photos(places: tuple[Path, ...] = _PLACES) -> Path:
    """Find the folder of the public-domain photographs that come with Mien.

    Args:
        places: Where to look, in this order.

    Raises:
        BadRequest: This installation was stripped of them.
    """
    for place in places:
        if (place / "known").is_dir():
            return place
    looked = " nor ".join(str(place) for place in places)
    raise BadRequest(
        f"The photographs of the demo are neither in {looked}.",
        hint="Install the wheel of Mien again, or run from a complete checkout of its repository.",
    )


def read_album(folder: Path) -> Album:
    """List `known/<person>/*` and `unknown/*` of a folder, in sorted order.

    Raises:
        BadRequest: Nobody is in `known`.
    """
    known: dict[str, tuple[Path, ...]] = {}
    people = folder / "known"
    for person in sorted(path for path in people.glob("*") if path.is_dir()):
        if photos := tuple(find_images([person])):
            known[person.name] = photos
    if not known:
        raise BadRequest(f"{people} holds no pictures.", hint="Make a folder for each person in it.")
    unknown = folder / "unknown"
    return Album(folder, known, tuple(find_images([unknown])) if unknown.is_dir() else ())
