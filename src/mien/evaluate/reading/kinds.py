"""Presentations of live faces and of attacks of several kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.errors import BadRequest
from mien.media.images import find_images
from mien.media.rows import find_photos, numbered_rows, read_rows

LIVE = "live"
# What the folder of bona fide presentations is called in published sets.
LIVE_NAMES = frozenset((LIVE, "bona_fide", "bona-fide", "bonafide", "real"))
_HINT = "A folder called live (or bona_fide, real) and one for each kind of attack, such as print and screen."


@dataclass(frozen=True, slots=True)
class Presentations:
    """Photographs, and of which kind each is: `live`, or the name of a kind of attack (PAI species)."""

    photos: tuple[Path, ...]
    kind: tuple[str, ...]


def read_kinds(folder: Path) -> Presentations:
    """Read a folder that has one of photographs for each kind.

    Raises:
        BadRequest: There are no such folders, or one of the two is missing.
    """
    if not folder.is_dir():
        raise BadRequest(f"{folder} is no folder.", hint=_HINT)
    photos = tuple(find_images([folder]))
    loose = [path for path in photos if path.parent == folder]
    if loose:
        raise BadRequest(f"{loose[0]} lies in no folder of a kind.", hint=_HINT)
    return _presentations(photos, [path.relative_to(folder).parts[0] for path in photos], str(folder))


def read_kinds_from(file: Path, folder: Path) -> Presentations:
    """Read a CSV file with the columns `photo`, a path within the folder, and `kind`.

    Raises:
        BadRequest: The file cannot be understood, naming the line; photographs are missing; or live ones or
            attacks are.
    """
    rows = read_rows(file, ("photo", "kind"))
    seen: dict[str, int] = {}
    for row in rows:
        if not row.cells["kind"]:
            raise BadRequest(f"{file}, line {row.line}: the kind is empty.")
        first = seen.setdefault(row.cells["photo"], row.line)
        if first != row.line:
            raise BadRequest(f"{file}, line {row.line}: the photograph of line {first} again.")
    photos = find_photos(folder, list(seen), file)
    return _presentations(photos, [row.cells["kind"] for row in rows], str(file))


def says_kinds(file: Path) -> bool:
    """Whether a CSV file has the column `kind`.

    Raises:
        BadRequest: It cannot be read.
    """
    _, header = next(numbered_rows(file), (1, []))
    return "kind" in (name.strip().lower() for name in header)


def _presentations(photos: tuple[Path, ...], named: Sequence[str], where: str) -> Presentations:
    kind = tuple(LIVE if name.lower() in LIVE_NAMES else name for name in named)
    if LIVE not in kind or set(kind) == {LIVE}:
        missing = "attacks" if LIVE in kind else "live faces"
        raise BadRequest(f"{where} has no photographs of {missing}.", hint=_HINT)
    return Presentations(photos, kind)
