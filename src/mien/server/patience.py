"""HTTP connections on which something has to happen: who keeps the server waiting is let go (slow loris).

There are only so many of them: each holds a file and some memory. On those beyond, everything is refused.
"""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mien.errors import Overloaded
from mien.server.failing import error_answer

MOST_CONNECTIONS = 1000

# To send the head of a request; its body has the time that settings give.
_HEAD_S = 10.0
# Neither the parser nor uvicorn ends a head that is too long.
_MOST_HEAD_BYTES = 64 * 1024
# In which some of an answer has to be read.
_READ_S = 60.0


class PatientProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers do not come within ten seconds, or have no end.

    So it does if the rest of a request that was answered already does not come, or an answer is not read.
    """

    _patience: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self.app = _refuse
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Parse, unless there is too much of it."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        _stop(self._patience)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """A request was answered; what is left of it, and the next one, have to come."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._wait()

    def pause_writing(self) -> None:
        """More was answered than was read."""
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It was read."""
        super().resume_writing()
        _stop(self._reading)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        _stop(self._patience)
        _stop(self._reading)
        super().connection_lost(exc)

    def _wait(self) -> None:
        _stop(self._patience)
        self._patience = self.loop.call_later(_HEAD_S, self.transport.close)

    def _watch(self, unread: int) -> None:
        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if left < unread:
                self._watch(left)
            else:
                self.transport.abort()  # closing would wait for it to be read

        self._reading = self.loop.call_later(_READ_S, look)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer on a connection too many; the next may find a place."""
    answer = error_answer(Overloaded("There are too many connections.", retry_after_s=5), scope)
    answer.headers["connection"] = "close"
    await answer(scope, receive, send)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
