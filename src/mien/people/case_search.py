"""Look for the person of a case among those who are known."""

from __future__ import annotations

from collections.abc import Collection as Container
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.faces import Face
from mien.core.matches import Decision
from mien.errors import InputError
from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store import reading
from mien.gallery.store.audit import now
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.records import Collection, Person, Provenance, StoredFace
from mien.media.images import open_image
from mien.ops.vectors import DISTANCES
from mien.people.cases import Candidate, Case, Comparison, FoundFace, Run, face_picture, year_of
from mien.people.enrolling import SENT, face_crop, photograph_digest
from mien.people.probes import Looked
from mien.people.shortlist import FAR_PLACES, Listed, decide, far_review_distance, gap_years, shortlist

# Who is far down for every single probe may be higher for all together.
_NEAREST = 2 * FAR_PLACES
_SHOWN_FACES = 3


def search_case(
    case: Case, people: Gallery, looked: Sequence[Looked], kept: Container[str]
) -> tuple[Run, dict[str, bytes]]:
    """Compare all probes with everybody who comes near to one of them; noted in the audit log.

    Args:
        case: Whom to look for.
        people: Where.
        looked: What each probe shows.
        kept: Names of pictures that the case has already.

    Returns:
        What is found, and the pictures of it that the case has not: JPEG by name.

    Raises:
        SpaceMismatch: The probes were embedded by another embedder than the people.
        GalleryError: The store cannot be read.
    """
    rule, here = people.rule, people.collection
    # Before anything is searched: who comes meanwhile is a reason to run the case again.
    change = people.store.change
    vectors = np.stack([one.vector for one in looked])
    near = _near(people, vectors, looked[0].space, case.tags)
    with people.store.writing(light=True) as writing:
        known = _known(writing, here, near)
        distance = DISTANCES[rule.metric](vectors, known.vectors) if near else np.zeros((len(looked), 0))
        years = [year_of(probe.taken) for probe in case.probes]
        listed = shortlist(distance, known.owner, years, [year_of(day) for day in known.taken])
        shown = [known.faces[row] for one in listed for row in one.faces[:_SHOWN_FACES]]
        lacking = [face for face in shown if face_picture(face.id) not in kept]
        crops = {face.id: reading.crop(writing, here.id, face.id) for face in lacking}
        ids = [one.person.decode() for one in listed]
        writing.note("saw", here.id, people=ids, faces=len(shown), picture=True)
    cut_out = {face.id: crops[face.id] or _cut_out(face.provenance) for face in lacking}
    pictures = {face_picture(face): picture for face, picture in cut_out.items() if picture}
    sheet = _Sheet(case, rule, known, distance, {*kept, *pictures})
    decisions = decide(listed, rule, people.least_margin)
    run = Run(
        made=now(),
        store=people.store.id,
        change=change,
        space=rule.space,
        metric=rule.metric,
        threshold=rule.distance,
        fmr=rule.fmr,
        source=rule.source,
        review_distance=rule.review_distance,
        far_review_distance=far_review_distance(rule),
        candidates=tuple(
            sheet.candidate(place, one, said)
            for place, (one, said) in enumerate(zip(listed, decisions, strict=True))
        ),
    )
    return run, pictures


def _near(people: Gallery, vectors: NDArray[np.float32], space: str, tags: Sequence[str]) -> list[str]:
    """Identifiers of the people who come nearest to each probe."""
    matches = [people.identify(vectors, space, _NEAREST, tags=tags)]
    if people.choices.policy == "centroid":
        # The mean of faces of many years resembles none of them.
        matches.append(people.search(vectors, space, _NEAREST, tags=tags))
    found = (one.person_id for one in matches if one.person_id is not None)
    return sorted({str(who) for ids in found for who in ids.flat if who})


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """People by identifier; and row by row whose face it is, its template, where it came from, and when."""

    people: dict[str, Person]
    owner: NDArray[np.bytes_]
    vectors: NDArray[np.float32]
    faces: tuple[StoredFace, ...]
    taken: tuple[str, ...]


def _known(snapshot: Snapshot, here: Collection, ids: Sequence[str]) -> _Known:
    found = reading.templates(snapshot, here, person_ids=ids)
    people = {one.id: one for one in reading.people(snapshot, here.id, ids=ids)}
    order = [face.decode() for face in found.face]
    faces = {face.id: face for face in reading.faces(snapshot, here.id, ids=order)}
    rows = tuple(faces[face] for face in order)
    return _Known(
        people,
        found.person,
        found.vectors,
        rows,
        tuple(_taken(face, people[face.person_id]) for face in rows),
    )


def _taken(face: StoredFace, person: Person) -> str:
    """When a face was photographed: as its photograph says, or else what is known about the person."""
    said = face.provenance.taken or str(person.about.metadata.get("year", ""))
    return "" if year_of(said) is None else said


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """What candidates are written down from; distances are `(p, f)`, of probes to faces."""

    case: Case
    rule: DecisionRule
    known: _Known
    distance: NDArray[np.floating[Any]]
    pictures: Container[str]

    def candidate(self, place: int, one: Listed, decision: Decision) -> Candidate:
        person = one.person.decode()
        score = np.array(one.score)
        calibration = self.rule.calibration
        return Candidate(
            rank=place + 1,
            person_id=person,
            person=self.known.people[person].name,
            score=one.score,
            decision=decision,
            log10_evidence=None if calibration is None else float(calibration.log10_likelihood_ratio(score)),
            probability=None if calibration is None else float(calibration.probability(score)),
            margin=one.margin,
            gap_years=one.gap_years,
            far_apart=one.far_apart,
            probes=tuple(self._comparison(probe, int(row)) for probe, row in enumerate(one.nearest)),
            faces=tuple(self._face(int(row)) for row in one.faces[:_SHOWN_FACES]),
        )

    def _comparison(self, probe: int, row: int) -> Comparison:
        return Comparison(
            probe, self.known.faces[row].id, float(self.distance[probe, row]), self._gap(probe, row)
        )

    def _face(self, row: int) -> FoundFace:
        face, probe = self.known.faces[row], int(self.distance[:, row].argmin())
        return FoundFace(
            face_id=face.id,
            probe=probe,
            distance=float(self.distance[probe, row]),
            gap_years=self._gap(probe, row),
            source=face.provenance.source,
            taken=self.known.taken[row],
            picture=face_picture(face.id) in self.pictures,
        )

    def _gap(self, probe: int, row: int) -> int | None:
        return gap_years(year_of(self.case.probes[probe].taken), year_of(self.known.taken[row]))


def _cut_out(provenance: Provenance) -> bytes | None:
    """A picture of an enrolled face out of its photograph, if that is still where and what it was."""
    if not (provenance.source and provenance.box) or provenance.source.startswith(SENT):
        return None
    try:
        image = open_image(provenance.source)
        if photograph_digest(image) != provenance.digest:
            return None
        return face_crop(image, Face(np.array(provenance.box, np.float32), 0.0))
    except InputError:
        return None
