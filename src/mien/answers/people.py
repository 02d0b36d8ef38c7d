"""The shapes of what commands about known people write with `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from mien.answers.pictures import ErrorRow, FailureRow, MatchRow, encodable, error_row, failure_row, match_row
from mien.core.matches import Match, Matches
from mien.core.results import Enrolment
from mien.errors import MienError
from mien.gallery.backups import Restored
from mien.gallery.checking import Checked
from mien.gallery.choices import IndexOverview
from mien.gallery.forgetting import Forgotten
from mien.gallery.overview import Overview
from mien.gallery.portable import Moved
from mien.gallery.rotating import Rotated
from mien.gallery.rule import DecisionRule
from mien.gallery.store.audit import Entry
from mien.gallery.store.records import Person, StoredFace
from mien.people.upgrading import Upgraded


class EnrolRow(msgspec.Struct, frozen=True):
    """What came of enrolling one person."""

    person: str
    person_id: str = ""
    faces: tuple[str, ...] = ()
    repeated: int = 0
    resembles: list[MatchRow] = []  # msgspec copies it
    failures: list[FailureRow] = []
    error: ErrorRow | None = None


class PersonRow(msgspec.Struct, frozen=True):
    """Somebody who is known."""

    id: str
    name: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    consent_note: str
    consent_until: date | None
    faces: int
    created: str
    version: int


class StoredFaceRow(msgspec.Struct, frozen=True):
    """A face that is kept, and where it came from."""

    id: str
    source: str
    digest: str
    box: tuple[float, ...]
    quality: float | None
    packs: tuple[str, ...]
    has_crop: bool
    by_hand: bool
    created: str


class OwnedFaceRow(StoredFaceRow, frozen=True, kw_only=True):
    """A face that is kept, where it came from, and whose it is."""

    person_id: str


class PersonReport(msgspec.Struct, frozen=True):
    """`people show`: somebody with all faces."""

    person: PersonRow
    faces: list[StoredFaceRow]


class SearchReport(msgspec.Struct, frozen=True):
    """`search`: the enrolled faces that are most alike, each with its person."""

    faces: list[MatchRow]
    threshold: float
    fmr: float | None
    metric: str
    space: str


class PersonVerifyRow(msgspec.Struct, frozen=True):
    """`verify --person`: whether a picture shows somebody who is enrolled."""

    verified: bool
    person: str
    person_id: str | None
    similarity: float
    distance: float
    threshold: float
    fmr: float | None
    metric: str
    space: str
    probability: float | None
    source: str


class UpgradeRow(msgspec.Struct, frozen=True):
    """`gallery upgrade`: how many faces have new templates, which are lost, and whether it changed over."""

    faces: int
    lost: list[FailureRow]
    done: bool


SCHEMAS: dict[str, Any] = {
    "enroll": list[EnrolRow],
    "search": SearchReport,
    "verify-person": PersonVerifyRow,
    "people-list": list[PersonRow],
    "people-show": PersonReport,
    "people-forget": Forgotten,
    "people-rename": PersonRow,
    "people-tag": PersonRow,
    "people-describe": PersonRow,
    "people-consent": PersonRow,
    "people-merge": PersonRow,
    "people-move": PersonRow,
    "people-split": PersonRow,
    "gallery-info": Overview,
    "gallery-verify": Checked,
    "gallery-index": IndexOverview,
    "gallery-backup": Checked,
    "gallery-restore": Restored,
    "gallery-export": Moved,
    "gallery-import": Moved,
    "gallery-rotate": Rotated,
    "gallery-sweep": Forgotten,
    "gallery-drop": Forgotten,
    "gallery-upgrade": UpgradeRow,
    "audit-list": list[Entry],
}


def enrol_row(name: str, done: Enrolment | MienError) -> EnrolRow:
    """Translate what came of enrolling somebody."""
    if isinstance(done, MienError):
        return EnrolRow(encodable(name), error=error_row(done))
    return EnrolRow(
        encodable(name),
        done.person_id,
        done.face_ids,
        done.repeated,
        [match_row(match) for match in done.resembles],
        [failure_row(one) for one in done.failures],
    )


def person_verify_row(match: Match, rule: DecisionRule) -> PersonVerifyRow:
    """Translate a comparison with somebody who is enrolled."""
    return PersonVerifyRow(
        match.accepted,
        encodable(match.person),
        match.person_id,
        match.similarity,
        match.distance,
        rule.distance,
        rule.fmr,
        rule.metric,
        rule.space,
        match.probability,
        rule.source,
    )


def search_report(matches: Matches, metric: str) -> SearchReport:
    """Translate the faces that are most alike."""
    rows = [match_row(match) for match in matches[0]]
    return SearchReport(rows, matches.threshold, matches.fmr, metric, matches.space)


def upgrade_row(done: Upgraded) -> UpgradeRow:
    """Translate what came of an upgrade."""
    lost = [failure_row(one) for one in done.lost]
    return UpgradeRow(done.faces, lost, done.done)


def person_row(person: Person) -> PersonRow:
    """Translate somebody."""
    told = person.about
    return PersonRow(
        person.id,
        told.name,
        told.tags,
        told.metadata,
        told.consent_note,
        person.consent_until,
        person.faces,
        person.created,
        person.version,
    )


def owned_face_row(face: StoredFace) -> OwnedFaceRow:
    """Translate a face that is kept, with whose it is."""
    row = stored_face_row(face)
    told = {name: getattr(row, name) for name in row.__struct_fields__}
    return OwnedFaceRow(**told, person_id=face.person_id)


def person_report(person: Person, faces: Sequence[StoredFace]) -> PersonReport:
    """Translate somebody with all faces."""
    return PersonReport(person_row(person), [stored_face_row(face) for face in faces])


def stored_face_row(face: StoredFace) -> StoredFaceRow:
    """Translate a face that is kept."""
    told = face.provenance
    return StoredFaceRow(
        face.id,
        encodable(told.source),
        told.digest,
        told.box,
        told.quality,
        told.packs,
        face.has_crop,
        face.by_hand,
        face.created,
    )
