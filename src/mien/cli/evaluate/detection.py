"""`mien evaluate detection`: which faces are found?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.evaluate.groups import By
from mien.cli.evaluate.looking import Images, Report
from mien.cli.options import Accurate, Detector, Device, Fast, Json, Search, Threads, opened_kit

if TYPE_CHECKING:
    from mien.core.analysis import Failure

_COLUMNS = ("box", "score")
# Low enough for curves to reach the end, high enough not to drown in boxes.
_LEAST_SCORE = 0.02


def detection(
    truth: Annotated[
        Path,
        typer.Option(
            "--truth", metavar="FILE", help="Where faces are: WIDER FACE's text, or JSON as COCO has it."
        ),
    ],
    images: Images,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="CSV of labels by photo, for --by."),
    ] = None,
    by: By = None,
    report: Report = None,
    as_json: Json = False,
    detector: Detector = None,
    fast: Fast = False,
    accurate: Accurate = False,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Average precision, recall by size of the face, and wrong boxes."""
    import msgspec

    from mien.cli.evaluate.finish import finish
    from mien.cli.evaluate.groups import labels_by_photo
    from mien.cli.evaluate.looking import needs_extra, networks, watched_analyze
    from mien.errors import BadRequest
    from mien.evaluate.detection import detect, evaluate_detection
    from mien.evaluate.reading.truth import read_marked
    from mien.kit import Mien
    from mien.media.rows import find_photos

    needs_extra(report)
    marked = read_marked(truth)
    photos = find_photos(images, list(marked), truth)
    if labels and not by:
        raise BadRequest("--labels FILE is for --by COLUMN.")
    groups = labels_by_photo(photos, labels, by)
    with opened_kit(
        detector=detector, fast=fast, accurate=accurate, search=search, device=device, threads=threads
    ) as kit:
        packs = networks(kit, _COLUMNS)
    sweeping = Mien(msgspec.structs.replace(kit.settings, least_score=_LEAST_SCORE))
    failures: list[Failure] = []
    found = evaluate_detection(
        list(marked.values()),
        detect(watched_analyze(kit.analyze, failures.append), photos),
        detect(sweeping.analyze, photos),
        labels=groups,
    )
    data = {"truth": truth, "images": images, "labels": labels}
    finish(found, packs, data, report, as_json, failures)
