"""What a case of a missing person holds: whom to look for, what was found last, what was said about it."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

import msgspec

from mien.core.matches import Decision
from mien.errors import BadRequest
from mien.pipeline.choosing import Choice

FORMAT = 1
Says = Literal["yes", "no", "unsure"]
TakenBy = Literal["", "user", "photograph"]
SAYS: tuple[Says, ...] = ("yes", "no", "unsure")

_TITLE_CHARACTERS = 200
_NOTE_CHARACTERS = 10_000
_YEAR = re.compile(r"[0-9]{4}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A photograph of the person who is looked for.

    Attributes:
        photograph: Its path; relative to the case if it lies in its folder.
        digest: SHA-256 of the file, hexadecimal.
        face: Which face of it.
        taken: Year or day, ISO 8601; empty if unknown.
        taken_by: Who says so: the `user`, or the `photograph`.
    """

    photograph: str
    digest: str
    face: Choice = "only"
    taken: str = ""
    taken_by: TakenBy = ""


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One probe and the face of a candidate that is nearest to it.

    Attributes:
        probe: Its number, from 0.
        face_id: The face.
        distance: In the embedder's metric.
        gap_years: Between the two photographs; None if one is undated.
    """

    probe: int
    face_id: str
    distance: float
    gap_years: int | None


class FoundFace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the nearest faces of a candidate.

    Attributes:
        face_id: Its identifier.
        probe: Number of the probe it is nearest to.
        distance: To that probe.
        gap_years: To that probe; None if one is undated.
        source: Path of its photograph, as it was enrolled.
        taken: Year or day of the photograph; empty if unknown.
        picture: Whether there is a picture of it in the case.
    """

    face_id: str
    probe: int
    distance: float
    gap_years: int | None
    source: str
    taken: str
    picture: bool


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who may be the person who is looked for.

    Attributes:
        rank: From 1.
        person_id: Identifier in the gallery.
        person: The name.
        score: Mean over the probes of the distance of the nearest face; less is more alike.
        decision: `known` within the threshold, `uncertain`, `unknown`.
        log10_evidence: Of the likelihood ratio of one person to two at this score; None without calibration.
        probability: That it is this person, if that and a stranger were equally probable before; None without
            calibration.
        margin: How much further the next candidate is; None of the last.
        gap_years: The smallest between a probe and the face that is nearest to it; None if none is known.
        far_apart: Whether that gap is large, or unknown.
        probes: One for each probe.
        faces: The nearest ones, the nearest first.
    """

    rank: int
    person_id: str
    person: str
    score: float
    decision: Decision
    log10_evidence: float | None
    probability: float | None
    margin: float | None
    gap_years: int | None
    far_apart: bool
    probes: tuple[Comparison, ...]
    faces: tuple[FoundFace, ...]


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found when the case was run last.

    Attributes:
        made: When, ISO 8601, UTC.
        store: Identifier of the store.
        change: Number of its last change then.
        space: Embedding space.
        metric: What distance means in it.
        threshold: Largest distance of one person.
        fmr: False-match rate of one comparison there; None if nobody measured it.
        source: Who says so: the embedder's `manifest`, or a `calibration`.
        review_distance: Up to here a candidate is uncertain; None: there is no such band.
        far_review_distance: The same for candidates whose photographs are far apart in time.
        candidates: Best first.
    """

    made: str
    store: str
    change: int
    space: str
    metric: str
    threshold: float
    fmr: float | None
    source: str
    review_distance: float | None
    far_review_distance: float | None
    candidates: tuple[Candidate, ...]


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person who looked at a candidate said.

    Attributes:
        says: Whether it is the person who is looked for.
        made: When, ISO 8601, UTC.
        note: Anything else.
    """

    says: Says
    made: str
    note: str = ""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case.

    Attributes:
        format: Version of this format.
        title: What it is called.
        notes: Anything else.
        created: ISO 8601, UTC.
        collection: Where the person is looked for.
        tags: Only among people who have all of these.
        probes: Photographs of the person.
        run: What was found last; None before the first run.
        reviews: By identifier of the person.
    """

    format: int
    title: str
    notes: str
    created: str
    collection: str
    tags: tuple[str, ...]
    probes: tuple[Probe, ...]
    run: Run | None = None
    reviews: dict[str, Review] = {}  # msgspec copies it

    def __repr__(self) -> str:
        """Who is looked for is nobody's business in a log."""
        return f"Case({len(self.probes)} probes, {len(self.reviews)} reviews)"


def check_told(title: str, notes: str) -> None:
    """Raise BadRequest if what is told of a case is too long."""
    if len(title) > _TITLE_CHARACTERS or len(notes) > _NOTE_CHARACTERS:
        raise BadRequest(f"A title has at most {_TITLE_CHARACTERS} characters, notes {_NOTE_CHARACTERS:,}.")


def check_note(note: str) -> None:
    """Raise BadRequest if what is noted about a candidate is too long."""
    if len(note) > _NOTE_CHARACTERS:
        raise BadRequest(f"A note has at most {_NOTE_CHARACTERS:,} characters.")


def year_of(taken: object) -> int | None:
    """The year of a day or year as cases and provenances have it; None if it is neither."""
    text = str(taken)
    if _YEAR.fullmatch(text):
        text = f"{text}-01-01"
    try:
        return date.fromisoformat(text).year if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def probe_picture(number: int) -> str:
    """Name of the picture of a probe, by its number from 0."""
    return f"probe-{number + 1}.jpg"


def face_picture(face_id: str) -> str:
    """Name of the picture of an enrolled face."""
    return f"{face_id}.jpg"


def picture_names(case: Case) -> tuple[str, ...]:
    """Names of all pictures that a case shows."""
    found = case.run.candidates if case.run else ()
    faces = (face_picture(face.face_id) for one in found for face in one.faces if face.picture)
    return (*(probe_picture(i) for i in range(len(case.probes))), *faces)
