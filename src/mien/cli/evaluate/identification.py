"""`mien evaluate identification`: who is it, among many?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.evaluate.groups import By
from mien.cli.evaluate.looking import Report
from mien.cli.evaluate.people import LabelsFile, Largest
from mien.cli.options import Calibration, Detector, Device, Embedder, Fmr, Json, Search, Threads, opened_kit


def identification(
    images: Annotated[
        Path, typer.Option("--images", metavar="DIR", help="A folder of photographs for each person.")
    ],
    enrol: Annotated[
        int, typer.Option("--enrol", min=1, help="Photographs of a person that are enrolled, the first ones.")
    ] = 1,
    strangers: Annotated[
        float,
        typer.Option("--strangers", min=0.0, max=1.0, help="Share of the people who are not enrolled."),
    ] = 0.5,
    watch_list: Annotated[
        Path | None,
        typer.Option("--watch-list", metavar="FILE", help="Enrol only these people: a name on each line."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw of strangers.")] = 0,
    labels: LabelsFile = None,
    by: By = None,
    largest: Largest = False,
    report: Report = None,
    as_json: Json = False,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    calibration: Calibration = None,
    fmr: Fmr = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """FNIR at FPIR, rank and CMC of searches in a gallery, and how they change with its size."""
    import numpy as np

    from mien.cli.evaluate.finish import finish
    from mien.cli.evaluate.looking import needs_extra, networks
    from mien.cli.evaluate.people import labels_of, seen, threshold_in_use
    from mien.evaluate import looking
    from mien.evaluate.identification.measuring import evaluate_identification, smaller_galleries
    from mien.evaluate.measures import searches
    from mien.evaluate.reading.people import read_names, read_people

    needs_extra(report)
    people = read_people(images)
    listed = read_names(watch_list, people.names) if watch_list else None
    divided = searches.split(people.person, enrol=enrol, strangers=strangers, listed=listed, seed=seed)
    groups = labels_of(people, labels, by or ())
    with opened_kit(
        detector=detector,
        embedder=embedder,
        search=search,
        calibration=calibration,
        fmr=fmr,
        device=device,
        threads=threads,
    ) as kit:
        packs = networks(kit, looking.COLUMNS)
        threshold = threshold_in_use(kit)
        decided_by = kit.calibration_in_use()
    looked = seen(kit, people.photos, largest=largest)
    metric = kit.metric()
    enrolled = len(np.unique(people.person[divided.enrolled]))
    found = evaluate_identification(
        searches.search(
            looked.column("embedding"), people.person, divided, metric, smaller_galleries(enrolled)
        ),
        metric=metric,
        space=looked.space,
        acquired=looked.found,
        threshold=threshold,
        watch_list=watch_list is not None,
        labels=groups,
    )
    read = {"images": images, "calibration": decided_by, "watch list": watch_list, "labels": labels}
    finish(found, packs, read, report, as_json, looked.failures)
