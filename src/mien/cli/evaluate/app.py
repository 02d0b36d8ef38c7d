"""`mien evaluate`: its nouns."""

from __future__ import annotations

import typer

from mien.cli.evaluate.attributes import attributes
from mien.cli.evaluate.clustering import clustering
from mien.cli.evaluate.detection import detection
from mien.cli.evaluate.identification import identification
from mien.cli.evaluate.liveness import liveness
from mien.cli.evaluate.quality import quality
from mien.cli.evaluate.verification import verification

app = typer.Typer(
    no_args_is_help=True,
    help="Measure on labelled photographs of your own how good the answers are. Needs mien\\[evaluate].",
)
for noun in (verification, identification, detection, liveness, attributes, clustering, quality):
    app.command()(noun)
