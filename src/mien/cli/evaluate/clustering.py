"""`mien evaluate clustering`: are groups of faces people?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.evaluate.looking import Report
from mien.cli.options import Json


def clustering(
    truth: Annotated[
        Path,
        typer.Option("--truth", metavar="FILE", help="CSV with the columns photo, perhaps face, and person."),
    ],
    found: Annotated[
        Path, typer.Option("--found", metavar="FILE", help="CSV with the same, and cluster for person.")
    ],
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Pairwise and BCubed precision, recall and F of groups of faces."""
    from mien.cli.evaluate.finish import finish
    from mien.evaluate.clustering import evaluate_clustering
    from mien.evaluate.reading.grouping import read_grouping

    outcome = evaluate_clustering(read_grouping(truth, "person"), read_grouping(found, "cluster"))
    finish(outcome, (), {"truth": truth, "found": found}, report, as_json)
