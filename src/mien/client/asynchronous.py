"""The client whose methods are awaited."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from mien.answers.service import Page
from mien.client.call import Call, Received
from mien.client.events import Watch, Watching
from mien.client.nouns import Operations
from mien.client.operations import Done, Steps, advance
from mien.client.retrying import Attempts, Lost
from mien.client.wire import Line, Options, line_to, lost, received, request_of
from mien.errors import MienError

T = TypeVar("T")
Arguments = tuple[Any, ...]
Named = Mapping[str, Any]


class AsyncSender:
    """Sends questions, as many at a time as are awaited.

    Args:
        line: Where to.
        transport: Carries requests; None: the network.
    """

    def __init__(self, line: Line, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.line = line
        self._http = httpx.AsyncClient(transport=transport, **line.choices)
        self._chance = secrets.SystemRandom().random

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Ask, again where that is safe, and read the answer. Raises MienError."""
        return call.answer(received(await self._exchange(call)))

    async def ask(self, build: Callable[..., Call[T]], args: Arguments, named: Named) -> T:
        """Describe a question, in a thread as photographs may have to be read for it, and ask it."""
        return await self.send(await asyncio.to_thread(build, *args, **named))

    def items(self, build: Callable[..., Call[Page[T]]], args: Arguments, named: Named) -> AsyncIterator[T]:
        """Describe a list, and read it part by part."""
        return self._items(build(*args, **named))

    def follow(self, build: Callable[..., Watch[T]], args: Arguments, named: Named) -> AsyncIterator[T]:
        """Describe events, and read them until their end."""
        return self._follow(build(*args, **named))

    async def carry_out(self, build: Callable[..., Steps[T]], args: Arguments, named: Named) -> T:
        """Describe several questions, and ask them as the answers want it."""
        steps = build(*args, **named)
        step = await asyncio.to_thread(advance, steps, None, None)
        while not isinstance(step, Done):
            try:
                answer = await (self._last(step) if isinstance(step, Watch) else self.send(step))
            except MienError as error:
                step = await asyncio.to_thread(advance, steps, None, error)
            else:
                step = await asyncio.to_thread(advance, steps, answer, None)
        return step.value

    async def _items(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        while True:
            page = await self.send(call)
            for item in page.items:
                yield item
            if page.next is None:
                return
            call = call.at(page.next)

    async def _last(self, watch: Watch[T]) -> T | None:
        last = None
        async for last in self._follow(watch):  # noqa: B007 - the last one is wanted
            pass
        return last

    async def _follow(self, watch: Watch[T]) -> AsyncIterator[T]:
        watching = Watching(watch, self.line.retries)
        while not watching.over():
            response = await self._exchange(watch.call, read_s=watching.patience_s())
            broken: Lost | None = None
            try:
                async for line in response.aiter_lines():
                    event = watching.feed(line)
                    if event is not None:
                        yield event
                    if watching.over():
                        return
                    watching.patience_s()
            except httpx.HTTPError as error:
                broken = lost(error, self.line)
            finally:
                await response.aclose()
            await asyncio.sleep(watching.broke(broken, self._chance()))

    async def _exchange(self, call: Call[Any], *, read_s: float | None = None) -> httpx.Response:
        """Ask until there is an answer; with `read_s` its body is left to be read, so patiently."""
        request = request_of(self.line, call, read_s)
        attempts = Attempts(call, self.line.retries)
        outcome: Received | Lost
        while True:
            try:
                response = await self._http.send(
                    self._http.build_request(**request), stream=read_s is not None
                )
                if call.takes(response.status_code):
                    return response
                await response.aread()
            except httpx.HTTPError as error:
                outcome = lost(error, self.line)
            else:
                outcome = received(response)
            await asyncio.sleep(attempts.after(outcome, self._chance()))


class AsyncClient(Operations[AsyncSender]):
    """A Mien server, asked from Python; each method is awaited, each list is read with `async for`.

        async with AsyncClient("https://mien.example", key) as mien:
            await mien.people.enroll(["ada1.jpg", "ada2.jpg"], name="Ada")
            async for person in mien.people.list():
                ...

    The same as `Client` otherwise. Of one event loop, asyncio's.

    Args:
        address: Of the server.
        key: An API key; None: the server is open, as it may be on one's own machine.
        transport: Carries requests instead of the network, for tests.
        **options: See `mien.client.wire.Options`.

    Raises:
        BadRequest: As `Client`.
    """

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(AsyncSender(line_to(address, key, options), transport))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self.sender.close()

    async def send(self, call: Call[T]) -> T:
        """Ask a question of `mien.client.calls` that was described before."""
        return await self.sender.send(call)
