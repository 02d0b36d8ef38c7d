"""Files that list pairs of photographs and whether they show one person."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.measures.folds import folds_of_people
from mien.media.rows import numbered_rows
from mien.media.text import read_text

_SAME = {
    "1": True,
    "yes": True,
    "true": True,
    "same": True,
    "0": False,
    "no": False,
    "false": False,
    "different": False,
}
_SUFFIXES = (".jpg", ".png", ".jpeg", ".webp", ".bmp", ".pgm")
_HINT = (
    "Either as LFW's pairs.txt has it (NAME 1 2, or NAME 1 OTHER 2), or CSV with a header and three columns: "
    "two photographs, and yes or no."
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pairs:
    """Pairs of photographs.

    Attributes:
        photos: Paths of the n photographs that occur.
        person: `(n,)` number of the person on each; where names are not given, photographs that are said to
            show one person are of one number.
        pairs: `(m, 2)` numbers of photographs.
        same: `(m,)` whether a pair shows one person.
        fold: `(m,)` number of the fold; None if the file has no folds.
        names: Name of each person by number; none where the file has none, so that photographs which it does
            not compare may show one person or two.
    """

    photos: tuple[Path, ...]
    person: NDArray[np.int32]
    pairs: NDArray[np.int32]
    same: NDArray[np.bool_]
    fold: NDArray[np.int32] | None
    names: tuple[str, ...] = ()

    def folds(self) -> NDArray[np.integer[Any]] | None:
        """`(m,)` the folds of the file, or else folds of people; None if there are too few people for any."""
        if self.fold is not None:
            return self.fold
        fold = folds_of_people(self.person[self.pairs[:, 0]])
        return fold if len(np.unique(fold)) > 1 else None


def read_pairs(file: Path, images: Path) -> Pairs:
    """Read a list of pairs, in the format of LFW or as CSV.

    Args:
        file: LFW's `pairs.txt`, in which photographs are called by a person's name and a number; or CSV with
            a header, two columns of paths within `images`, and one of yes or no (also 1/0, true/false,
            same/different).
        images: Folder of the photographs; LFW's are `NAME/NAME_0001.jpg` or `NAME_0001.jpg` there.

    Raises:
        BadRequest: The file cannot be read or understood, naming the line; or a photograph is not there.
    """
    lines = read_text(file).splitlines()
    if not lines:
        raise BadRequest(f"{file} is empty.", hint=_HINT)
    return _read_csv(file, images) if "," in lines[0] else _read_lfw(file, lines, images)


def _read_lfw(file: Path, lines: Sequence[str], images: Path) -> Pairs:
    header = lines[0].split()
    if not 1 <= len(header) <= 2 or not all(map(_is_count, header)):
        raise BadRequest(f"{file}, line 1: {lines[0][:60]!r} is not a number of folds and pairs.", hint=_HINT)
    folds, each = (1, int(header[0])) if len(header) == 1 else (int(header[0]), int(header[1]))
    named: list[tuple[tuple[str, int], tuple[str, int]]] = []
    for number, line in enumerate(lines[1:], 2):
        words = line.split("\t") if "\t" in line else line.split()
        if not line.strip():
            continue
        if len(words) not in (3, 4) or not all(_is_count(word) for word in (words[1], words[-1])):
            raise BadRequest(f"{file}, line {number}: {line[:60]!r} is no pair.", hint=_HINT)
        named.append(
            ((words[0], int(words[1])), (words[-2] if len(words) == 4 else words[0], int(words[-1])))
        )
    if not named or len(named) != folds * each * 2:
        raise BadRequest(
            f"{file} says {folds} x {2 * each} pairs and has {len(named)}.", hint="Perhaps it was cut short."
        )
    photos = sorted({photo for pair in named for photo in pair})
    number_of = {photo: i for i, photo in enumerate(photos)}
    people = {name: i for i, name in enumerate(sorted({name for name, _ in photos}))}
    person = np.array([people[name] for name, _ in photos], np.int32)
    pairs = np.array([[number_of[a], number_of[b]] for a, b in named], np.int32)
    return Pairs(
        photos=tuple(_lfw_photo(images, name, number) for name, number in photos),
        person=person,
        pairs=pairs,
        same=person[pairs[:, 0]] == person[pairs[:, 1]],
        fold=np.arange(len(pairs), dtype=np.int32) // (2 * each) if folds > 1 else None,
        names=tuple(people),
    )


def _is_count(word: str) -> bool:
    # Nine digits: Python refuses to read numbers of thousands.
    return word.strip().isdecimal() and len(word) <= 9


def _lfw_photo(images: Path, name: str, number: int) -> Path:
    stem = f"{name}_{number:04d}"
    tried = [folder / f"{stem}{suffix}" for suffix in _SUFFIXES for folder in (images / name, images)]
    return _there(tried, images, f"{name}/{stem}.jpg")


def _there(tried: Sequence[Path], images: Path, wanted: str) -> Path:
    name = PurePath(wanted)
    if not (name.is_absolute() or ".." in name.parts):
        for path in tried:
            if path.is_file():
                return path
    raise BadRequest(f"{images} has no {wanted}.", hint="--images wants the folder that the list speaks of.")


def _read_csv(file: Path, images: Path) -> Pairs:
    photos: dict[str, int] = {}
    pairs: list[list[int]] = []
    same: list[bool] = []
    lines: list[int] = []
    for number, row in itertools.islice(numbered_rows(file), 1, None):
        answer = _SAME.get(row[2].strip().lower()) if len(row) == 3 else None
        if answer is None:
            raise BadRequest(f"{file}, line {number}: {','.join(row)[:60]!r} is no pair.", hint=_HINT)
        one, other = (photos.setdefault(name.strip(), len(photos)) for name in row[:2])
        if one == other:
            raise BadRequest(f"{file}, line {number}: {row[0]!r} is compared with itself.")
        pairs.append([one, other])
        same.append(answer)
        lines.append(number)
    if not pairs:
        raise BadRequest(f"{file} lists no pair.", hint=_HINT)
    numbered = np.array(pairs, np.int32)
    person = _components(len(photos), numbered[np.array(same)])
    odd = np.flatnonzero((person[numbered[:, 0]] == person[numbered[:, 1]]) & ~np.array(same))
    if len(odd):
        raise BadRequest(
            f"{file}, line {lines[odd[0]]}: these two are different people, and one person by other lines.",
            hint="Two photographs that are the same as a third are of one person.",
        )
    return Pairs(
        photos=tuple(_there([images / name], images, name) for name in photos),
        person=person,
        pairs=numbered,
        same=np.array(same),
        fold=None,
    )


def _components(count: int, linked: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """Number of the group of each photograph, if linked ones are of one group."""
    group = list(range(count))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for a, b in linked:
        group[root(int(a))] = root(int(b))
    return np.unique([root(i) for i in range(count)], return_inverse=True)[1].astype(np.int32)
