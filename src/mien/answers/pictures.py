"""Pictures and the faces in them, derived from the column table."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from mien.core.advice import reasons
from mien.core.analysis import Analysis, Failure
from mien.core.columns import COLUMNS, Column
from mien.core.faces import Face
from mien.core.matches import Decision, Match
from mien.core.results import Identification, Verification
from mien.errors import MienError

EXPORTED = tuple(column for column in COLUMNS if column.export)


class ErrorRow(msgspec.Struct, frozen=True):
    """An error: a code that never changes, what happened, and what to do."""

    code: str
    message: str
    hint: str


class FailureRow(msgspec.Struct, frozen=True):
    """A picture that could not be used."""

    source: str
    error: ErrorRow


class ReasonRow(msgspec.Struct, frozen=True):
    """What a person can do about a face that is hard to recognise: a code that never changes, and words."""

    code: str
    text: str


# One optional field per exported column, and the label of those that decide; null means not computed.
_NESTED: dict[int, Any] = {0: float | None, 1: list[float] | None, 2: list[list[float]] | None}
_FIELDS: list[tuple[str, Any, Any]] = [
    (column.name, dict[str, float] | None if column.labels else _NESTED[len(column.shape)], None)
    for column in EXPORTED
]
_LABELS: list[tuple[str, Any, Any]] = [
    (f"{column.name}_label", str | None, None) for column in EXPORTED if column.least is not None
]
FaceRow = msgspec.defstruct("FaceRow", [*_FIELDS, *_LABELS, ("advice", list[ReasonRow], [])], frozen=True)


class PhotoRow(msgspec.Struct, frozen=True):
    """One picture of `analyze`: its faces, or the error that kept it from being analysed."""

    source: str
    size_wh: tuple[int, int] | None = None
    faces: list[FaceRow] | None = None  # type: ignore[valid-type]
    error: ErrorRow | None = None


class VerifyRow(msgspec.Struct, frozen=True):
    """The answer of `verify`."""

    verified: bool
    similarity: float
    distance: float
    threshold: float
    fmr: float | None
    metric: str
    space: str
    face_a: FaceRow  # type: ignore[valid-type]
    face_b: FaceRow  # type: ignore[valid-type]
    probability: float | None
    source: str


class MatchRow(msgspec.Struct, frozen=True):
    """One candidate for a face."""

    person: str
    similarity: float
    distance: float
    accepted: bool
    probability: float | None
    person_id: str | None = None
    face_id: str | None = None


class WhoRow(msgspec.Struct, frozen=True):
    """One face of `identify`: the person if `known`, null otherwise, and the nearest candidates.

    The margin is how much further the second person is than the first; null if there is no second.
    """

    person: str | None
    candidates: list[MatchRow]
    face: FaceRow  # type: ignore[valid-type]
    decision: Decision
    margin: float | None


class IdentifyRow(msgspec.Struct, frozen=True):
    """One picture of `identify`."""

    source: str
    people: list[WhoRow] | None = None
    error: ErrorRow | None = None


class IdentifyReport(msgspec.Struct, frozen=True):
    """The whole answer of `identify`.

    `known` are people and faces of --known; `people` is how many there are to be recognised in all.
    """

    known: dict[str, int]
    people: int
    threshold: float
    fmr: float | None
    metric: str
    space: str
    source: str
    rejected: list[IdentifyRow]
    photos: list[IdentifyRow]


SCHEMAS: dict[str, Any] = {"analyze": list[PhotoRow], "verify": VerifyRow, "identify": IdentifyReport}


def encodable(text: str) -> str:
    """Text that JSON can hold: bytes of a file name that are not UTF-8 are spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()


def error_row(error: MienError) -> ErrorRow:
    """Translate an error."""
    return ErrorRow(error.code, encodable(error.message), error.hint)


def failure_row(failure: Failure) -> FailureRow:
    """Translate a picture that could not be used."""
    return FailureRow(encodable(failure.source), error_row(failure.error))


def face_row(face: Face) -> FaceRow:  # type: ignore[valid-type]
    """Translate a face; coordinates are rounded to a hundredth of a pixel, shares to four digits."""
    row: dict[str, Any] = {}
    for column in EXPORTED:
        value = getattr(face, column.name)
        if value is not None:
            row[column.name] = _rounded(column, value)
        if column.least is not None:
            row[f"{column.name}_label"] = face.label(column.name)
    return FaceRow(**row, advice=[ReasonRow(one.code, one.text) for one in reasons(face)])


def photo_row(result: Analysis | Failure) -> PhotoRow:
    """Translate one picture of an analysis."""
    if isinstance(result, Failure):
        return PhotoRow(encodable(result.source), error=error_row(result.error))
    return PhotoRow(encodable(result.source), result.faces.size_wh, [face_row(face) for face in result.faces])


def verify_row(found: Verification) -> VerifyRow:
    """Translate the answer of `verify`."""
    return VerifyRow(
        found.verified,
        found.similarity,
        found.distance,
        found.threshold,
        found.fmr,
        found.metric,
        found.space,
        face_row(found.face_a),
        face_row(found.face_b),
        found.probability,
        found.source,
    )


def identify_row(result: Identification | Failure) -> IdentifyRow:
    """Translate one picture of an identification."""
    if isinstance(result, Failure):
        return IdentifyRow(encodable(result.source), error=error_row(result.error))
    people = []
    for i, (face, match) in enumerate(result):
        found = result.matches
        gap = None if found.margin is None else float(found.margin[i])
        people.append(
            WhoRow(
                encodable(match.person) if match else None,
                [match_row(candidate) for candidate in found[i]],
                face_row(face),
                found.decision(i),
                gap if gap is not None and math.isfinite(gap) else None,
            )
        )
    return IdentifyRow(encodable(result.image.source or "<array>"), people)


def match_row(match: Match) -> MatchRow:
    """Translate a candidate."""
    return MatchRow(
        encodable(match.person),
        match.similarity,
        match.distance,
        match.accepted,
        match.probability,
        match.person_id,
        match.face_id,
    )


def _rounded(column: Column, value: Any) -> Any:  # noqa: ANN401 - a float or an array
    digits = 2 if column.unit == "px" else 4
    if isinstance(value, float):
        return round(value, digits)
    listed = np.round(value.astype(float), digits).tolist()
    return dict(zip(column.labels, listed, strict=True)) if column.labels else listed
