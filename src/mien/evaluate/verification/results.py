"""What is known about verification after it was measured."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.groups import Groups


class AtFmr(msgspec.Struct, frozen=True):
    """FNMR where the threshold lets so many pairs of two people pass.

    Attributes:
        fmr: The false-match rate asked for.
        threshold: Largest distance of a match; None where the data cannot tell.
        fnmr: The share of comparisons of one person that do not match there.
    """

    fmr: float
    threshold: float | None
    fnmr: Rate


class Operating(msgspec.Struct, frozen=True):
    """What happens at the threshold that decides.

    Attributes:
        threshold: Largest distance of a match.
        stated_fmr: The false-match rate that is stated for it; None if none is.
        source: Who states it: a pack's manifest, a calibration, or the command line.
        fmr: The rate measured here.
        fnmr: The rate measured here.
    """

    threshold: float
    stated_fmr: float | None
    source: str
    fmr: Rate
    fnmr: Rate


class Counts(msgspec.Struct, frozen=True):
    """What was compared; those that could not be made are among them."""

    people: int
    photographs: int
    genuine: int
    impostor: int
    genuine_not_made: int
    impostor_not_made: int


class VerificationMeasures(msgspec.Struct, frozen=True):
    """The outcome of verification.

    Attributes:
        accuracy: Mean over folds of the share of pairs decided rightly; None where the pairs have no folds.
        accuracy_sd: Standard deviation over folds (not of the mean, and divided by their number, as results
            on LFW are given).
        accuracy_folds: Accuracy of each fold.
        accuracy_thresholds: The threshold of each fold, chosen on all others.
        eer: Equal error rate.
        eer_threshold: The distance at which FMR and FNMR are equal.
        auc: Area under the ROC curve.
        fnmr_at_fmr: FNMR at false-match rates of 1e-2 to 1e-6, by rate.
        operating: Rates at the threshold that decides.
        failure_to_acquire: Photographs on which no face was found, or that could not be read.
        comparisons: What was compared.
        groups: Rates by each label column.
        metric: What distance means.
        space: The embedding space.
    """

    accuracy: float | None
    accuracy_sd: float | None
    accuracy_folds: list[float]
    accuracy_thresholds: list[float]
    eer: Rate
    eer_threshold: float
    auc: float
    fnmr_at_fmr: dict[str, AtFmr]
    operating: Operating | None
    failure_to_acquire: Rate
    comparisons: Counts
    groups: list[Groups]
    metric: str
    space: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """The threshold that decides: largest distance of a match, its stated false-match rate, who states it."""

    distance: float
    fmr: float | None
    source: str
