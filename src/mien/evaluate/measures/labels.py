"""How right answers about faces are: ages, and labels such as an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.intervals import exact_rate

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

NEAR_YEARS = 5
# Lower ends of the age bands, in years; the last is open.
AGE_BANDS = (0, 10, 20, 30, 40, 50, 60, 70)


class AgeErrors(msgspec.Struct, frozen=True):
    """How far ages are off, in years.

    Attributes:
        faces: How many were judged.
        mae: Mean absolute error; None without faces.
        bias: Mean of said - true: above zero, people are taken for older than they are.
        within_5_years: Share that is off by five years or less.
    """

    faces: int
    mae: float | None
    bias: float | None
    within_5_years: Rate


class Ages(AgeErrors, frozen=True):
    """The same, and by true age.

    Attributes:
        by_age: By band of true age, such as `20-29`.
        no_face: Photographs that gave no answer.
    """

    by_age: Mapping[str, AgeErrors]
    no_face: Rate


class Labels(msgspec.Struct, frozen=True):
    """How right labels are.

    Attributes:
        faces: How many were judged.
        accuracy: Share whose most probable label is the true one.
        accuracy_of_all: The same of all photographs; those without a face count as wrong.
        decided: Share of the faces whose label is probable enough to be said.
        accuracy_of_decided: Accuracy among those.
        recall: Share of the faces of each label that are given it.
        precision: Share of the faces that are given a label of which it is true.
        no_face: Photographs that gave no answer.
    """

    faces: int
    accuracy: Rate
    accuracy_of_all: Rate
    decided: Rate
    accuracy_of_decided: Rate
    recall: Mapping[str, Rate]
    precision: Mapping[str, Rate]
    no_face: Rate


def measure_ages(true: Floats, said: Floats, *, no_face: int = 0) -> Ages:
    """Measure ages that were said.

    Args:
        true: `(n,)` years.
        said: `(n,)` years.
        no_face: Photographs that gave no answer.

    Raises:
        BadRequest: Lengths differ, or an age is no finite number or below zero.
    """
    truth, answer = (np.asarray(ages, np.float64) for ages in (true, said))
    if truth.shape != answer.shape or truth.ndim != 1:
        raise BadRequest(f"{truth.shape} true ages and {answer.shape} that were said do not fit.")
    if not (np.isfinite(truth).all() and np.isfinite(answer).all() and (truth >= 0).all()):
        raise BadRequest("An age is not a finite number, or below zero.")
    band = np.searchsorted(AGE_BANDS, truth, side="right") - 1
    whole = _age_errors(truth, answer)
    return Ages(
        **msgspec.structs.asdict(whole),
        by_age={
            _band_name(i): _age_errors(truth[band == i], answer[band == i]) for i in range(len(AGE_BANDS))
        },
        no_face=exact_rate(no_face, len(truth) + no_face),
    )


def measure_labels(
    true: Integers, probability: Floats, labels: Sequence[str], *, least: float = 0.0, no_face: int = 0
) -> Labels:
    """Measure labels that were given by probability.

    Args:
        true: `(n,)` which of the labels is true.
        probability: `(n, k)` of each label.
        labels: The k labels.
        least: A face is decided if the best label reaches this, as in `mien.core.columns.decide`.
        no_face: Photographs that gave no answer.

    Raises:
        BadRequest: Shapes do not fit, a probability is no finite number, or a true label is none of the k.
    """
    _check_labels(true, probability, labels)
    said = probability.argmax(1) if len(true) else np.zeros(0, int)
    right = said == true
    decided = probability.max(1, initial=0) >= least
    return Labels(
        faces=len(true),
        accuracy=_share(right),
        accuracy_of_all=exact_rate(int(right.sum()), len(true) + no_face),
        decided=_share(decided),
        accuracy_of_decided=_share(right[decided]),
        recall={label: _share(right[true == i]) for i, label in enumerate(labels)},
        precision={label: _share(right[said == i]) for i, label in enumerate(labels)},
        no_face=exact_rate(no_face, len(true) + no_face),
    )


def confusion(true: Integers, said: Integers, rows: int, columns: int) -> NDArray[np.int64]:
    """How often each true label `(n,)` was given each answer `(n,)`: `(rows, columns)`."""
    counts: NDArray[np.int64] = np.zeros((rows, columns), np.int64)
    np.add.at(counts, (true, said), 1)
    return counts


def _check_labels(true: Integers, probability: Floats, labels: Sequence[str]) -> None:
    if probability.shape != (len(true), len(labels)):
        raise BadRequest(
            f"Probabilities {probability.shape} do not fit {len(true)} faces and {len(labels)} labels."
        )
    if not np.isfinite(probability).all():
        raise BadRequest("A probability is not a finite number.")
    if len(true) and not (true.min() >= 0 and true.max() < len(labels)):
        raise BadRequest(f"A true label is none of the {len(labels)}.")


def _age_errors(true: Floats, said: Floats) -> AgeErrors:
    error = said - true
    near = _share(np.abs(error) <= NEAR_YEARS)
    if not len(error):
        return AgeErrors(0, None, None, near)
    return AgeErrors(len(error), float(np.abs(error).mean()), float(error.mean()), near)


def _share(flags: NDArray[np.bool_]) -> Rate:
    return exact_rate(int(flags.sum()), len(flags))


def _band_name(band: int) -> str:
    last = band == len(AGE_BANDS) - 1
    return f"{AGE_BANDS[band]}+" if last else f"{AGE_BANDS[band]}-{AGE_BANDS[band + 1] - 1}"
