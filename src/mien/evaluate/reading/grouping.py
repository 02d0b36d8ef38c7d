"""Which face belongs to which person or group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mien.errors import BadRequest
from mien.media.rows import read_rows

# A photograph, and which of its faces; empty where each has one.
Key = tuple[str, str]


def read_grouping(file: Path, column: str) -> Mapping[Key, str]:
    """Read a CSV file with the columns `photo`, perhaps `face`, and the one that says the person or group.

    Raises:
        BadRequest: The file cannot be understood, or names a face twice or without a group, naming the line.
    """
    found: dict[Key, str] = {}
    for row in read_rows(file, ("photo", column), ("face",)):
        key = row.cells["photo"], row.cells.get("face", "")
        if not all((key[0], row.cells[column])) or key in found:
            wrong = "this face was there before" if key in found else f"photo or {column} is empty"
            raise BadRequest(f"{file}, line {row.line}: {wrong}.")
        found[key] = row.cells[column]
    return found
