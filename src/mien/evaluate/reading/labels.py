"""What is known about the face on each photograph: its age, gender, expression."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.core.columns import BY_NAME
from mien.errors import BadRequest
from mien.evaluate.reading.bands import read_column
from mien.media.images import find_images
from mien.media.rows import find_photos, read_rows

AGE = "age"
LABELLED = (AGE, "gender", "expression")
MOST_YEARS = 130
_UTKFACE = re.compile(r"(\d{1,3})_([01])_([0-4])_")
# Of the columns of `mien.core.columns`; UTKFace counts 0 male, 1 female.
_UTKFACE_GENDER = ("male", "female")
_UTKFACE_ORIGIN = ("white", "black", "asian", "indian", "other")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Labelled:
    """Photographs and what is true of the face on each.

    Attributes:
        photos: n paths.
        truth: By column `(n,)` float64: years of age, or the place of the label among the labels of the
            column; NaN where it is not known.
        unlabelled: Names of photographs that say nothing.
        groups: By column `(n,)` labels that results are split by; empty where there is none.
    """

    photos: tuple[Path, ...]
    truth: Mapping[str, NDArray[np.float64]]
    unlabelled: tuple[str, ...] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_labels(file: Path, images: Path, by: Sequence[str] = ()) -> Labelled:
    """Read a CSV file with the column `photo` and one or more of age, gender and expression.

    Args:
        file: The table.
        images: Where its photographs lie.
        by: Columns to split by, of these or others.

    Raises:
        BadRequest: The file cannot be understood, naming the line; photographs are missing.
    """
    rows = read_rows(file, ("photo", *(name.lower() for name in by)), LABELLED)
    columns = [column for column in LABELLED if column in rows[0].cells]
    if not columns:
        raise BadRequest(f"{file} has no column to judge.", hint=f"One or more of {', '.join(LABELLED)}.")
    truth = {column: np.full(len(rows), np.nan) for column in columns}
    for i, row in enumerate(rows):
        for column in columns:
            truth[column][i] = _value(column, row.cells[column], f"{file}, line {row.line}")
    groups = {
        name: read_column([row.cells[name.lower()] for row in rows], f"{file}, column {name}") for name in by
    }
    return Labelled(find_photos(images, [row.cells["photo"] for row in rows], file), truth, groups=groups)


def read_utkface(folder: Path, by: Sequence[str] = ()) -> Labelled:
    """Read age and gender from names such as `31_1_0_20170109.jpg`: age, gender (0 male), origin, time.

    Z. Zhang, Y. Song and H. Qi: Age Progression/Regression by Conditional Adversarial Autoencoder, CVPR 2017.
    A few published names hold something else and are unlabelled.

    Args:
        folder: Its photographs.
        by: Columns to split by: age, gender, origin.

    Raises:
        BadRequest: There are no such names, or no such column.
    """
    paths = _photos(folder)
    named = [_UTKFACE.match(path.name) for path in paths]
    known = [(path, match) for path, match in zip(paths, named, strict=True) if match]
    if not known:
        raise BadRequest(f"No name in {folder} is like 31_1_0_20170109.jpg.", hint="Is it UTKFace?")
    columns = {
        AGE: [match[1] for _, match in known],
        "gender": [_UTKFACE_GENDER[int(match[2])] for _, match in known],
        "origin": [_UTKFACE_ORIGIN[int(match[3])] for _, match in known],
    }
    if unknown := [name for name in by if name not in columns]:
        raise BadRequest(
            f"Names of UTKFace do not say {unknown[0][:60]!r}.", hint=f"--by {' or --by '.join(columns)}"
        )
    genders = [BY_NAME["gender"].labels.index(name) for name in _UTKFACE_GENDER]
    return Labelled(
        tuple(path for path, _ in known),
        {
            AGE: np.array([float(match[1]) for _, match in known]),
            "gender": np.array([float(genders[int(match[2])]) for _, match in known]),
        },
        tuple(path.name for path, match in zip(paths, named, strict=True) if not match),
        {name: read_column(columns[name], f"{folder}, {name}") for name in by},
    )


def read_folders(folder: Path, column: str) -> Labelled:
    """Read a folder of photographs for each label of one column, as FER2013 is often kept.

    Raises:
        BadRequest: The column has no labels, or a folder is called otherwise.
    """
    described = BY_NAME.get(column)
    if described is None or described.least is None:
        decisive = [name for name, known in BY_NAME.items() if known.least is not None]
        raise BadRequest(
            f"A folder cannot say {column[:60]!r}.", hint=f"--column {' or --column '.join(decisive)}"
        )
    paths = _photos(folder)
    labelled = [path for path in paths if path.parent != folder]
    if not labelled:
        raise BadRequest(f"{folder} has no folder for each {column}.")
    truth = [_value(column, path.relative_to(folder).parts[0], str(path)) for path in labelled]
    return Labelled(
        tuple(labelled),
        {column: np.array(truth)},
        tuple(path.name for path in paths if path.parent == folder),
    )


def _photos(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        raise BadRequest(f"{folder} is no folder.")
    return list(find_images([folder]))


def _value(column: str, text: str, where: str) -> float:
    if not text:
        return math.nan
    if column == AGE:
        return _years(text, where)
    labels = BY_NAME[column].labels
    if text.lower() not in labels:
        raise BadRequest(
            f"{where}: {text[:60]!r} is no {column}.",
            hint=f"Known are: {', '.join(labels)}; or leave it empty.",
        )
    return float(labels.index(text.lower()))


def _years(text: str, where: str) -> float:
    try:
        years = float(text)
    except ValueError:
        years = math.nan
    if not 0 <= years <= MOST_YEARS:
        raise BadRequest(f"{where}: {text[:60]!r} is no age.", hint=f"Years, from 0 to {MOST_YEARS}.")
    return years
