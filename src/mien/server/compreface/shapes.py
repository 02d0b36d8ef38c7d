"""What CompreFace answers. Names of fields are CompreFace's; what was not asked for is left out."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class BoxRow(msgspec.Struct, frozen=True):
    """Where a face is, in pixels of the upright original, and how sure that it is one."""

    probability: float
    x_max: int
    y_max: int
    x_min: int
    y_min: int


class AgeRow(msgspec.Struct, frozen=True):
    """Apparent age; both ends are the same, as with CompreFace's own InsightFace builds."""

    probability: float
    high: int
    low: int


class ValueRow(msgspec.Struct, frozen=True):
    """Which of several, and how sure."""

    probability: float
    value: str


class PoseRow(msgspec.Struct, frozen=True):
    """Where the head is turned, in degrees."""

    pitch: float
    roll: float
    yaw: float


class FoundFace(msgspec.Struct, frozen=True, kw_only=True):
    """A face that was found, and what was asked about it. Times are in milliseconds."""

    box: BoxRow
    age: AgeRow | UnsetType = UNSET
    gender: ValueRow | UnsetType = UNSET
    mask: ValueRow | UnsetType = UNSET
    pose: PoseRow | UnsetType = UNSET
    landmarks: list[tuple[int, int]] | UnsetType = UNSET
    embedding: list[float] | UnsetType = UNSET
    execution_time: dict[str, float] | UnsetType = UNSET


class SimilarSubject(msgspec.Struct, frozen=True):
    """A subject, and how similar a face is to it."""

    subject: str
    similarity: float


class RecognisedFace(FoundFace, frozen=True, kw_only=True):
    """A face with the subjects that are most similar, the most similar first."""

    subjects: list[SimilarSubject]


class ComparedFace(FoundFace, frozen=True, kw_only=True):
    """A face, and how similar it is to the one that was named."""

    similarity: float
    subject: str | UnsetType = UNSET


class Detected(msgspec.Struct, frozen=True):
    """The answer of `detect`."""

    result: list[FoundFace]
    plugins_versions: dict[str, str] | UnsetType = UNSET


class Recognised(msgspec.Struct, frozen=True):
    """The answer of `recognize`."""

    result: list[RecognisedFace]
    plugins_versions: dict[str, str] | UnsetType = UNSET


class Compared(msgspec.Struct, frozen=True):
    """The answer of a comparison with a saved face."""

    result: list[ComparedFace]
    plugins_versions: dict[str, str] | UnsetType = UNSET


class Verified(msgspec.Struct, frozen=True):
    """The one face of the source, and how similar the faces of the target are to it."""

    source_image_face: FoundFace
    face_matches: list[ComparedFace]
    plugins_versions: dict[str, str] | UnsetType = UNSET


class Verification(msgspec.Struct, frozen=True):
    """The answer of `verify`; there is always one result."""

    result: list[Verified]


class RecognisedEmbedding(msgspec.Struct, frozen=True):
    """An embedding that was sent, with the subjects that are most similar."""

    embedding: list[float]
    similarities: list[SimilarSubject]


class RecognisedEmbeddings(msgspec.Struct, frozen=True):
    """The answer of `recognize` of embeddings, in the order in which they were sent."""

    result: list[RecognisedEmbedding]


class ComparedEmbedding(msgspec.Struct, frozen=True):
    """An embedding that was sent, and how similar it is."""

    embedding: list[float]
    similarity: float


class ComparedEmbeddings(msgspec.Struct, frozen=True):
    """The answer of `verify` of embeddings, the most similar first."""

    result: list[ComparedEmbedding]


class Subject(msgspec.Struct, frozen=True):
    """Somebody, by name."""

    subject: str


class Subjects(msgspec.Struct, frozen=True):
    """Everybody, by name."""

    subjects: list[str]


class Updated(msgspec.Struct, frozen=True):
    """Whether there was something to change."""

    updated: bool


class Deleted(msgspec.Struct, frozen=True):
    """How many were deleted."""

    deleted: int


class Example(msgspec.Struct, frozen=True):
    """A saved face, and whose it is."""

    image_id: str
    subject: str


class Examples(msgspec.Struct, frozen=True):
    """A page of the saved faces."""

    faces: list[Example]
    page_number: int
    page_size: int
    total_pages: int
    total_elements: int
