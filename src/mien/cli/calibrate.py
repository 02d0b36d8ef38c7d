"""`mien calibrate`: what distances mean for photographs of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import exits
from mien.cli.evaluate.looking import Report
from mien.cli.evaluate.people import Largest
from mien.cli.options import (
    Calibration,
    Collection,
    Detector,
    Device,
    Embedder,
    Json,
    Search,
    StoreAddress,
    Threads,
    opened_kit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mien.core.analysis import Failure
    from mien.evaluate.evaluation import Evaluation
    from mien.evaluate.measures.comparisons import Comparisons
    from mien.gallery.calibration import Calibration as CalibrationFile
    from mien.kit import Mien

_USUAL = 1e-3


def calibrate(
    images: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="A folder with a folder of photographs for each person."),
    ] = None,
    enrolled: Annotated[
        bool, typer.Option("--enrolled", help="Not photographs: those who are enrolled.")
    ] = False,
    fmr: Annotated[
        float | None,
        typer.Option("--fmr", metavar="RATE", help="Share of pairs of strangers that may pass; else 1e-3."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it there, and use it only where it is named."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; say whether the calibration in use holds here.")
    ] = False,
    calibration: Calibration = None,
    largest: Largest = False,
    report: Report = None,
    as_json: Json = False,
    collection: Collection = None,
    store: StoreAddress = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Choose the threshold for a false-match rate, and learn how probable one person is at each distance.

    With --check, exit code 1 says that the calibration no longer holds, or that too little was seen to tell.
    """
    from mien.cli.evaluate.finish import finish
    from mien.cli.evaluate.looking import needs_extra, networks
    from mien.evaluate import looking
    from mien.evaluate.calibration.drift import check_drift
    from mien.evaluate.calibration.showing import show_drift

    _refuse_what_does_not_fit(fmr, out, calibration, check=check)
    _refuse_two_kinds_of_people(images, collection, store, enrolled=enrolled)
    needs_extra(report)
    with opened_kit(
        collection=collection,
        store=store,
        detector=detector,
        embedder=embedder,
        search=search,
        calibration=calibration,
        device=device,
        threads=threads,
    ) as kit:
        packs = networks(kit, looking.COLUMNS)
        if enrolled:
            kit.gallery()  # whose embedder is the one that counts
    in_use = _in_use(kit) if check else None
    compared, found, failures = _seen(kit, images, largest=largest)
    if in_use:
        drift = check_drift(in_use, compared, found)
        evaluation, holds = show_drift(drift, in_use), drift.verdict == "holds"
    else:
        evaluation, holds = _fitted(kit, compared, found, _USUAL if fmr is None else fmr, out), True
    read = {"images": images, "calibration": kit.calibration_in_use() if in_use else None}
    finish(evaluation, packs, read, report, as_json, failures, exits.FINE if holds else exits.DIFFERENT)


def _seen(
    kit: Mien, images: Path | None, *, largest: bool
) -> tuple[Comparisons, NDArray[np.bool_], Sequence[Failure]]:
    """Everybody compared with everybody, and which photographs show a face."""
    import numpy as np

    from mien.cli.evaluate.people import seen
    from mien.evaluate.calibration.galleries import comparisons_of
    from mien.evaluate.measures.comparisons import everybody
    from mien.evaluate.reading.people import read_people

    if images is None:
        compared = comparisons_of(kit.gallery())
        return compared, np.ones(len(compared.person), np.bool_), ()
    people = read_people(images)
    looked = seen(kit, people.photos, largest=largest)
    compared = everybody(looked.column("embedding"), people.person, kit.metric())
    return compared, looked.found, looked.failures


def _refuse_two_kinds_of_people(
    images: Path | None, collection: str | None, store: str | None, *, enrolled: bool
) -> None:
    from mien.errors import BadRequest

    if (images is None) != enrolled:
        raise BadRequest("Calibrate by a folder of photographs, or by those --enrolled.")
    if not enrolled and (collection or store):
        raise BadRequest("--collection and --store are about those --enrolled.")


def _refuse_what_does_not_fit(
    fmr: float | None, out: Path | None, calibration: Path | None, *, check: bool
) -> None:
    from mien.errors import BadRequest

    if fmr is not None and not 0 < fmr < 1:
        raise BadRequest(f"A false-match rate lies between 0 and 1, not {fmr:g}.")
    if out and out.is_dir():
        raise BadRequest(f"{out} is a folder.", hint="--out wants the name of a file.")
    if check and (fmr is not None or out):
        raise BadRequest("--check changes nothing: it takes neither --fmr nor --out.")
    if calibration and not check:
        raise BadRequest(
            "--calibration names what --check checks.", hint="--out says where to write a new one."
        )


def _in_use(kit: Mien) -> CalibrationFile:
    from mien.errors import BadRequest

    found = kit.rule().calibration
    if found is None:
        raise BadRequest(
            "There is no calibration to check.",
            hint="Make one: mien calibrate DIR, or name one: --calibration",
        )
    return found


def _fitted(
    kit: Mien, compared: Comparisons, found: NDArray[np.bool_], fmr: float, out: Path | None
) -> Evaluation:
    """Calibrate and write the file."""
    from mien.cli.console import remarks
    from mien.evaluate.calibration.fitting import calibrate as fit
    from mien.evaluate.calibration.showing import show_calibration
    from mien.gallery.rule import save_calibration

    fitted = fit(
        compared,
        space=kit.space(),
        metric=kit.metric(),
        fmr=fmr,
        acquired=found,
        detector=kit.manifest_for("box").name,
    )
    file = out or kit.calibration_file()
    save_calibration(fitted.calibration, file)
    said = f"The calibration: {file}"
    if not out:
        other = kit.settings.calibration
        said += (
            f"; settings name another: {other}" if other else "; verify and identify decide by it from now on"
        )
    remarks().print(said, markup=False, soft_wrap=True)
    return show_calibration(fitted)
