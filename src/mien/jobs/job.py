"""What a job is, as the store keeps it.

A job is a document of the store (`mien.gallery.store.documents`). The photographs that were sent for it and
its results are attached to it; photographs go as they are worked on, the job with its results a week after
it has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from mien.answers.jobs import JobRow
from mien.answers.pictures import ErrorRow
from mien.gallery.store import attachments, documents
from mien.gallery.store.audit import now
from mien.gallery.store.documents import Document
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.store import Writing
from mien.jobs.photographs import LISTING, PHOTO

KIND = "job"
State: TypeAlias = Literal["waiting", "queued", "running", "done", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("waiting", "queued", "running")
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
# There is nothing in it any more, and nobody sees it; soon it is wiped, with others.
DELETED = "deleted"


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a job says, sealed.

    Attributes:
        kind: What is done; see `mien.jobs.kinds`.
        collection: Name of the collection it is about; None: it is about none.
        options: What was wished, as builtins; empty once the job has ended.
        listed: Whether the photographs lie in a folder of this machine, rather than in the store.
        total: How many photographs there are.
        size_bytes: Of all photographs that were sent.
        done: How many were worked on, the failed ones too.
        failed: How many of these failed.
        results: How many results there were; some may have gone with a person who was forgotten.
        started: When it was begun, ISO 8601, UTC.
        finished: When it ended.
        error: Why it failed.
        summary: What came of it so far, in numbers.
        carried: What its kind has to know if another process goes on; empty once the job has ended.
        holder: Who works on it: a word that is new each time that somebody begins.
        tries: How often somebody has begun since something was acknowledged.
        cancelling: Whether it is to end as soon as somebody can.
    """

    kind: str
    collection: str | None = None
    options: dict[str, Any] = {}  # msgspec copies it, here and below
    listed: bool = False
    total: int = 0
    size_bytes: int = 0
    done: int = 0
    failed: int = 0
    results: int = 0
    started: str | None = None
    finished: str | None = None
    error: ErrorRow | None = None
    summary: dict[str, int] = {}
    carried: dict[str, Any] = {}
    holder: str = ""
    tries: int = 0
    cancelling: bool = False

    def __repr__(self) -> str:
        """What is wished may name people."""
        return f"Job({self.kind!r}, {self.done} of {self.total})"


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job as it is kept.

    Attributes:
        id: Its identifier; sorts by the time it was made.
        owner: Who made it, as the audit log calls him.
        state: How far it is.
        collection_id: Whose people it is about; None: nobody's.
        created: ISO 8601, UTC.
        job: What it says.
    """

    id: str
    owner: str
    state: State
    collection_id: str | None
    created: str
    job: Job = field(repr=False)


def kept_job(document: Document) -> KeptJob:
    """The job that a document is."""
    return KeptJob(
        document.id,
        document.owner,
        document.state,  # type: ignore[arg-type]  # only this room writes it
        document.collection_id,
        document.created,
        msgspec.json.decode(document.value, type=Job),
    )


def find(snapshot: Snapshot, job_id: str) -> KeptJob | None:
    """A job by identifier; None if there is none."""
    document = documents.read(snapshot, KIND, job_id)
    return None if document is None or document.state == DELETED else kept_job(document)


def save(writing: Writing, job_id: str, job: Job, state: State | None = None) -> KeptJob:
    """Keep a job as it is now. Raises VersionStale if it was deleted."""
    return kept_job(documents.change(writing, job_id, value=msgspec.json.encode(job), state=state))


def end(writing: Writing, job_id: str, job: Job, state: State, error: ErrorRow | None = None) -> KeptJob:
    """Keep that a job has ended; what nobody needs any more is deleted: photographs, and what was wished."""
    for beginning in (PHOTO, LISTING):
        left = attachments.names(writing, job_id, beginning=beginning)
        attachments.detach(writing, job_id, left)
    ended = msgspec.structs.replace(job, options={}, carried={}, holder="", finished=now(), error=error)
    return save(writing, job_id, ended, state)


def empty(writing: Writing, kept: KeptJob) -> None:
    """Delete all that a job holds and says; nobody sees it any more."""
    attachments.detach(writing, kept.id, attachments.names(writing, kept.id))
    documents.change(writing, kept.id, value=msgspec.json.encode(Job(kept.job.kind)), state=DELETED)


def job_row(kept: KeptJob) -> JobRow:
    """Translate a job."""
    job = kept.job
    return JobRow(
        kept.id,
        job.kind,
        job.collection,
        kept.state,
        kept.owner,
        job.done,
        job.failed,
        job.total,
        kept.created,
        job.started,
        job.finished,
        job.error,
        job.summary or None,
    )
