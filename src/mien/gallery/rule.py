"""The rule by which two embeddings count as one person, and who made it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import CalibrationError, CalibrationInvalid, ManifestInvalid, RateUnsupported, SpaceMismatch
from mien.gallery.calibration import Calibration, read_calibration, write_calibration
from mien.ops.vectors import Metric
from mien.packs.disk import write_synced, writing
from mien.packs.manifest import Manifest

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """When two embeddings of a space count as one person.

    Attributes:
        space: Embedding space that the rule holds in.
        metric: What distance means there.
        distance: Largest distance of one person.
        fmr: False-match rate at that distance; None if nobody measured it.
        calibration: What distances mean for somebody's own photographs; None if nobody calibrated.
        review_distance: Up to here a person is uncertain rather than unknown; None: no such band.
    """

    space: str
    metric: Metric
    distance: float
    fmr: float | None
    calibration: Calibration | None = None
    review_distance: float | None = None

    @property
    def source(self) -> Literal["manifest", "calibration"]:
        """Who says where the threshold is."""
        return "manifest" if self.calibration is None else "calibration"

    def probability(self, distance: Floats) -> Floats | None:
        """See `Calibration.probability`; None if nobody calibrated."""
        return None if self.calibration is None else self.calibration.probability(distance)


def calibration_file(folder: Path, space: str) -> Path:
    """Where the calibration of a space is kept, in the folder of all of them."""
    return folder / f"{space.replace(':', '-')}.json"


def load_calibration(file: Path, space: str) -> Calibration:
    """Read a calibration for a space.

    Raises:
        CalibrationInvalid: The file cannot be read, or is no calibration.
        SpaceMismatch: It is of another embedding space.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CalibrationInvalid(
            f"{file} cannot be read: {error.strerror or error}.", hint="Check the path, and who may read it."
        ) from error
    found = read_calibration(content, str(file))
    if found.space != space:
        raise SpaceMismatch(
            f"{file} calibrates {found.space}, not {space}.", hint="Calibrate again: mien calibrate FOLDER"
        )
    return found


def save_calibration(calibration: Calibration, file: Path) -> None:
    """Write a calibration; what was there before stays until the new one is whole.

    Raises:
        CalibrationError: It cannot be written.
    """
    with writing(file, CalibrationError):
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
        try:
            write_synced(unfinished, write_calibration(calibration))
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)


def metric_of(manifest: Manifest) -> Metric:
    """What distance means between embeddings: as the threshold says, cosine where there is none."""
    return manifest.threshold.metric if manifest.threshold else "cosine"


def decide_by(
    manifest: Manifest,
    space: str,
    calibration: Calibration | None,
    fmr: float | None,
    review_fmr: float | None = None,
) -> DecisionRule:
    """The rule of an embedder: as calibrated, or else as its manifest says.

    Args:
        manifest: Of the embedder.
        space: Of its embeddings.
        calibration: What was measured here, if anything.
        fmr: The false-match rate that the operator wants; None: what was asked for when it was calibrated.
        review_fmr: The false-match rate up to which people are shown as uncertain; None: none are.

    Raises:
        RateUnsupported: A rate is wanted that the calibration cannot tell, or that nobody measured.
        ManifestInvalid: There is no calibration, and the manifest states no threshold.
    """
    if calibration is not None:
        rate = calibration.requested_fmr if fmr is None else fmr
        distance = calibration.threshold_at(rate)
        review = None if review_fmr is None else calibration.threshold_at(review_fmr)
        if review is not None and review < distance:
            raise RateUnsupported(
                f"review_fmr {review_fmr:g} is below fmr {rate:g}.", hint="Ask for a larger review_fmr."
            )
        return DecisionRule(space, calibration.metric, distance, rate, calibration, review)
    if manifest.threshold is None:
        raise ManifestInvalid(
            f"Pack {manifest.name} states no threshold.", hint="Measure one: mien calibrate FOLDER"
        )
    found = manifest.threshold
    if review_fmr is not None:
        raise RateUnsupported(
            "Without a calibration nobody knows who is uncertain.",
            hint="Measure with photographs of your own: mien calibrate FOLDER",
        )
    if fmr is not None and fmr != found.fmr:
        stated = f"{found.fmr:g}" if found.fmr else "none"
        raise RateUnsupported(
            f"No threshold is known for a false-match rate of {fmr:g}; {manifest.name} states {stated}.",
            hint="Measure one with photographs of your own: mien calibrate FOLDER",
        )
    return DecisionRule(space, found.metric, found.distance, found.fmr)
