"""Jobs that enrol people: one person by all photographs, or one for each folder.

Each photograph is enrolled by itself. One whose face was kept and not acknowledged, because the process ended
in between, is known again by its digest.

Results tell of people by name, so they go with whom they tell of. What is told of somebody before anything
of him was enrolled is noted, to be told of him as soon as he is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec

from mien.answers.jobs import EnrolledRow
from mien.answers.people import enrol_row
from mien.answers.pictures import encodable, error_row
from mien.core.analysis import Analysis, Failure
from mien.core.results import Enrolment
from mien.errors import BadRequest, InferenceError, InputError, MienError, PersonUnknown
from mien.gallery.store import reading
from mien.gallery.store.records import about
from mien.jobs.naming import ids_of, nameless, with_names
from mien.jobs.photographs import Photograph
from mien.jobs.task import Result, Step, Steps, Task
from mien.kit import Mien
from mien.people.enrolling import Keeping, Told, enroll
from mien.pipeline.choosing import Choice
from mien.settings import Gate


class Enrolling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to enrol, and what is told of him, or of everybody; without a person, folders name people.

    Which face of a photograph, how good it has to be, and whether a small picture of it is kept, are as the
    settings say if they are not given.
    """

    person: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}  # msgspec copies it
    consent_note: str = ""
    consent_until: date | None = None
    face: Choice = "only"
    gate: Gate | None = None
    keep_picture: bool | None = None


def prepare(kit: Mien, options: Enrolling) -> Enrolling:
    """Refuse at once what nobody could be enrolled by. Raises BadRequest, PackError."""
    about(options.person, options.tags, options.metadata, options.consent_note)
    kit.stages_for(_keeping(kit, options).columns)
    return options


def enrol(task: Task) -> Steps:
    """Enrol by all photographs."""
    work = _Work(task)
    for portion in task.portions(work.keeping.columns):
        first = task.job.results + 1
        results: list[Result] = []
        for photograph, found in portion:
            results.append(work.result(photograph, found, first + len(results)))
        yield Step(tuple(results), len(results), work.summary, work.carried, work.told_since())


def failed(photograph: Photograph, error: MienError) -> Result:
    """What is said of a photograph that could not be looked at."""
    return Result(EnrolledRow("", source=_last(photograph), error=error_row(error)), failed=True)


def named(row: EnrolledRow, names: Mapping[str, str]) -> EnrolledRow:
    """A kept result with names, by identifier, of the people who are there now."""
    who = names.get(row.person_id, row.person)
    return msgspec.structs.replace(row, person=who, resembles=with_names(row.resembles, names))


def people_of(row: EnrolledRow) -> set[str]:
    """Identifiers of the people whom a kept result tells of."""
    return ids_of(row.resembles) | ({row.person_id} if row.person_id else set())


class _Work:
    """Whom the job knows by now, and what of it has to be carried over to another process."""

    def __init__(self, task: Task) -> None:
        self._options = msgspec.convert(task.job.options, Enrolling)
        self._gallery = task.gallery()
        self.keeping = _keeping(task.kit, self._options)
        self._ids: dict[str, str] = dict(task.job.carried.get("ids", {}))
        # Results that tell of somebody who is not known yet.
        self._early: dict[str, list[int]] = dict(task.job.carried.get("early", {}))
        self._counts = Counter(task.job.summary)
        self._told: dict[int, str] = {}

    @property
    def summary(self) -> dict[str, int]:
        """In numbers."""
        return {"faces": 0, "repeated": 0, **self._counts, "people": len(set(self._ids.values()))}

    @property
    def carried(self) -> dict[str, Any]:
        """Names of people, with identifiers, and results that wait for one."""
        return {"ids": self._ids, "early": self._early}

    def told_since(self) -> dict[int, str]:
        """Of whom earlier results tell, as came out since this was asked last."""
        told, self._told = self._told, {}
        return told

    def result(self, photograph: Photograph, found: Analysis | Failure, number: int) -> Result:
        """Enrol by a photograph, and say what came of it as the result of this number."""
        name = (self._options.person or photograph.person).strip()
        try:
            return self._enrolled(name, photograph, found)
        except (InputError, InferenceError) as error:
            who = self._known(name)
            if who is None and name:
                self._early.setdefault(name, []).append(number)
            row = EnrolledRow(encodable(name), who or "", source=_last(photograph), error=error_row(error))
            return Result(row, failed=True, person_id=who)
        except PersonUnknown as error:
            return failed(photograph, error)

    def _enrolled(self, name: str, photograph: Photograph, found: Analysis | Failure) -> Result:
        if not name:
            raise BadRequest(
                "Nobody is named whom this photograph shows.", hint="Name a person, or send it as Ada/1.jpg."
            )
        before = self._ids.get(name)
        if before is not None and self._known(name) != before:
            raise _gone()
        given = self._options
        told = Told(name, given.tags, given.metadata, given.consent_note, given.consent_until)
        done = enroll(self._gallery, told, [found], self.keeping, self._gallery.rule.space)
        if before is not None and done.person_id != before:
            self._take_back(done)
            raise _gone()
        self._counts.update(faces=done.faces, repeated=done.repeated)
        self._ids[name] = done.person_id
        self._told |= dict.fromkeys(self._early.pop(name, []), done.person_id)
        row = enrol_row(name, done)
        kept = EnrolledRow(
            row.person,
            row.person_id,
            row.faces,
            row.repeated,
            nameless(row.resembles),
            source=_last(photograph),
        )
        return Result(kept, person_id=done.person_id)

    def _take_back(self, done: Enrolment) -> None:
        """Somebody was forgotten in the moment before this: nobody new of that name must come of it."""
        if done.face_ids:
            self._gallery.drop_faces(done.face_ids)
        if not self._gallery.person(done.person_id).faces:
            self._gallery.forget(done.person_id)

    def _known(self, name: str) -> str | None:
        with self._gallery.store.reading() as snapshot:
            return reading.named(snapshot, self._gallery.collection.id, [name]).get(name)


def _gone() -> PersonUnknown:
    return PersonUnknown("This person was forgotten, or made one with another, while the job ran.")


def _keeping(kit: Mien, options: Enrolling) -> Keeping:
    usual = kit.keeping(options.face, options.gate)
    return usual if options.keep_picture is None else replace(usual, crops=options.keep_picture)


def _last(photograph: Photograph) -> str:
    """Its name without folders, which may name whom it shows."""
    return photograph.name.rpartition("/")[2]
