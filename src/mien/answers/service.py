"""What the server answers besides what the command line does: about itself, its lists and its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from mien.answers.pictures import WhoRow

T = TypeVar("T")
# Whether a server answers, or why not.
State: TypeAlias = Literal["ready", "starting", "stopping", "without networks"]


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong: a code that never changes, what happened, what to do, and more for programs."""

    code: str
    message: str
    hint: str = ""
    details: dict[str, Any] | None = None


class ErrorAnswer(msgspec.Struct, frozen=True):
    """Every error of the server."""

    error: ErrorBody
    request_id: str


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list; `next` is given back as `cursor` for the next part, null at the end."""

    items: Sequence[T]
    next: str | None = None


class AliveRow(msgspec.Struct, frozen=True):
    """Whether the server runs, and whether it answers yet, or still, or lacks the networks to do so."""

    status: Literal["live"] | State


class MeRow(msgspec.Struct, frozen=True):
    """Who asks: the key, and what it may do. `open` says that the server needs no key."""

    key: str | None
    name: str
    scopes: list[str]
    collections: list[str] | None
    open: bool


class DecisionRow(msgspec.Struct, frozen=True):
    """By which distance two faces count as one person, and who says so."""

    space: str
    metric: str
    distance: float
    fmr: float | None
    review_distance: float | None
    source: str


class QueueRow(msgspec.Struct, frozen=True):
    """Photographs that are in work or wait, and how many may."""

    waiting: int
    capacity: int


class EndRow(msgspec.Struct, frozen=True):
    """That the audit log is whole, how many entries it has, and its end, to be noted elsewhere."""

    entries: int
    end: str


class LimitsRow(msgspec.Struct, frozen=True):
    """What a request may hold."""

    max_body_bytes: int
    max_pixels: int
    max_photographs: int
    timeout_s: float


class StoreRow(msgspec.Struct, frozen=True):
    """What the store holds, in numbers; without its address for those who do not administer it."""

    name: str
    collections: int
    people: int
    faces: int


class SystemRow(msgspec.Struct, frozen=True):
    """What runs here."""

    version: str
    python: str
    onnxruntime: str
    machine: str
    device: str
    uptime_s: float
    workers: int
    columns: dict[str, str]
    available: list[str]
    decision: DecisionRow | None
    queue: QueueRow
    limits: LimitsRow
    networks: dict[str, list[str]]
    store: StoreRow | None = None
    thresholds: dict[str, float] = {}  # msgspec copies it


class PackRow(msgspec.Struct, frozen=True):
    """A pack, whether it is installed, and what it is used for here."""

    name: str
    version: str
    summary: str
    state: str
    gives: list[str]
    licence: str
    commercial: bool
    chosen_for: list[str]


class LiveFaceRow(msgspec.Struct, frozen=True):
    """Whether a face is live: the probability, and what it says at the threshold."""

    box: list[float]
    score: float
    live: float
    decision: Literal["live", "spoof"]


class LivenessRow(msgspec.Struct, frozen=True):
    """The answer of `liveness`."""

    source: str
    size_wh: tuple[int, int]
    threshold: float
    faces: list[LiveFaceRow]


class EmbeddedFaceRow(msgspec.Struct, frozen=True):
    """A face with its template, which is biometric data."""

    box: list[float]
    score: float
    embedding: list[float]


class EmbeddingsRow(msgspec.Struct, frozen=True):
    """The answer of `embeddings`; templates compare only within one space."""

    source: str
    size_wh: tuple[int, int]
    space: str
    faces: list[EmbeddedFaceRow]


class RecognisedRow(msgspec.Struct, frozen=True):
    """The answer of `identify`: who is in a picture, and by which rule."""

    source: str
    size_wh: tuple[int, int]
    people: list[WhoRow]
    threshold: float
    fmr: float | None
    metric: str
    space: str
    rule: str
