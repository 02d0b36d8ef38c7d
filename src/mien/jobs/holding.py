"""What a process that works on a job tells the store; others see from it who works on what.

A job is held by a word that is new each time that somebody begins it. Whoever finds another word there, or no
job, has lost it and stops. A job of which nothing was heard for half a minute is anybody's: its process has
ended. On PostgreSQL, clocks of different machines are compared for this; the word keeps the results right
whatever they say.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from mien.access.grants import caller_of
from mien.answers.pictures import ErrorRow
from mien.errors import Forbidden
from mien.gallery.store import api_keys, attachments, documents
from mien.gallery.store.audit import now, written
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.store import Store
from mien.jobs.job import DELETED, ENDED, KIND, KeptJob, State, end, find, kept_job, save
from mien.jobs.kinds import kind_of
from mien.jobs.photographs import attachment_name
from mien.jobs.results import keep_result, tell_of
from mien.jobs.task import Step

SILENT_S = 30.0
KEPT_DAYS = 7
_MOST = 1_000


class Lost(Exception):
    """The job was deleted, or somebody else works on it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A job that this process works on.

    Attributes:
        id: Which.
        owner: Who made it.
        word: By which it is held.
    """

    id: str
    owner: str
    word: str


def claim(store: Store, silent_s: float = SILENT_S) -> tuple[Hold, KeptJob] | None:
    """Take the oldest job that nobody works on; None if there is none.

    Args:
        store: Where jobs are kept.
        silent_s: How long nothing was heard of a job whose process has ended.
    """
    silent_since = written(datetime.now(UTC) - timedelta(seconds=silent_s))
    with store.reading() as snapshot:  # who only looks keeps nobody from writing
        if not _is_any(snapshot, silent_since):
            return None
    with store.writing(counted=False) as writing:
        running, queued = "running", "queued"
        found = documents.claim(
            writing, KIND, was=running, state=running, unchanged_since=silent_since
        ) or documents.claim(writing, KIND, was=queued, state=running)
        if found is None:
            return None
        hold = Hold(found.id, found.owner, secrets.token_hex(8))
        job = kept_job(found).job
        job = msgspec.structs.replace(
            job, holder=hold.word, tries=job.tries + 1, started=job.started or now()
        )
        return hold, save(writing, hold.id, job)


def check_owner(store: Store, kept: KeptJob) -> None:
    """Refuse to work for a key that was revoked, or that may no more do what the job does.

    What was ordered while a key was good is done even if the key has expired since.

    Raises:
        Forbidden: It is such a key.
    """
    key_id = kept.owner.removeprefix("key:")
    if key_id == kept.owner:
        return  # no key was needed, or somebody at this machine made it
    with store.reading() as snapshot:
        found = api_keys.find(snapshot, key_id)
    if found is None or found[0].revoked is not None:
        raise Forbidden("The key that made this job was revoked.")
    caller = caller_of(found[0])
    caller.demand(kind_of(kept.job.kind).needs)
    if kept.job.collection is not None:
        caller.demand_collection(kept.job.collection)


def acknowledge(store: Store, hold: Hold, step: Step) -> KeptJob:
    """Keep what a step gave and how far it came; the photographs it is done with are deleted.

    Raises:
        Lost: It is not this process's any more; nothing is kept.
    """
    with store.writing(counted=False) as writing:
        job = held(writing, hold).job
        for number, result in enumerate(step.results, job.results + 1):
            keep_result(writing, hold.id, number, result)
        tell_of(writing, hold.id, step.told)
        if not job.listed:
            numbers = range(job.done + 1, job.done + step.photographs + 1)
            attachments.detach(writing, hold.id, [attachment_name(number) for number in numbers])
        done = msgspec.structs.replace(
            job,
            done=job.done + step.photographs,
            failed=job.failed + sum(result.failed for result in step.results),
            results=job.results + len(step.results),
            summary=job.summary if step.summary is None else dict(step.summary),
            carried=job.carried if step.carried is None else dict(step.carried),
            tries=0,
        )
        return save(writing, hold.id, done)


def finish(store: Store, hold: Hold, state: State, error: ErrorRow | None = None) -> None:
    """Keep that a job has ended. Raises Lost."""
    with store.writing(counted=False) as writing:
        end(writing, hold.id, held(writing, hold).job, state, error)
        writing.note(f"job {state}", job=hold.id)


def give_back(store: Store, hold: Hold) -> None:
    """Let others go on with a job at once. Raises Lost."""
    with store.writing(counted=False) as writing:
        job = held(writing, hold).job
        save(writing, hold.id, msgspec.structs.replace(job, holder="", tries=0), "queued")


def beat(store: Store, hold: Hold) -> None:
    """Tell that the job is being worked on. Raises Lost."""
    with store.writing(light=True) as writing:
        held(writing, hold)
        documents.change(writing, hold.id)


def held(snapshot: Snapshot, hold: Hold) -> KeptJob:
    """The job that is held, as it is now. Raises Lost."""
    found = find(snapshot, hold.id)
    if found is None or found.state != "running" or found.job.holder != hold.word:
        raise Lost(hold.id)
    return found


def old_jobs(store: Store) -> tuple[str, ...]:
    """Jobs that ended long ago, or were long ago left without being started."""
    before = written(datetime.now(UTC) - timedelta(days=KEPT_DAYS))
    with store.reading() as snapshot:
        found = documents.listed(snapshot, KIND, states=(*ENDED, "waiting"), limit=_MOST)
    return tuple(one.id for one in found if one.changed < before)


def deleted_jobs(store: Store) -> tuple[str, ...]:
    """Jobs that somebody has deleted, and whose traces were not wiped."""
    with store.reading() as snapshot:
        return tuple(one.id for one in documents.listed(snapshot, KIND, states=(DELETED,), limit=_MOST))


def _is_any(snapshot: Snapshot, silent_since: str) -> bool:
    if documents.count(snapshot, KIND, ("queued",)):
        return True
    running = documents.listed(snapshot, KIND, states=("running",), limit=_MOST)
    return any(one.changed < silent_since for one in running)
