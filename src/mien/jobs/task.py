"""A job as its kind sees it: photographs one after the other, and steps that are acknowledged.

A kind is a function from a `Task` to an iterator of `Step`s. Whoever runs it keeps the results of each step
and how far it came in one transaction before the next step is asked for. So a kind that changes something
itself, such as enrolling, has to bear that it is repeated: a process may end between its change and the
acknowledgement.

What is no photograph, such as a video, does without `portions`: it tells in `Step.carried` where it goes on.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from mien.core.analysis import Analysis, Failure
from mien.core.image import Image
from mien.errors import MienError, UnreadableImage
from mien.gallery.gallery import Gallery
from mien.gallery.store import reading
from mien.jobs.folders import read_below
from mien.jobs.job import Job
from mien.jobs.photographs import (
    Listed,
    Photograph,
    Sent,
    photograph,
    photograph_on_disk,
    read_listing,
    read_sent,
)
from mien.kit import Mien
from mien.people.albums import PORTION
from mien.pipeline.ahead import read_ahead

Looked: TypeAlias = tuple[Photograph, Analysis | Failure]
PassedOver: TypeAlias = tuple[Photograph, None]
Look: TypeAlias = Callable[[Iterator[Image | Failure], Sequence[str]], Iterable[Analysis | Failure]]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a photograph.

    Attributes:
        row: As it is answered.
        failed: Whether nothing came of it.
        person_id: Whom it tells of by name; it goes when this person is forgotten.
    """

    row: msgspec.Struct = field(repr=False)
    failed: bool = False
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What was done since the last step.

    Attributes:
        results: In order.
        photographs: How many photographs are done with.
        summary: What came of the job so far, in numbers; None: as before.
        carried: What has to be known to go on; None: as before.
        told: Whom results of earlier steps tell of, by their number from 1, as is known by now.
    """

    results: tuple[Result, ...]
    photographs: int
    summary: Mapping[str, int] | None = None
    carried: Mapping[str, Any] | None = None
    told: Mapping[int, str] = field(default_factory=dict)


Steps: TypeAlias = Generator[Step, None, None]


class Task:
    """A job that is being worked on.

    Args:
        job_id: Its identifier.
        job: As it was when it was begun; whoever runs it keeps it up to date.
        kit: Networks and people.
        look: Runs pictures through networks, results in order.
        stop: Set when the work is to end soon: then photographs end early, and what was looked at is still
            to be made a step of.

    Attributes:
        job: As it is now.
        kit: Networks and people.
    """

    def __init__(self, job_id: str, job: Job, kit: Mien, look: Look, stop: threading.Event) -> None:
        self.job, self.kit = job, kit
        self._id, self._look, self._stop = job_id, look, stop
        self._listing: tuple[Listed, ...] | None = None
        # What may have ended a process is looked at alone, with whatever went through together with it.
        self._alone_until = job.done + PORTION if job.tries > 1 else 0

    def gallery(self) -> Gallery:
        """The people of the job's collection. Raises CollectionUnknown, SpaceMismatch."""
        with self.kit.store().reading() as snapshot:  # the kit would make it
            reading.collection_named(snapshot, self.job.collection or "")
        return self.kit.gallery(self.job.collection)

    def portions(self, columns: Sequence[str]) -> Iterator[Iterator[Looked]]:
        """Look at the photographs that are left; the next are read while those before are looked at.

        Args:
            columns: What to compute.

        Yields:
            Photographs for one step after the other, each with what it gave.
        """
        for portion in self.portions_unless(lambda _digest: False, columns, self.kit.settings.batch):
            yield ((one, found) for one, found in portion if found is not None)

    def portions_unless(
        self, passed_over: Callable[[str], bool], columns: Sequence[str], size: int
    ) -> Iterator[Iterator[Looked | PassedOver]]:
        """As `portions`, but photographs that need not be looked at give None.

        Args:
            passed_over: Whether a photograph is such, by its digest; called in another thread, once for each.
            columns: What to compute.
            size: How many make a step.
        """
        while self.job.done < min(self._alone_until, self.job.total):
            yield self._looked([self.job.done + 1], columns, passed_over)
        looked = self._looked(range(self.job.done + 1, self.job.total + 1), columns, passed_over)
        for first in looked:
            yield chain([first], islice(looked, size - 1))

    def _looked(
        self, numbers: Iterable[int], columns: Sequence[str], passed_over: Callable[[str], bool]
    ) -> Iterator[Looked | PassedOver]:
        seen: deque[tuple[Photograph, bool]] = deque()

        def images() -> Iterator[Image | Failure]:
            for number in numbers:
                if self._stop.is_set():
                    return
                found, image = self._open(number, passed_over)
                seen.append((found, image is None))
                if image is not None:
                    yield image

        for result in self._look(read_ahead(images(), self.kit.settings.batch), columns):
            while seen[0][1]:
                yield seen.popleft()[0], None
            yield seen.popleft()[0], result
        while seen:
            yield seen.popleft()[0], None

    def photograph(self, number: int) -> Photograph:
        """What is known of a photograph, by its number from 1, without reading it."""
        if self.job.listed:
            return photograph_on_disk(self._listed(number), b"")
        return photograph(Sent(f"photograph {number}", b""))

    def _open(
        self, number: int, passed_over: Callable[[str], bool]
    ) -> tuple[Photograph, Image | Failure | None]:
        """A photograph and its pixels, or why there are none; None if it was passed over."""
        found = self.photograph(number)
        try:
            found = self._read(number)
            return found, None if passed_over(found.digest) else found.decoded(self.kit.settings)
        except MienError as error:
            return found, Failure(found.source, error)

    def _read(self, number: int) -> Photograph:
        if self.job.listed:
            listed, settings = self._listed(number), self.kit.settings
            path = Path(os.fsdecode(listed.path))
            return photograph_on_disk(listed, read_below(path, settings.server.folders, settings.max_bytes))
        with self.kit.store().reading() as snapshot:
            sent = read_sent(snapshot, self._id, number)
        if sent is None:
            raise UnreadableImage("The photograph is not in the store any more.")
        return photograph(sent)

    def _listed(self, number: int) -> Listed:
        if self._listing is None:
            with self.kit.store().reading() as snapshot:
                self._listing = read_listing(snapshot, self._id)
        return self._listing[number - 1]
