"""Options of the commands that compare photographs of people, and what they read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mien.evaluate.looking import Looked, Which
    from mien.evaluate.reading.people import People
    from mien.evaluate.verification.results import Threshold
    from mien.kit import Mien

Folder = Annotated[
    Path,
    typer.Option(
        "--images", metavar="DIR", help="A folder of photographs for each person, or of those in --pairs."
    ),
]
PairsFile = Annotated[
    Path | None,
    typer.Option(
        "--pairs",
        metavar="FILE",
        help="Pairs to compare, as LFW's pairs.txt or CSV; else everybody is compared with everybody.",
    ),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option("--labels", metavar="FILE", help="CSV of labels by photo or person, for --by."),
]
Largest = Annotated[
    bool, typer.Option("--largest", help="Of several faces take the largest, not the one nearest the centre.")
]


def seen(kit: Mien, photos: Sequence[Path], *, largest: bool) -> Looked:
    """Embed the face of each photograph that counts."""
    from mien.cli.evaluate.looking import watched_analyze
    from mien.evaluate.looking import COLUMNS, look

    which: Which = "largest" if largest else "central"
    return look(watched_analyze(kit.analyze), photos, COLUMNS, which)


def threshold_in_use(kit: Mien) -> Threshold | None:
    """The threshold that decides here; None if there is none yet."""
    from mien.errors import ManifestInvalid
    from mien.evaluate.verification.results import Threshold

    try:
        rule = kit.rule()
    except ManifestInvalid:
        return None
    return Threshold(rule.distance, rule.fmr, rule.source)


def labels_of(people: People, file: Path | None, columns: Sequence[str]) -> dict[str, list[str]]:
    """Labels of the photographs by column.

    Raises:
        BadRequest: Only one of both was given, or the file does not have them.
    """
    from mien.errors import BadRequest
    from mien.evaluate.reading.people import read_groups

    if file is None and not columns:
        return {}
    if file is None or not columns:
        raise BadRequest("--labels FILE and --by COLUMN go together.")
    names = [people.names[number] for number in people.person]
    return read_groups(file, columns, people.photos, names)
