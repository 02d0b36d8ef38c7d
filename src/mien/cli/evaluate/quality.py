"""`mien evaluate quality`: does refusing bad photographs prevent errors?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.evaluate.looking import Images, Report
from mien.cli.options import Detector, Device, Embedder, Json, Search, Threads, Use, opened_kit


def quality(
    pairs: Annotated[
        Path,
        typer.Option("--pairs", metavar="FILE", help="Pairs of photographs: LFW's pairs.txt, or CSV."),
    ],
    images: Images,
    fmr: Annotated[
        float,
        typer.Option("--fmr", help="False-match rate that the threshold is chosen for, on these pairs."),
    ] = 1e-3,
    column: Annotated[
        str, typer.Option("--column", help="What says how good a photograph is: quality or score.")
    ] = "quality",
    report: Report = None,
    as_json: Json = False,
    detector: Detector = None,
    embedder: Embedder = None,
    use: Use = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Error versus discard: how FNMR falls as the worst photographs are refused."""
    from mien.cli.evaluate.finish import finish
    from mien.cli.evaluate.looking import needs_extra, networks, watched_analyze
    from mien.errors import BadRequest
    from mien.evaluate.looking import COLUMNS, look
    from mien.evaluate.measures.comparisons import listed
    from mien.evaluate.quality import QUALITIES, evaluate_quality
    from mien.evaluate.reading.pairs import read_pairs

    needs_extra(report)
    if column not in QUALITIES:
        raise BadRequest(f"{column!r} is no measure of quality.", hint=f"--column {' or '.join(QUALITIES)}")
    listed_pairs = read_pairs(pairs, images)
    columns = tuple(dict.fromkeys((*COLUMNS, column)))
    with opened_kit(
        detector=detector, embedder=embedder, use=use, search=search, device=device, threads=threads
    ) as kit:
        packs = networks(kit, columns)
        metric = kit.metric()
    looked = look(watched_analyze(kit.analyze), listed_pairs.photos, columns)
    compared = listed(looked.column("embedding"), listed_pairs.person, listed_pairs.pairs, metric)
    found = evaluate_quality(compared, looked.column(column), metric=metric, fmr=fmr, column=column)
    finish(found, packs, {"pairs": pairs, "images": images}, report, as_json, looked.failures)
