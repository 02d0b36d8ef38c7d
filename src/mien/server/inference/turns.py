"""Turns: few networks run at once beside those that look at photographs, and few requests wait for theirs.

Who waits holds the tensors that were sent, so a place is taken before they are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio.to_thread

from mien.errors import Overloaded, TimedOut
from mien.server.asking import Ask

T = TypeVar("T")
_AT_ONCE, _WAITING = 2, 8


class Turns:
    """Lets work be done in threads, so much at once. Of one event loop.

    Args:
        at_once: How much.
        waiting: How many more may have a place.
        timeout_s: For how long they may wait.
    """

    def __init__(self, at_once: int, waiting: int, timeout_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most, self._timeout_s = at_once + waiting, timeout_s
        self._inside = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place. Raises Overloaded if none is left."""
        if self._inside >= self._most:
            raise Overloaded(f"{self._inside} requests wait already.", retry_after_s=1)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def do(self, work: Callable[[], T]) -> T:
        """Do something when its turn comes. Raises TimedOut if it does not come in time."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise TimedOut(f"No turn within {self._timeout_s:g} s.") from error
        try:
            # A network that runs cannot be stopped: whoever leaves has his turn until it is done.
            return await anyio.to_thread.run_sync(work)
        finally:
            self._free.release()


def turns_of(ask: Ask) -> Turns:
    """The turns of an application."""
    state = ask.request.app.state
    if not hasattr(state, "turns"):
        state.turns = Turns(_AT_ONCE, _WAITING, ask.service.serving.timeout_s)
    found: Turns = state.turns
    return found
