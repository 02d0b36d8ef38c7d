"""Folders of people: a folder, or a file, for each."""

from __future__ import annotations

from pathlib import Path

from mien.errors import BadRequest
from mien.media.images import find_images

_HINT = "Wanted is a folder with a folder of pictures, or one picture, for each person."


def pictures_by_person(folder: Path) -> dict[str, list[Path]]:
    """Pictures by person: `folder/Ada/*.jpg`, or `folder/Ada.jpg`, in sorted order.

    Raises:
        BadRequest: It is no folder, or it holds no pictures.
    """
    if not folder.is_dir():
        raise BadRequest(f"{folder} is not a folder.", hint=_HINT)
    people: dict[str, list[Path]] = {}
    for path in find_images([folder]):
        inside = path.relative_to(folder)
        person = inside.parts[0] if len(inside.parts) > 1 else path.stem
        people.setdefault(person, []).append(path)
    if not people:
        raise BadRequest(f"{folder} holds no pictures.", hint=_HINT)
    return people
