"""What the requests of one process share: networks, people, keys, limits."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from mien.access.grants import Caller, caller_of, local
from mien.access.keys import any_key, check
from mien.access.rates import Rates
from mien.answers.service import State
from mien.core.analysis import Analysis, Failure
from mien.core.image import Image
from mien.errors import CollectionUnknown, ImageTooLarge, MienError, Unauthenticated
from mien.gallery.choices import IndexChoices
from mien.gallery.forgetting import Forgotten
from mien.gallery.gallery import Gallery
from mien.gallery.store import reading
from mien.jobs.runner import Runner
from mien.kit import Mien
from mien.media.images import open_image
from mien.media.measuring import pixels_of
from mien.media.taken import day_taken
from mien.people.enrolling import Keeping
from mien.pipeline.analyzer import Analyzer
from mien.pipeline.choosing import Choice
from mien.pipeline.stages import DETECTION
from mien.server.batching import Batcher, Columns, Limits, Then
from mien.server.failing import DEFECT
from mien.server.logs import say
from mien.server.metrics import Metrics
from mien.server.uploads import Upload
from mien.settings import Gate, Settings

T = TypeVar("T")

# What a request waits for besides networks: the store. More threads only wait for each other's turn.
_THREADS = 8
_CHECKS = 2
# How long a photograph of a job waits while requests have theirs looked at.
_PATIENCE_S = 1.0
# How long a revoked key may still be taken for good, and a first key not be asked for.
_REMEMBER_S = 2.0
_MOST_REMEMBERED = 10_000
# From which probability on a face is taken for live, unless a request says otherwise.
LIVE = 0.5
_SMALLER = "Shrink the picture; or whoever runs the server raises MIEN_SERVER_MAX_PIXELS."
# What `analyze` computes unasked, where it can.
USUAL = (
    *DETECTION,
    "age",
    "gender",
    "expression",
    "pose",
    "live",
    "mask",
    "quality",
    "eyes_open",
    "mouth_open",
)


class _Named(BytesIO):
    """The file of a photograph, so that messages call it as its sender does."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(upload.content)
        self.name = upload.name


@dataclass(frozen=True, slots=True)
class _Remembered:
    caller: Caller
    until: float


class Service:
    """Everything that requests need; made once for a process, closed at its end.

    Args:
        settings: Choices of the operator.

    Raises:
        MienError: The store cannot be opened, or a device is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self.settings, self.serving = settings, settings.server
        self.kit = Mien(settings, observe=self.metrics.observed)
        self.store = self.kit.store()
        self.rates = Rates()
        self.started = time.monotonic()
        self.stopping = threading.Event()
        self.ready = threading.Event()
        self._threads = CapacityLimiter(_THREADS)
        # Of their own: nobody is to wait for work of others before it is known who asks.
        self._checks = CapacityLimiter(_CHECKS)
        self._remembered: dict[bytes, _Remembered] = {}
        self._open_until = 0.0
        self.batcher = Batcher(
            self._look,
            Limits(
                waiting=self.serving.waiting,
                batch=settings.batch,
                wait_s=self.serving.batch_wait_ms / 1000,
                timeout_s=self.serving.timeout_s,
            ),
            batched=self.metrics.batched,
            defect=self._mistaken,
        )
        self.jobs = Runner(self.kit, self._look_patiently, defect=self._mistaken)

    def _mistaken(self, error: Exception) -> None:
        self.metrics.errors.labels(DEFECT.code).inc()
        say("defect", level=logging.ERROR, error=error)

    # Looking

    async def look(self, upload: Upload, columns: Columns, then: Then[T]) -> T:
        """Look at a photograph, together with those of other requests, and make something of it.

        Args:
            upload: The photograph.
            columns: What to compute.
            then: See `Batcher.look`.

        Raises:
            InputError: It cannot be read.
            Overloaded: Too many wait.
            TimedOut: It took too long.
        """
        pixels = await anyio.to_thread.run_sync(pixels_of, upload.content)
        if pixels > self.serving.max_pixels:
            pixels = 0  # decoding refuses it by its header, which needs no room, nor waiting for it
        self.metrics.waiting.set(self.batcher.waiting + 1)
        try:
            return await self.batcher.look(partial(self.decode, upload), pixels, columns, then)
        finally:
            self.metrics.waiting.set(self.batcher.waiting)

    def decode(self, upload: Upload) -> Image:
        """The pixels of a photograph that was sent. Raises InputError."""
        settings = self.settings
        try:
            image = open_image(
                _Named(upload),
                max_pixels=self.serving.max_pixels,
                max_bytes=settings.max_bytes,
                enough_side=settings.enough_side,
            )
        except ImageTooLarge as error:
            if error.hint == ImageTooLarge.default_hint:  # of pixels, for which the server has its own limit
                error.hint = _SMALLER
            raise
        return image.with_(source=upload.source, digest=upload.digest, taken=day_taken(upload.content))

    def _look(self, images: Sequence[Image], columns: Columns) -> Iterator[Analysis | Failure]:
        stages = self.kit.stages_for(columns)
        for found in Analyzer(stages, self.settings.batch, self.metrics.observed).run(images):
            if isinstance(found, Analysis):
                self.metrics.faces.inc(len(found.faces))
            yield found

    def _look_patiently(
        self, items: Iterator[Image | Failure], columns: Sequence[str]
    ) -> Iterator[Analysis | Failure]:
        """For jobs: requests come first, as long as they leave gaps."""

        def giving_way() -> Iterator[Image | Failure]:
            for item in items:
                self.batcher.give_way(_PATIENCE_S)
                yield item

        stages = self.kit.stages_for(columns)
        return Analyzer(stages, self.settings.batch, self.metrics.observed).run(giving_way())

    # People

    def gallery(self, name: str) -> Gallery:
        """The people of a collection, to search them. Not from the event loop.

        Raises:
            CollectionUnknown: There is none of that name.
            SpaceMismatch: It is of another embedder.
        """
        with self.store.reading() as snapshot:
            reading.collection_named(snapshot, name)
        return self.kit.gallery(name)

    def known(self, name: str) -> Gallery:
        """The people of a collection, to look after them, whatever its embedder is. Not from the event loop.

        Raises:
            CollectionUnknown: There is none of that name.
        """
        return Gallery(self.store, None, name, choices=IndexChoices(folder=self.settings.indexes_dir))

    def has_collection(self, name: str) -> bool:
        """Whether there is a collection of that name."""
        try:
            self.known(name)
        except CollectionUnknown:
            return False
        return True

    def keeping(self, face: Choice, gate: Gate | None = None, *, crops: bool | None = None) -> Keeping:
        """How faces are kept: as settings say, unless a request says otherwise."""
        usual = self.kit.keeping(face, gate)
        return usual if crops is None else replace(usual, crops=crops)

    def drop(self, name: str) -> Forgotten:
        """Forget everybody in a collection, and delete it. Raises CollectionUnknown."""
        done = self.known(name).forget_collection()
        self.kit.let_go(name)
        return done

    async def do(self, caller: Caller, work: Callable[[], T]) -> T:
        """Do something with the store in a thread, noted in its log as this caller's doing.

        What was begun is finished, whoever has stopped waiting.
        """

        def acting() -> T:
            with self.store.acting(caller.actor):
                return work()

        return await anyio.to_thread.run_sync(acting, limiter=self._threads)

    # Keys

    async def caller_of(self, key: str | None, *, proxied: bool = False) -> Caller:
        """Who asks.

        Args:
            key: What was sent as a key.
            proxied: Whether the request came through a proxy: somebody else's then, and a key is needed.

        Raises:
            Unauthenticated: A key is needed, and this is none.
        """
        if not proxied and await self._is_open():
            return local()
        if key is None:
            raise Unauthenticated("A key is needed.")
        digest, now = hashlib.sha256(key.encode(errors="replace")).digest(), time.monotonic()
        found = self._remembered.get(digest)
        if found is None or found.until < now:
            checked = await anyio.to_thread.run_sync(check, self.store, key, limiter=self._checks)
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            found = _Remembered(self._limited(caller_of(checked)), now + _REMEMBER_S)
            self._remembered[digest] = found
        return found.caller

    def _limited(self, caller: Caller) -> Caller:
        """Somebody with the usual rate, if the key has none of its own."""
        usual = self.serving.rate_per_minute
        return replace(caller, rate_per_minute=usual) if usual and caller.rate_per_minute is None else caller

    async def _is_open(self) -> bool:
        """Whether nobody needs a key: only this machine can ask, and nobody has made one."""
        if not self.serving.on_loopback:
            return False
        now = time.monotonic()
        if now > self._open_until and not await anyio.to_thread.run_sync(
            any_key, self.store, limiter=self._checks
        ):
            self._open_until = now + _REMEMBER_S
        return now < self._open_until

    def forget_keys(self) -> None:
        """Look keys up anew, because one was changed."""
        self._remembered.clear()
        self._open_until = 0.0

    # Beginning and end

    def warm_up(self) -> None:
        """Open the networks, so that the first request does not wait for them."""
        try:
            self.kit.prefer_known()
            self.kit.stages_for((*DETECTION, "embedding"))
            usual = tuple(one for one in USUAL if one in self.kit.available())
            self.kit.stages_for(usual)
            self.usual = usual
        except MienError as error:
            # Requests that need what is missing say so; people may be looked after all the same.
            self._lacks_networks = True
            say("networks are missing", level=logging.WARNING, code=error.code, hint=error.hint)
        except Exception as error:  # noqa: BLE001 - the server would begin for ever
            self._mistaken(error)
        self.jobs.start()
        self.ready.set()

    usual: Columns = DETECTION
    _lacks_networks = False

    @property
    def state(self) -> State:
        """Whether requests are answered, or why not."""
        if self.stopping.is_set():
            return "stopping"
        if not self.ready.is_set():
            return "starting"
        return "without networks" if self._lacks_networks else "ready"

    def close(self) -> None:
        """Finish what was taken on, save indexes, let go of the store."""
        self.jobs.close()
        self.batcher.close()
        self.kit.close()


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """A service for as long as it is needed."""
    service = Service(settings)
    threading.Thread(target=service.warm_up, name="mien-warm-up", daemon=True).start()
    try:
        yield service
    finally:
        service.stopping.set()
        service.ready.wait(60)
        service.close()
