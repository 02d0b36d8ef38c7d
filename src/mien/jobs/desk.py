"""Where jobs are ordered, watched and cancelled, by those who may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from mien.access.grants import Caller
from mien.errors import BadRequest, BodyTooLarge, Forbidden, JobRefused, JobUnknown
from mien.gallery.store import documents, reading
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.store import Store, Writing
from mien.jobs.folders import listed
from mien.jobs.job import ENDED, KIND, OPEN, Job, KeptJob, empty, end, find, kept_job, save
from mien.jobs.kinds import kind_of, wished
from mien.jobs.photographs import Listed, Sent, keep_listing, keep_sent
from mien.kit import Mien

MOST_PHOTOGRAPHS = 20_000
MOST_BYTES = 2 * 1024**3
# Of one owner, that have not ended.
MOST_OPEN = 100
MOST_OPEN_BYTES = 4 * MOST_BYTES


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that somebody orders.

    Attributes:
        kind: What is to be done; see `mien.jobs.kinds`.
        collection: Name of the collection it is about, if it is of such a kind.
        options: What is wished; see the kind.
        folder: Folder of this machine to read photographs from; None: they are sent.
    """

    kind: str
    collection: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    folder: Path | None = field(default=None, repr=False)


def order(kit: Mien, caller: Caller, wanted: Wanted, sent: Sequence[Sent], *, start: bool) -> KeptJob:
    """Make a job; what it holds is on the disk when this returns.

    Args:
        kit: Networks and people.
        caller: Who orders it.
        wanted: What.
        sent: Photographs; more may be added until it is started.
        start: Whether it is started at once.

    Raises:
        Forbidden: He may not.
        BadRequest: It makes no sense.
        CollectionUnknown: There is no such collection.
        SpaceMismatch: The collection is of another embedder.
        JobRefused: He has too many jobs that have not ended, or too much in them, or there is nothing to
            start with.
        BodyTooLarge: There are too many photographs.
    """
    kind = kind_of(wanted.kind)
    caller.demand(kind.needs)
    if kind.collection != (wanted.collection is not None):
        needed = "needs a" if kind.collection else "takes no"
        raise BadRequest(f"A job of the kind {wanted.kind} {needed} collection.")
    collection_id = _collection(kit, caller, wanted.collection)
    job = Job(wanted.kind, wanted.collection, wished(kit, wanted.kind, wanted.options))
    listing: tuple[Listed, ...] = ()
    if wanted.folder is not None:
        if not _administers(caller, None):
            raise Forbidden("Only a key that administers the server names folders of it.")
        if sent:
            raise BadRequest("Photographs are sent or lie in a folder, not both.")
        listing = listed(wanted.folder, kit.settings.server.folders, MOST_PHOTOGRAPHS)
        job = msgspec.structs.replace(job, listed=True, total=len(listing))
    store = kit.store()
    with store.writing(counted=False) as writing:
        if documents.count(writing, KIND, OPEN, owner=caller.actor) >= MOST_OPEN:
            raise JobRefused(f"{MOST_OPEN} jobs have not ended.", hint="Wait for some, or delete them.")
        value = msgspec.json.encode(job)
        made = documents.make(
            writing, KIND, value, owner=caller.actor, state="waiting", collection_id=collection_id
        )
        writing.note("made job", collection_id, job=made.id, kind=job.kind)
        if listing:
            keep_listing(writing, made.id, listing)
        kept = _with(writing, kept_job(made), sent)
        return _started(writing, kept) if start else kept


def add(store: Store, caller: Caller, job_id: str, sent: Sequence[Sent]) -> KeptJob:
    """Add photographs to a job that was not started; they are on the disk when this returns.

    Raises:
        JobUnknown: There is no such job, or it is not his.
        JobRefused: It was started, its photographs lie in a folder, or his jobs hold too much.
        BodyTooLarge: There would be too many.
    """
    with store.writing(counted=False) as writing:
        kept = _seen(writing, caller, job_id)
        if kept.state != "waiting" or kept.job.listed:
            raise JobRefused(f"A job that is {kept.state} takes no more photographs.")
        return _with(writing, kept, sent)


def start(store: Store, caller: Caller, job_id: str) -> KeptJob:
    """Start a job; nothing happens if it was started already.

    Raises:
        JobUnknown: There is no such job, or it is not his.
        JobRefused: It has no photographs, or was cancelled before it was started.
    """
    with store.writing(counted=False) as writing:
        kept = _seen(writing, caller, job_id)
        if kept.state == "cancelled":
            raise JobRefused("The job was cancelled.")
        return _started(writing, kept) if kept.state == "waiting" else kept


def cancel(store: Store, caller: Caller, job_id: str) -> KeptJob:
    """Cancel a job; what runs ends after the photographs that are being looked at, and results stay.

    Raises:
        JobUnknown: There is no such job, or it is not his.
        JobRefused: It has ended in another way.
    """
    with store.writing(counted=False) as writing:
        kept = _seen(writing, caller, job_id)
        if kept.state == "cancelled":
            return kept
        if kept.state in ENDED:
            raise JobRefused(f"The job is {kept.state}: there is nothing to cancel.")
        writing.note("cancelled job", kept.collection_id, job=kept.id)
        if kept.state == "running":
            return save(writing, kept.id, msgspec.structs.replace(kept.job, cancelling=True))
        return end(writing, kept.id, kept.job, "cancelled")


def delete(store: Store, caller: Caller, job_id: str) -> None:
    """Delete a job with its results for good; what runs ends, and what it enrolled stays.

    Its traces in files and backups are wiped within minutes, together with those of others
    (`mien.jobs.runner`): that takes as long as writing the whole store, and anybody may delete jobs.

    Raises:
        JobUnknown: There is no such job, or it is not his.
    """
    with store.writing(counted=False) as writing:
        kept = _seen(writing, caller, job_id)
        empty(writing, kept)
        writing.note("deleted job", kept.collection_id, job=kept.id)


def look_up(store: Store, caller: Caller, job_id: str) -> KeptJob:
    """A job as it is now. Raises JobUnknown."""
    with store.reading() as snapshot:
        return _seen(snapshot, caller, job_id)


def jobs(store: Store, caller: Caller, *, after: str | None = None, limit: int = 100) -> tuple[KeptJob, ...]:
    """Jobs of somebody, or of everybody to those who may do everything, the newest first.

    Args:
        store: Where jobs are kept.
        caller: Who asks.
        after: Identifier of the last job of the page before.
        limit: At most so many.
    """
    owner = None if caller.may("admin") else caller.actor
    found: list[KeptJob] = []
    with store.reading() as snapshot:
        while len(found) < limit:
            part = documents.listed(
                snapshot,
                KIND,
                owner=owner,
                states=(*OPEN, *ENDED),
                after=after,
                newest_first=True,
                limit=limit,
            )
            found += [kept for kept in map(kept_job, part) if _may_see(caller, kept)]
            if len(part) < limit:
                break
            after = part[-1].id
    return tuple(found[:limit])


def _collection(kit: Mien, caller: Caller, name: str | None) -> str | None:
    if name is None:
        return None
    caller.demand_collection(name)
    with kit.store().reading() as snapshot:  # the kit would make it
        reading.collection_named(snapshot, name)
    return kit.gallery(name).collection.id


def _with(writing: Writing, kept: KeptJob, sent: Sequence[Sent]) -> KeptJob:
    if not sent:
        return kept
    total = kept.job.total + len(sent)
    size_bytes = kept.job.size_bytes + sum(len(one.content) for one in sent)
    if total > MOST_PHOTOGRAPHS or size_bytes > MOST_BYTES:
        raise BodyTooLarge(
            f"A job takes {MOST_PHOTOGRAPHS:,} photographs and {MOST_BYTES >> 20:,} MiB at most.",
            hint="Make several jobs.",
        )
    held = documents.listed(writing, KIND, owner=kept.owner, states=OPEN, limit=MOST_OPEN)
    others_bytes = sum(kept_job(one).job.size_bytes for one in held if one.id != kept.id)
    if size_bytes + others_bytes > MOST_OPEN_BYTES:
        raise JobRefused(
            f"Jobs that have not ended hold {MOST_OPEN_BYTES >> 20:,} MiB at most.",
            hint="Wait for some, or delete them.",
        )
    for number, one in enumerate(sent, kept.job.total + 1):
        keep_sent(writing, kept.id, number, one)
    return save(writing, kept.id, msgspec.structs.replace(kept.job, total=total, size_bytes=size_bytes))


def _started(writing: Writing, kept: KeptJob) -> KeptJob:
    if not kept.job.total:
        raise JobRefused("The job has no photographs.", hint="Send some, or name a folder.")
    return save(writing, kept.id, kept.job, "queued")


def _seen(snapshot: Snapshot, caller: Caller, job_id: str) -> KeptJob:
    kept = find(snapshot, job_id)
    if kept is None or not _may_see(caller, kept):
        raise JobUnknown("There is no such job.", hint="Yours: GET /v1/jobs")
    return kept


def _may_see(caller: Caller, kept: KeptJob) -> bool:
    """His own; or anybody's, if he may do everything with the collection, or with all of them."""
    collection = kept.job.collection
    if kept.owner != caller.actor and not _administers(caller, collection):
        return False
    return collection is None or caller.may_see(collection)


def _administers(caller: Caller, collection: str | None) -> bool:
    return caller.may("admin") and (caller.collections is None or collection in caller.collections)
