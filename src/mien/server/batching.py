"""Photographs of many requests, looked at together.

A photograph is decoded in a thread of its own while the networks are busy with others. One thread runs the
networks: whatever is ready when it becomes free goes through them together, as far as it asks for the same
columns. While more is being decoded it waits a few milliseconds for that, so that nobody waits who is alone.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np

from mien.core.analysis import Analysis, Failure
from mien.core.image import Image
from mien.errors import InferenceError, MienError, Overloaded, TimedOut
from mien.server.room import Room

Columns = tuple[str, ...]
# How often it is looked whether somebody still waits.
_GLANCE_S = 0.02
# Whoever is refused comes again, whatever was said: refused at once, a crowd takes the time of those inside.
_PAUSE_S = 1.0
Look = Callable[[Sequence[Image], Columns], Iterable[Analysis | Failure]]
Decode = Callable[[], Image]
T = TypeVar("T")
Then: TypeAlias = Callable[[Analysis], T]


def without_pixels(found: Analysis) -> Analysis:
    """What was found in a photograph, with where it came from and how large it was, and nothing to see."""
    image = found.image
    return replace(found, image=image.with_(rgb=_NOTHING, full_wh=image.original_wh))


_NOTHING = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken on.

    Attributes:
        waiting: Most photographs that are in work or wait.
        batch: Most that go through the networks together.
        wait_s: How long one that is ready waits for those being decoded.
        timeout_s: How long a request waits for its photograph.
        pixels: Most pixels of all decoded photographs; a larger one comes in alone.
        decoders: Threads that decode.
    """

    waiting: int = 64
    batch: int = 8
    wait_s: float = 0.005
    timeout_s: float = 30.0
    pixels: int = 100_000_000
    decoders: int = 2


@dataclass(slots=True, eq=False)
class _Waiting:
    """A decoded photograph whose request waits."""

    image: Image
    columns: Columns
    answer: asyncio.Future[Analysis]
    loop: asyncio.AbstractEventLoop
    since: float = field(default_factory=time.monotonic)


class Batcher:
    """Looks at photographs of many requests together; see above.

    Args:
        look: Runs images of one set of columns through the networks, results in order.
        limits: How much is taken on.
        batched: Told how many photographs went together and how long the first of them had waited, in
            seconds.
        defect: Told of what should not have happened.
    """

    def __init__(
        self,
        look: Look,
        limits: Limits,
        *,
        batched: Callable[[int, float], None] = lambda _count, _waited_s: None,
        defect: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        self.limits = limits
        self._look, self._batched, self._defect = look, batched, defect
        self._room = Room(limits.pixels)
        self._decoders = ThreadPoolExecutor(limits.decoders, "mien-decode")
        self._queue: deque[_Waiting] = deque()
        self._turn = threading.Condition()
        self._arriving = 0
        self._inside = 0
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="mien-look", daemon=True)
        self._worker.start()

    @property
    def waiting(self) -> int:
        """Photographs in work or waiting."""
        return self._inside

    async def admit(self) -> None:
        """Let somebody in, after a moment if as many wait as may. Raises Overloaded if they still do then."""
        if not self._closed and self._inside >= self.limits.waiting:
            await asyncio.sleep(_PAUSE_S)
        self._demand_place()

    def _demand_place(self) -> None:
        if self._closed:
            raise Overloaded("The server is about to stop.", retry_after_s=1)
        if self._inside >= self.limits.waiting:
            raise Overloaded(f"{self._inside} photographs wait already.", retry_after_s=1)

    async def look(self, decode: Decode, pixels: int, columns: Columns, then: Then[T]) -> T:
        """Look at one photograph.

        Args:
            decode: Gives its pixels; run in a thread.
            pixels: How many it may be.
            columns: What to compute.
            then: Makes of it what is wanted, in a thread, while its pixels still have their room: what this
                gives must not hold them.

        Raises:
            Overloaded: As many wait as may.
            TimedOut: It took too long.
            MienError: It could not be decoded, or looked at.
        """
        self._demand_place()
        self._inside += 1
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                async with self._room.taken(pixels):
                    found = await self._decoded_and_looked_at(decode, columns)
                    if then is without_pixels:  # not worth a thread
                        return then(found)
                    loop = asyncio.get_running_loop()
                    return await loop.run_in_executor(self._decoders, then, found)
        except TimeoutError as error:
            raise TimedOut(f"No answer within {self.limits.timeout_s:g} s.") from error
        finally:
            with self._turn:
                self._inside -= 1
                self._turn.notify()

    async def _decoded_and_looked_at(self, decode: Decode, columns: Columns) -> Analysis:
        loop = asyncio.get_running_loop()
        ready: list[_Waiting] = []
        with self._turn:
            self._arriving += 1
        try:
            image = await loop.run_in_executor(self._decoders, decode)
            ready.append(_Waiting(image, columns, loop.create_future(), loop))
        finally:
            with self._turn:
                self._arriving -= 1
                self._queue += ready
                self._turn.notify()
        return await ready[0].answer

    def give_way(self, most_s: float) -> None:
        """Wait until nobody waits for photographs, but not for ever; for work that can."""
        end = time.monotonic() + most_s
        with self._turn:
            while self._inside and not self._closed and (left := end - time.monotonic()) > 0:
                self._turn.wait(min(left, _GLANCE_S))

    def close(self) -> None:
        """Finish what was taken on, then stop. Not from the event loop."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._worker.join()
        self._decoders.shutdown(cancel_futures=True)

    def _work(self) -> None:
        while together := self._next():
            done: list[tuple[_Waiting, Analysis | Failure]]
            try:
                self._batched(len(together), time.monotonic() - together[0].since)
                found = self._look([one.image for one in together], together[0].columns)
                done = list(zip(together, found, strict=True))
            except MienError as error:
                done = [(one, Failure("", error)) for one in together]
            except Exception as error:  # noqa: BLE001 - a defect must not leave all later requests without answer
                self._defect(error)
                done = [(one, self._alone(one, error)) for one in together]
            self._hand_out(done)

    def _alone(self, one: _Waiting, error: Exception) -> Analysis | Failure:
        """Look once more, so that a defect for one photograph does not fail those that came with it."""
        try:
            return next(iter(self._look([one.image], one.columns)))
        except MienError as known:
            return Failure("", known)
        except Exception:  # noqa: BLE001 - told of already
            return Failure("", _unlooked(error))

    def _next(self) -> list[_Waiting]:
        """What goes through the networks next; nothing at the end."""
        while taken := self._taken():
            if alive := [one for one in taken if not one.answer.cancelled()]:
                return alive
        return []

    def _taken(self) -> list[_Waiting]:
        with self._turn:
            while not self._queue:
                if self._closed and not self._inside:
                    return []
                self._turn.wait(1.0)
            end = time.monotonic() + self.limits.wait_s
            first = self._queue[0].columns
            while self._arriving and len(self._queue) < self.limits.batch:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._turn.wait(left)
            taken = list(_first(self._queue, first, self.limits.batch))
            for one in taken:
                self._queue.remove(one)
        return taken

    def _hand_out(self, done: list[tuple[_Waiting, Analysis | Failure]]) -> None:
        """One call for all answers of a loop; waking it costs more than the answer."""
        loops = {id(one.loop): one.loop for one, _ in done}
        for key, loop in loops.items():
            mine = [(one.answer, result) for one, result in done if id(one.loop) == key]
            loop.call_soon_threadsafe(_settle, mine)


def _first(queue: Iterable[_Waiting], columns: Columns, most: int) -> Iterator[_Waiting]:
    """The first of a queue that ask for these columns."""
    found = 0
    for one in queue:
        if one.columns == columns:
            yield one
            found += 1
            if found == most:
                return


def _settle(done: list[tuple[asyncio.Future[Analysis], Any]]) -> None:
    for answer, result in done:
        if answer.done():
            continue  # nobody waits for it any more
        if isinstance(result, Failure):
            answer.set_exception(result.error)
        else:
            answer.set_result(result)


def _unlooked(error: Exception) -> InferenceError:
    made = InferenceError(f"A photograph could not be looked at: {type(error).__name__}.")
    made.__cause__ = error
    return made
