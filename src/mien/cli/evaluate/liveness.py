"""`mien evaluate liveness`: are attacks told from live faces?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.evaluate.groups import By
from mien.cli.evaluate.looking import Report
from mien.cli.options import Detector, Device, Json, Search, Threads, Use, opened_kit

_COLUMNS = ("box", "score", "points", "live")


def liveness(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A folder for each kind: live (or bona_fide, real), and one for each kind of attack.",
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="CSV: photo (a path within DIR), kind instead of folders, and any columns for --by.",
        ),
    ] = None,
    by: By = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0, max=1, help="Least score that is taken for live; 0.5 by default."),
    ] = None,
    report: Report = None,
    as_json: Json = False,
    detector: Detector = None,
    use: Use = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Attacks taken for live and live faces refused (ISO/IEC 30107-3): APCER, BPCER, ACER."""
    from mien.cli.evaluate.finish import finish
    from mien.cli.evaluate.groups import labels_by_photo
    from mien.cli.evaluate.looking import needs_extra, networks, watched_analyze
    from mien.evaluate.liveness import THRESHOLD, evaluate_liveness
    from mien.evaluate.looking import look
    from mien.evaluate.reading.kinds import read_kinds, read_kinds_from, says_kinds

    needs_extra(report)
    listed = labels is not None and (not by or says_kinds(labels))
    presented = read_kinds_from(labels, folder) if labels and listed else read_kinds(folder)
    groups = labels_by_photo(presented.photos, labels, by)
    with opened_kit(detector=detector, use=use, search=search, device=device, threads=threads) as kit:
        packs = networks(kit, _COLUMNS)
    looked = look(watched_analyze(kit.analyze), presented.photos, _COLUMNS)
    at = THRESHOLD if threshold is None else threshold
    found = evaluate_liveness(presented, looked, threshold=at, labels=groups)
    data = {"photographs": folder, "labels": labels}
    finish(found, packs, data, report, as_json, looked.failures)
