"""`mien analyze`: find the faces in pictures."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.options import (
    Accurate,
    Detector,
    Device,
    Fast,
    Json,
    Out,
    Photos,
    Search,
    Threads,
    Use,
    opened_kit,
)


def analyze(
    photos: Photos,
    out: Out = None,
    as_json: Json = False,
    as_jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl", help="Write a JSON line per picture, as they are done.", rich_help_panel="Output"
        ),
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Write a CSV row per face.", rich_help_panel="Output")
    ] = False,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="COLUMN,...",
            help="What else to compute: age, gender, expression, pose, live, mask, quality, landmarks, ... "
            "(mien info lists them).",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Compute all that the installed packs can.")
    ] = False,
    detector: Detector = None,
    use: Use = None,
    fast: Fast = False,
    accurate: Accurate = False,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Find the faces in pictures and folders; bad files are reported beside the results."""
    from mien.cli.csv import exported
    from mien.cli.pictures import saving
    from mien.cli.tables import watched, write_analyses
    from mien.cli.tally import Tally
    from mien.errors import BadRequest
    from mien.media.expanding import expand

    if as_json + as_jsonl + as_csv > 1:
        raise BadRequest("Choose one of --json, --jsonl and --csv.")
    form = "json" if as_json else "jsonl" if as_jsonl else "csv" if as_csv else "table"
    asked = ",".join(extra or ()).split(",")
    columns = ("box", "score", "points", *(name.strip() for name in asked if name.strip()))
    with opened_kit(
        detector=detector,
        use=use,
        fast=fast,
        accurate=accurate,
        search=search,
        device=device,
        threads=threads,
    ) as kit:
        if everything:
            columns = tuple(dict.fromkeys((*columns, *exported(kit.available()))))
        kit.stages_for(columns)
    paths = list(expand(photos))
    tally = Tally()
    results = tally.counting(watched(kit.analyze(paths, columns), len(paths)))
    write_analyses(saving(results, out) if out else results, form, columns)
    tally.finish()
