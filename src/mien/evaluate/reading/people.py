"""Photographs with the people on them, from folders or from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.reading.bands import read_column
from mien.media.albums import pictures_by_person
from mien.media.rows import read_rows
from mien.media.text import read_text

# What a row of labels is about.
KEYS = ("photo", "person")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class People:
    """Photographs of known people.

    Attributes:
        photos: n paths.
        person: `(n,)` number of the person on each, counted from 0.
        names: The name of each person, by number.
    """

    photos: tuple[Path, ...]
    person: NDArray[np.int32]
    names: tuple[str, ...]


def read_people(folder: Path) -> People:
    """Read a folder with a folder of photographs for each person.

    Raises:
        BadRequest: It is no such folder, or it holds no pictures.
    """
    album = pictures_by_person(folder)
    photos = tuple(path for paths in album.values() for path in paths)
    person = np.repeat(np.arange(len(album), dtype=np.int32), [len(paths) for paths in album.values()])
    return People(photos, person, tuple(album))


def read_names(file: Path, names: Sequence[str]) -> list[int]:
    """Read a list of people, a name on each line, and return their numbers.

    Raises:
        BadRequest: The file cannot be read, or names somebody who is not among `names`.
    """
    wanted = [line.strip() for line in read_text(file).splitlines() if line.strip()]
    number = {name: i for i, name in enumerate(names)}
    if unknown := [name for name in wanted if name not in number]:
        raise BadRequest(f"{file} names {unknown[0]!r}, of whom there are no photographs.")
    return [number[name] for name in dict.fromkeys(wanted)]


def read_groups(
    file: Path, columns: Sequence[str], photos: Sequence[Path], names: Sequence[str] | None = None
) -> dict[str, list[str]]:
    """Read labels by which results are split.

    Args:
        file: CSV with a header. The column `photo` (a file name, or the end of a path) or `person` says what
            a row is about; the others are labels.
        columns: The label columns that are wanted.
        photos: n paths of photographs.
        names: n names of the people on them; without them the table must be by photo.

    Returns:
        By column, a label for each photograph; empty where the table has none. Numbers of many values become
        ranges (`mien.evaluate.reading.bands`).

    Raises:
        BadRequest: The file cannot be read, lacks a column, labels something twice differently, or labels
            none of the photographs.
    """
    wanted = [column.lower() for column in columns]
    keys = KEYS if names is not None else KEYS[:1]
    rows = read_rows(file, wanted, keys)
    key = next((name for name in keys if name in rows[0].cells), None)
    if key is None:
        raise BadRequest(f"{file}, line 1: there is no column {' or '.join(keys)}.")
    labels: dict[str, list[str]] = {}
    for row in rows:
        found = [row.cells[name] for name in wanted]
        if labels.setdefault(row.cells[key], found) != found:
            raise BadRequest(f"{file}, line {row.line}: {row.cells[key]!r} was labelled otherwise before.")
    chosen = [
        labels.get(name) if key == "person" else _by_path(labels, path)
        for path, name in zip(photos, names or [""] * len(photos), strict=True)
    ]
    if not any(chosen):
        raise BadRequest(f"{file} says nothing about any of the photographs.", hint=f"It goes by {key}.")
    return {
        name: read_column([found[i] if found else "" for found in chosen], f"{file}, column {name}")
        for i, name in enumerate(columns)
    }


def _by_path(labels: dict[str, Any], path: Path) -> Any:  # noqa: ANN401 - whatever the table holds
    """The entry for the whole path, or for the longest end of it that there is."""
    parts = path.as_posix().split("/")
    ends = ("/".join(parts[i:]) for i in range(len(parts)))
    return next((labels[end] for end in ends if end in labels), None)
