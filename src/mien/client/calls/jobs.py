"""About long work, which goes on while nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from mien.answers.jobs import JobRow
from mien.answers.service import Page
from mien.client.call import Call, Form, nothing, page, pairs, path, row
from mien.client.events import Watch
from mien.client.operations import Steps
from mien.client.photographs import Photo, Upload, uploads
from mien.errors import MienError

T = TypeVar("T")
JobKind = Literal["analyze", "identify", "enroll", "cluster"]

# Of one request, if many photographs are sent.
_PORTION = 25
_PORTION_BYTES = 16 * 1024 * 1024


def listed() -> Call[Page[JobRow]]:
    """List one's own jobs; all of them with the scope `admin`."""
    return Call("GET", path("jobs"), page(JobRow))


def create(
    kind: JobKind,
    photos: Photo | Iterable[Photo] = (),
    *,
    collection: str | None = None,
    options: Mapping[str, Any] | None = None,
    folder: str | None = None,
    start: bool = True,
) -> Call[JobRow]:
    """Make a job of photographs that go into one request; `run` takes any number.

    Args:
        kind: What is to be done: `analyze`, `identify`, `enroll`, `cluster`. The key needs the scope for it.
        photos: One or several.
        collection: Where, if people matter.
        options: As the question for a single photograph has them. For `enroll`, `person` says whom the
            photographs show; otherwise their names do: `Ada/1.jpg`.
        folder: A folder of the server's instead of photographs, below one that its operator allows. Scope
            `admin`.
        start: At once; otherwise more photographs may follow.
    """
    fields = pairs(kind=kind, collection=collection, options=options, folder=folder, start=start)
    body = Form(fields, _parts(uploads(photos)))
    return Call("POST", path("jobs"), row(JobRow), body=body, repeat="keyed")


def add(job: str, photos: Photo | Iterable[Photo]) -> Call[JobRow]:
    """Add photographs to a job that has not been started."""
    return _add(job, uploads(photos))


def start(job: str) -> Call[JobRow]:
    """Start a job; one that was started already goes on as it is."""
    return Call("POST", path("jobs", job, "start"), row(JobRow))


def get(job: str) -> Call[JobRow]:
    """How far a job is."""
    return Call("GET", path("jobs", job), row(JobRow))


def cancel(job: str) -> Call[JobRow]:
    """Stop a job; what it has done stays done."""
    return Call("POST", path("jobs", job, "cancel"), row(JobRow))


def forget(job: str) -> Call[None]:
    """Forget a job, its photographs and its results for good; one that runs ends."""
    return Call("DELETE", path("jobs", job), nothing, repeat="keyed")


def results(job: str, kind: type[T]) -> Call[Page[T]]:
    """List what came of each photograph.

    Args:
        job: Identifier.
        kind: Of `mien.answers`, by the kind of the job: `PhotoRow` for `analyze`, `IdentifyRow`,
            `EnrolledRow`, `ClusteredRow`.
    """
    return Call("GET", path("jobs", job, "results"), page(kind))


def events(job: str, *, timeout_s: float | None = None) -> Watch[JobRow]:
    """Follow a job until its end: how far it is, whenever it has come further.

    Args:
        job: Identifier.
        timeout_s: Most seconds to follow it; None: until its end.

    Raises:
        TimedOut: It has not ended; it goes on.
    """
    return Watch(Call("GET", path("jobs", job, "events"), row(JobRow)), timeout_s)


def wait(job: str, *, timeout_s: float | None = None) -> Steps[JobRow]:
    """Wait for the end of a job. Whether it is `done`, `failed` or `cancelled` is in the answer's `state`.

    Args:
        job: Identifier.
        timeout_s: Most seconds to wait; None: until its end.

    Raises:
        TimedOut: It has not ended; it goes on.
    """
    yield events(job, timeout_s=timeout_s)
    done: JobRow = yield get(job)
    return done


def run(
    kind: JobKind,
    photos: Photo | Iterable[Photo],
    *,
    collection: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Steps[JobRow]:
    """Make and start a job of any number of photographs, which are read and sent in portions.

    Args:
        kind: See `create`.
        photos: One, several, or a folder; see `mien.client.in_folder` for jobs that enrol.
        collection: See `create`.
        options: See `create`.

    Returns:
        The job, at work; see `wait`, `events` and `results`.

    Raises:
        MienError: A photograph cannot be read or sent; the job is forgotten then.
    """
    made: JobRow = yield create(kind, collection=collection, options=options, start=False)
    try:
        for portion in _portions(uploads(photos)):
            yield _add(made.id, portion)
        started: JobRow = yield start(made.id)
    except MienError:
        yield forget(made.id)
        raise
    return started


def _add(job: str, sent: Iterable[Upload]) -> Call[JobRow]:
    body = Form((), _parts(sent))
    return Call("POST", path("jobs", job, "photographs"), row(JobRow), body=body, repeat="keyed")


def _parts(sent: Iterable[Upload]) -> tuple[tuple[str, Upload], ...]:
    return tuple(("photo", one) for one in sent)


def _portions(sent: Iterable[Upload]) -> Iterator[list[Upload]]:
    portion: list[Upload] = []
    size = 0
    for one in sent:
        if portion and (len(portion) == _PORTION or size + len(one.content) > _PORTION_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(one)
        size += len(one.content)
    if portion:
        yield portion
