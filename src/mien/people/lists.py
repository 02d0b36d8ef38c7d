"""Who is to be enrolled: a folder for each person, or a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import msgspec

from mien.errors import BadRequest
from mien.gallery.store.records import about
from mien.media.albums import pictures_by_person
from mien.media.rows import Row, read_rows
from mien.people.enrolling import Told

_NEEDED = ("name", "photo")
_OPTIONAL = ("tags", "metadata", "consent_note", "consent_until")


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody with photographs.

    Attributes:
        told: Name and the rest.
        photographs: Paths.
    """

    told: Told
    photographs: tuple[Path, ...]


def people_of_folder(folder: Path) -> tuple[Listed, ...]:
    """A folder with a folder of pictures, or one picture, for each person.

    Raises:
        BadRequest: It is no folder, or it holds no pictures.
    """
    return tuple(Listed(Told(name), tuple(paths)) for name, paths in pictures_by_person(folder).items())


def people_of_table(file: Path) -> tuple[Listed, ...]:
    """A CSV file with the columns name and photo, and perhaps tags, metadata and consent.

    A person may have several rows. Paths are relative to the file, tags are separated by semicolons, metadata
    is a JSON object, `consent_until` a date such as 2027-12-31.

    Raises:
        BadRequest: It cannot be read, a cell cannot be understood, or two rows say different things about one
            person, naming the line.
    """
    people: dict[str, Listed] = {}
    for row in read_rows(file, _NEEDED, _OPTIONAL):
        try:
            one = _listed(row, file.parent)
        except BadRequest as error:
            raise BadRequest(f"{file}, line {row.line}: {error}", hint=error.hint) from error
        known = people.setdefault(one.told.name, replace(one, photographs=()))
        if known.told != one.told:
            raise BadRequest(f"{file}, line {row.line}: it says something else about {one.told.name!r}.")
        people[one.told.name] = replace(known, photographs=(*known.photographs, *one.photographs))
    return tuple(people.values())


def _listed(row: Row, folder: Path) -> Listed:
    cells = row.cells
    if not cells["photo"]:
        raise BadRequest("There is no photo.")
    tags = tuple(sorted({tag.strip() for tag in cells.get("tags", "").split(";") if tag.strip()}))
    told = Told(
        cells["name"],
        tags,
        read_metadata(cells.get("metadata", "")),
        cells.get("consent_note", ""),
        read_date(cells.get("consent_until", "")),
    )
    about(told.name, told.tags, told.metadata, told.consent_note)
    return Listed(told, (folder / cells["photo"],))


def read_metadata(text: str) -> dict[str, object]:
    """A JSON object; of nothing, an empty one.

    Raises:
        BadRequest: It is none.
    """
    try:
        return msgspec.json.decode(text, type=dict[str, object]) if text.strip() else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"{text[:40]!r} is no JSON object.", hint='Such as {"team": "red"}.') from error


def read_date(text: str) -> date | None:
    """A date; of nothing, None.

    Raises:
        BadRequest: It is none.
    """
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError as error:
        raise BadRequest(f"{text[:20]!r} is no date.", hint="Such as 2027-12-31.") from error
