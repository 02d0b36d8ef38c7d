"""The results of jobs: kept without names that may be looked up, and given with those of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from mien.answers.pictures import encodable
from mien.errors import PersonUnknown
from mien.gallery.store import attachments, reading
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.store import Store, Writing
from mien.jobs.job import KeptJob
from mien.jobs.kinds import kind_of
from mien.jobs.task import Result

_RESULT = "result-"


@dataclass(frozen=True, slots=True)
class Given:
    """A result that was kept.

    Attributes:
        place: Sorts as results came.
        row: As it is answered.
    """

    place: int
    row: msgspec.Struct = field(repr=False)


def keep_result(writing: Writing, job_id: str, number: int, result: Result) -> None:
    """Attach a result, by its number from 1; nothing, if whom it tells of was forgotten meanwhile."""
    content = msgspec.json.encode(result.row)
    try:
        attachments.attach(writing, job_id, _name(number), content, person_id=result.person_id)
    except PersonUnknown:
        return


def tell_of(writing: Writing, job_id: str, told: Mapping[int, str]) -> None:
    """Note whom results that were kept before tell of, so that they go with him."""
    for number, person in told.items():
        found = attachments.read(writing, job_id, _name(number))
        if found is None:
            continue
        try:
            attachments.attach(writing, job_id, found.name, found.content, person_id=person)
        except PersonUnknown:
            attachments.detach(writing, job_id, [found.name])


def results(store: Store, kept: KeptJob, *, after: int = 0, limit: int = 100) -> tuple[Given, ...]:
    """Results of a job in the order in which they came; noted if they tell of people.

    Args:
        store: Where the job is kept.
        kept: The job.
        after: `Given.place` of the last result of the part before.
        limit: At most so many.
    """
    kind = kind_of(kept.job.kind)
    if kind.names is None or kept.collection_id is None:
        with store.reading() as snapshot:
            return _rows(snapshot, kept, after, limit)
    with store.writing(light=True) as writing:
        found = _rows(writing, kept, after, limit)
        asked = sorted({one for given in found for one in kind.names.people_of(given.row)})
        people = reading.people(writing, kept.collection_id, ids=asked) if asked else ()
        if people:
            writing.note("saw", kept.collection_id, people=[one.id for one in people], job=kept.id)
    names = {one.id: encodable(one.name) for one in people}
    return tuple(Given(one.place, kind.names.named(one.row, names)) for one in found)


def _rows(snapshot: Snapshot, kept: KeptJob, after: int, limit: int) -> tuple[Given, ...]:
    kind = kind_of(kept.job.kind)
    found = attachments.page(snapshot, kept.id, beginning=_RESULT, after=after, limit=limit)
    return tuple(Given(one.seq, msgspec.json.decode(one.content, type=kind.row)) for one in found)


def _name(number: int) -> str:
    return f"{_RESULT}{number:06}"
