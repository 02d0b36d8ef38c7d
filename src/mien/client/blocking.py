"""The client that waits for each answer."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
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


class Sender:
    """Sends questions, one after the other; may be shared by threads.

    Args:
        line: Where to.
        transport: Carries requests; None: the network.
    """

    def __init__(self, line: Line, transport: httpx.BaseTransport | None = None) -> None:
        self.line = line
        self._http = httpx.Client(transport=transport, **line.choices)
        self._chance = secrets.SystemRandom().random

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Ask, again where that is safe, and read the answer. Raises MienError."""
        return call.answer(received(self._exchange(call)))

    def ask(self, build: Callable[..., Call[T]], args: Arguments, named: Named) -> T:
        """Describe a question, and ask it."""
        return self.send(build(*args, **named))

    def items(self, build: Callable[..., Call[Page[T]]], args: Arguments, named: Named) -> Iterator[T]:
        """Describe a list, and read it part by part."""
        return self._items(build(*args, **named))

    def follow(self, build: Callable[..., Watch[T]], args: Arguments, named: Named) -> Iterator[T]:
        """Describe events, and read them until their end."""
        return self._follow(build(*args, **named))

    def carry_out(self, build: Callable[..., Steps[T]], args: Arguments, named: Named) -> T:
        """Describe several questions, and ask them as the answers want it."""
        steps = build(*args, **named)
        step = advance(steps, None, None)
        while not isinstance(step, Done):
            try:
                answer = self._last(step) if isinstance(step, Watch) else self.send(step)
            except MienError as error:
                step = advance(steps, None, error)
            else:
                step = advance(steps, answer, None)
        return step.value

    def _items(self, call: Call[Page[T]]) -> Iterator[T]:
        while True:
            page = self.send(call)
            yield from page.items
            if page.next is None:
                return
            call = call.at(page.next)

    def _last(self, watch: Watch[T]) -> T | None:
        last = None
        for last in self._follow(watch):  # noqa: B007 - the last one is wanted
            pass
        return last

    def _follow(self, watch: Watch[T]) -> Iterator[T]:
        watching = Watching(watch, self.line.retries)
        while not watching.over():
            response = self._exchange(watch.call, read_s=watching.patience_s())
            broken: Lost | None = None
            try:
                for line in response.iter_lines():
                    event = watching.feed(line)
                    if event is not None:
                        yield event
                    if watching.over():
                        return
                    watching.patience_s()
            except httpx.HTTPError as error:
                broken = lost(error, self.line)
            finally:
                response.close()
            time.sleep(watching.broke(broken, self._chance()))

    def _exchange(self, call: Call[Any], *, read_s: float | None = None) -> httpx.Response:
        """Ask until there is an answer; with `read_s` its body is left to be read, so patiently."""
        request = request_of(self.line, call, read_s)
        attempts = Attempts(call, self.line.retries)
        outcome: Received | Lost
        while True:
            try:
                response = self._http.send(self._http.build_request(**request), stream=read_s is not None)
                if call.takes(response.status_code):
                    return response
                response.read()
            except httpx.HTTPError as error:
                outcome = lost(error, self.line)
            else:
                outcome = received(response)
            time.sleep(attempts.after(outcome, self._chance()))


class Client(Operations[Sender]):
    """A Mien server, asked from Python; each method waits for its answer.

        with Client("https://mien.example", key) as mien:
            mien.people.enroll(["ada1.jpg", "ada2.jpg"], name="Ada")
            mien.identify("party.jpg").people

    Errors are those of `mien.errors`; what the server refuses is `Refused` too, with its status. May be
    shared by threads.

    Args:
        address: Of the server.
        key: An API key; None: the server is open, as it may be on one's own machine.
        transport: Carries requests instead of the network, for tests.
        **options: See `mien.client.wire.Options`.

    Raises:
        BadRequest: The address, the key or an option cannot be used, or the key would travel without
            encryption.
    """

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(Sender(line_to(address, key, options), transport))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.sender.close()

    def send(self, call: Call[T]) -> T:
        """Ask a question of `mien.client.calls` that was described before."""
        return self.sender.send(call)
