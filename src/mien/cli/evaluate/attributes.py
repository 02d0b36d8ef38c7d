"""`mien evaluate attributes`: how right are age, gender and expression?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.evaluate.looking import Report
from mien.cli.options import Detector, Device, Json, Search, Threads, Use, opened_kit

if TYPE_CHECKING:
    from mien.evaluate.reading.labels import Labelled


def attributes(
    images: Annotated[Path, typer.Option("--images", metavar="DIR", help="Folder of the photographs.")],
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="CSV with the columns photo, any of age, gender, expression, and any for --by.",
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            help="Instead of a file: utkface (names are AGE_GENDER_...) or folders (one for each label).",
        ),
    ] = None,
    column: Annotated[
        str, typer.Option("--column", help="What folders are called after: expression or gender.")
    ] = "expression",
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Split by this column of --labels, or age, gender, origin of utkface; can be given again.",
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole-picture", help="Pictures are cut-outs: take each as the face, and do not look for one."
        ),
    ] = False,
    report: Report = None,
    as_json: Json = False,
    detector: Detector = None,
    use: Use = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Age in years off, gender and expression in shares right, for the face nearest to the centre."""
    from mien.cli.evaluate.finish import finish
    from mien.cli.evaluate.looking import needs_extra, networks, watched_analyze
    from mien.evaluate.attributes import evaluate_attributes
    from mien.evaluate.looking import look
    from mien.evaluate.whole_pictures import whole_pictures

    needs_extra(report)
    labelled = _labelled(images, labels, layout, column, by or ())
    columns = ("box", "score", "points", *labelled.truth)
    with opened_kit(detector=detector, use=use, search=search, device=device, threads=threads) as kit:
        packs = networks(kit, columns)
    analyze = whole_pictures(kit.stages_for(columns)) if whole else kit.analyze
    looked = look(watched_analyze(analyze), labelled.photos, columns)
    data = {"images": images, "labels": labels or layout}
    took_part = [pack for pack in packs if not (whole and "box" in pack.gives)]
    finish(evaluate_attributes(labelled, looked), took_part, data, report, as_json, looked.failures)


def _labelled(
    images: Path, labels: Path | None, layout: str | None, column: str, by: Sequence[str]
) -> Labelled:
    from mien.errors import BadRequest
    from mien.evaluate.reading.labels import read_folders, read_labels, read_utkface

    if (labels is None) == (layout is None):
        raise BadRequest("Say what is true by one of --labels and --layout.")
    if labels is not None:
        return read_labels(labels, images, by)
    if layout == "utkface":
        return read_utkface(images, by)
    if layout == "folders" and by:
        raise BadRequest(
            "Folders say nothing to split by.", hint="--by is for --labels and --layout utkface."
        )
    if layout == "folders":
        return read_folders(images, column)
    raise BadRequest(f"There is no layout {layout!r}.", hint="--layout utkface or --layout folders")
