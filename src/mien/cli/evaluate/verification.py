"""`mien evaluate verification`: are two photographs of one person?"""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.evaluate.groups import By
from mien.cli.evaluate.looking import Report
from mien.cli.evaluate.people import Folder, LabelsFile, Largest, PairsFile
from mien.cli.options import Calibration, Detector, Device, Embedder, Fmr, Json, Search, Threads, opened_kit


def verification(
    images: Folder,
    pairs: PairsFile = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Compare all photographs of --pairs with each other.")
    ] = False,
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
    """FMR and FNMR, DET and ROC, accuracy in LFW's folds, rates by group (ISO/IEC 19795-1)."""
    from mien.cli.evaluate.finish import finish
    from mien.cli.evaluate.looking import needs_extra, networks
    from mien.cli.evaluate.people import labels_of, seen, threshold_in_use
    from mien.errors import BadRequest
    from mien.evaluate import looking
    from mien.evaluate.measures import comparisons
    from mien.evaluate.reading.pairs import read_pairs
    from mien.evaluate.reading.people import People, read_people
    from mien.evaluate.verification.measuring import evaluate_verification

    needs_extra(report)
    listed = read_pairs(pairs, images) if pairs else None
    if listed and not listed.names and (everybody or by):
        raise BadRequest(
            f"{pairs} does not say who is who, only which pairs are one person.",
            hint="--all and --by want a folder for each person, or a list as LFW has it.",
        )
    people = People(listed.photos, listed.person, listed.names) if listed else read_people(images)
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
    vectors, metric = looked.column("embedding"), kit.metric()
    if listed and not everybody:
        compared = comparisons.listed(vectors, people.person, listed.pairs, metric)
    else:
        compared = comparisons.everybody(vectors, people.person, metric)
    found = evaluate_verification(
        compared,
        metric=metric,
        space=looked.space,
        acquired=looked.found,
        fold=listed.folds() if listed and not everybody else None,
        threshold=threshold,
        labels=groups,
    )
    read = {"images": images, "calibration": decided_by, "pairs": pairs, "labels": labels}
    finish(found, packs, read, report, as_json, looked.failures)
