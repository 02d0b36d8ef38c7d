"""Room for decoded photographs, so that many large ones do not fill the memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Room:
    """So many pixels; who finds none left waits, in the order of coming. Of one event loop.

    Args:
        pixels: How many there are in all; what is larger comes in when nobody else is there.
    """

    def __init__(self, pixels: int) -> None:
        self._all = self._left = pixels
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def taken(self, pixels: int) -> AsyncIterator[None]:
        """Hold room for so many pixels."""
        wanted = min(pixels, self._all)
        if self._waiting or wanted > self._left:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((wanted, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.cancelled():
                    with suppress(ValueError):  # it may have been passed over already
                        self._waiting.remove((wanted, turn))
                else:
                    self._left += wanted  # it was just handed over
                self._hand_over()
                raise
        else:
            self._left -= wanted
        try:
            yield
        finally:
            self._left += wanted
            self._hand_over()

    def _hand_over(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._left:
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self._left -= wanted
                turn.set_result(None)
