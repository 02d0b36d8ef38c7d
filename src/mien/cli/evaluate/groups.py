"""Options that split an evaluation by a label of the photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="COLUMN", help="Split by this column of --labels; can be given again."),
]


def labels_by_photo(
    photos: Sequence[Path], file: Path | None, columns: Sequence[str] | None
) -> dict[str, list[str]]:
    """Labels of the photographs by column; none if there are no columns.

    Raises:
        BadRequest: There is no file, or it does not have them.
    """
    from mien.errors import BadRequest
    from mien.evaluate.reading.people import read_groups

    if not columns:
        return {}
    if file is None:
        raise BadRequest("--by COLUMN wants --labels FILE.", hint="CSV with the column photo, and COLUMN.")
    return read_groups(file, columns, photos)
