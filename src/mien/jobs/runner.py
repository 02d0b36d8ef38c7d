"""Works through jobs in a thread; several processes may each have one, on one store."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from mien.answers.pictures import ErrorRow, error_row
from mien.core.analysis import Analysis, Failure
from mien.core.image import Image
from mien.errors import (
    GalleryError,
    InferenceError,
    MienError,
    StoreFull,
    StoreLocked,
    StoreUnreachable,
)
from mien.gallery.forgetting import forget_documents
from mien.jobs import holding
from mien.jobs.holding import SILENT_S, Hold, Lost
from mien.jobs.job import KeptJob
from mien.jobs.kinds import kind_of
from mien.jobs.task import Look, Step, Task
from mien.kit import Mien
from mien.pipeline.analyzer import Analyzer

# These pass: the job goes on when they have.
_PASSING = (StoreLocked, StoreUnreachable, StoreFull)
_PAUSE_S = 5.0
_POLL_S = 1.0
_BEATS = 3
_TIDY_S = 3600.0
# To wipe takes as long as to write the whole store again.
_WIPE_S = 300.0
# How often a photograph is looked at, each time by another process, before it is given up.
_MOST_TRIES = 3
_DEFECT = ErrorRow("defect", "Mien made a mistake.", "The log of the server says more.")


class Runner:
    """A thread that takes jobs, the oldest first, and works on one at a time.

    Whatever was acknowledged is in the store, so that its process may end at any moment; another one, or the
    next, goes on with the job. On `close` the photographs that are being looked at are finished.

    Args:
        kit: Networks and people; its store is where jobs are.
        look: Runs pictures through networks; None: as `Mien.analyze` does.
        silent_s: After how long without a word of a job its process is taken to have ended.
        defect: Told of mistakes in this program, which fail a job.
    """

    def __init__(
        self,
        kit: Mien,
        look: Look | None = None,
        *,
        silent_s: float = SILENT_S,
        defect: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        self._kit, self._look, self._silent_s, self._defect = kit, look or look_with(kit), silent_s, defect
        self._store = kit.store()
        self._stopping = threading.Event()
        self._awake = threading.Event()
        self._tidied = self._wiped = -math.inf
        self._thread = threading.Thread(target=self._work, name="mien-jobs", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def wake(self) -> None:
        """Look for jobs now: one was started."""
        self._awake.set()

    def close(self) -> None:
        """Acknowledge what was looked at, let others go on with the rest, and end. May be called twice."""
        self._stopping.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            pause_s = _POLL_S
            try:
                self._tidy()
                if found := holding.claim(self._store, self._silent_s):
                    self._run(*found)
                    continue
            except GalleryError:
                pause_s = _PAUSE_S  # the store has to come back first
            except Exception as error:  # noqa: BLE001 - a mistake must not keep all other jobs waiting
                self._defect(error)
                pause_s = _PAUSE_S
            self._awake.wait(pause_s)
            self._awake.clear()

    def _tidy(self) -> None:
        """Wipe what was deleted and, less often, what is old."""
        moment = time.monotonic()
        if moment - self._wiped < _WIPE_S:
            return
        self._wiped = moment
        gone = holding.deleted_jobs(self._store)
        if moment - self._tidied >= _TIDY_S:
            self._tidied = moment
            gone += holding.old_jobs(self._store)
        if gone:
            forget_documents(self._store, gone, action="wiped jobs")

    def _run(self, hold: Hold, kept: KeptJob) -> None:
        stop = threading.Event()
        with suppress(Lost), self._store.acting(hold.owner), self._beating(hold, stop):
            try:
                holding.check_owner(self._store, kept)
                self._steps(hold, Task(hold.id, kept.job, self._kit, self._look, stop), stop)
            except _PASSING:
                self._stopping.wait(_PAUSE_S)
                holding.give_back(self._store, hold)
            except MienError as error:
                holding.finish(self._store, hold, "failed", error_row(error))
            except Lost:
                raise
            except Exception as error:  # noqa: BLE001 - as above; whoever waits for the job has to know
                self._defect(error)
                holding.finish(self._store, hold, "failed", _DEFECT)

    def _steps(self, hold: Hold, task: Task, stop: threading.Event) -> None:
        if task.job.tries > _MOST_TRIES:
            self._give_up_one(hold, task)
        with closing(kind_of(task.job.kind).work(task)) as steps:
            while not (task.job.cancelling or self._stopping.is_set()):
                step = next(steps, None)
                if step is None:
                    break
                task.job = holding.acknowledge(self._store, hold, step).job
        with self._store.reading() as snapshot:
            cancelling = holding.held(snapshot, hold).job.cancelling
        if cancelling:
            holding.finish(self._store, hold, "cancelled")
        elif stop.is_set() or self._stopping.is_set():  # there may be more: photographs end early then
            holding.give_back(self._store, hold)
        else:
            holding.finish(self._store, hold, "done")

    def _give_up_one(self, hold: Hold, task: Task) -> None:
        """Pass over the next photograph: whoever looked at it so far did not live to tell."""
        if task.job.done == task.job.total:
            return
        error = InferenceError(f"{_MOST_TRIES} processes ended while they looked at this photograph.")
        result = kind_of(task.job.kind).failed(task.photograph(task.job.done + 1), error)
        task.job = holding.acknowledge(self._store, hold, Step((result,), 1)).job

    @contextmanager
    def _beating(self, hold: Hold, stop: threading.Event) -> Iterator[None]:
        """Tell that the job is alive, and set `stop` when it is cancelled or lost, or this is to end."""
        over = threading.Event()

        def beat() -> None:
            last = time.monotonic()
            while not over.wait(min(_POLL_S, self._silent_s / _BEATS / 2)):
                with suppress(GalleryError):
                    try:
                        with self._store.reading() as snapshot:
                            cancelling = holding.held(snapshot, hold).job.cancelling
                        if time.monotonic() - last > self._silent_s / _BEATS:
                            last = time.monotonic()
                            holding.beat(self._store, hold)
                    except Lost:
                        cancelling = True
                    if cancelling or self._stopping.is_set():
                        stop.set()

        thread = threading.Thread(target=beat, name="mien-jobs-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def look_with(kit: Mien) -> Look:
    """Look at pictures as `Mien.analyze` does."""

    def look(images: Iterator[Image | Failure], columns: Sequence[str]) -> Iterator[Analysis | Failure]:
        return Analyzer(kit.stages_for(columns), kit.settings.batch).run(images)

    return look
