"""Tables in comma-separated files, and the photographs that they name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from mien.errors import BadRequest
from mien.media.text import read_text

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its line, counted from 1, and its cells by column."""

    line: int
    cells: Mapping[str, str]


def read_rows(file: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Read a CSV file with a header; columns that nobody asked for are left out.

    Args:
        file: In UTF-8, with commas; the case of the header does not matter.
        needed: Columns that must be there.
        optional: Columns that are kept if they are there.

    Raises:
        BadRequest: It cannot be read, a column is missing or named twice, or a row has not as many cells as
            the header, naming the line.
    """
    hint = f"Wanted: CSV whose first line names the columns {', '.join(needed)}."
    numbered = numbered_rows(file)
    header = [name.strip().lower() for name in next(numbered, (1, []))[1]]
    if missing := [name for name in needed if name not in header]:
        raise BadRequest(f"{file}, line 1: there is no column {' or '.join(missing)}.", hint=hint)
    kept = {name: header.index(name) for name in (*needed, *optional) if name in header}
    if twice := [name for name in kept if header.count(name) > 1]:
        raise BadRequest(f"{file}, line 1: there are two columns {twice[0]}.", hint=hint)
    rows: list[Row] = []
    for line, cells in numbered:
        if len(cells) != len(header):
            raise BadRequest(
                f"{file}, line {line}: {len(cells)} cells under {len(header)} columns.",
                hint="A name with a comma in it wants quotes.",
            )
        rows.append(Row(line, {name: cells[place].strip() for name, place in kept.items()}))
    if not rows:
        raise BadRequest(f"{file} has no rows.", hint=hint)
    return rows


def numbered_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV file that are not blank, each with the number of the line that it ends on.

    Raises:
        BadRequest: It cannot be read, or is no CSV, naming the line.
    """
    reader = csv.reader(io.StringIO(read_text(file), newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise BadRequest(f"{file}, line {reader.line_num}: {error}.") from error


def find_photos(folder: Path, names: Sequence[str], listed_in: Path) -> tuple[Path, ...]:
    """Find photographs by the names that a file gives them.

    Args:
        folder: Where they lie.
        names: Paths within it.
        listed_in: The file, for messages.

    Raises:
        BadRequest: There is no such folder, a name leads out of it, or photographs are missing.
    """
    if not folder.is_dir():
        raise BadRequest(f"{folder} is no folder.", hint="--images wants the folder of the photographs.")
    for name in names:
        path = PurePath(name)
        if not name or path.is_absolute() or ".." in path.parts:
            raise BadRequest(f"{listed_in} names {name[:200]!r}, which lies outside {folder}.")
    paths = tuple(folder / name for name in names)
    missing = [name for name, path in zip(names, paths, strict=True) if not _is_there(path)]
    if missing:
        few = ", ".join(ascii(name)[1:-1][:200] for name in missing[:_NAMED])
        more = ", ..." if len(missing) > _NAMED else ""
        raise BadRequest(
            f"{len(missing):,} of {len(names):,} photographs in {listed_in} are not in {folder}: {few}{more}",
            hint="--images wants the folder that the names in the file start from.",
        )
    return paths


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False
