"""Events as they come (text/event-stream, WHATWG HTML 9.2), over as many connections as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mien.client.call import Call, Received
from mien.client.retrying import Lost, Retries
from mien.errors import ServerUnreachable, TimedOut

T = TypeVar("T")

# After so long without a word the connection is made anew: what lies between may have lost it unseen.
SILENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Watch(Generic[T]):
    """Events that are to be followed until their end.

    Attributes:
        call: Where they come from; its answer is the data of one.
        timeout_s: Most seconds to follow them; None: until the end.
    """

    call: Call[T]
    timeout_s: float | None = None


class Watching(Generic[T]):
    """How far one follower of events has come.

    Args:
        watch: What is followed.
        retries: How often in a row a connection may break off.
        clock: Seconds, from anywhere.
    """

    def __init__(
        self, watch: Watch[T], retries: Retries, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._watch, self._retries, self._clock = watch, retries, clock
        self._until = None if watch.timeout_s is None else clock() + watch.timeout_s
        self._event, self._data = "", list[str]()
        self._breaks = 0
        self._over = False

    def over(self) -> bool:
        """Whether the end has come."""
        return self._over

    def patience_s(self) -> float:
        """How long to wait for the next line.

        Raises:
            TimedOut: No longer.
        """
        if self._until is None:
            return SILENCE_S
        left_s = self._until - self._clock()
        if left_s <= 0:
            raise TimedOut(
                f"It has not ended within {self._watch.timeout_s:g} s.", hint="It goes on; follow it again."
            )
        return min(SILENCE_S, left_s)

    def feed(self, line: str) -> T | None:
        """Take a line; give what it completes."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                self._event = value
            elif name == "data":
                self._data.append(value)
            return None
        event, data = self._event, "\n".join(self._data)
        self._event, self._data = "", []
        self._over = self._over or event == "end"
        if not data:
            return None
        self._breaks = 0
        return self._watch.call.answer(Received(200, {}, data.encode()))

    def broke(self, lost: Lost | None, chance: float) -> float:
        """Take that a connection ended before the events did.

        Args:
            lost: How; None: as if nothing were missing.
            chance: Between 0 and 1.

        Returns:
            Seconds to wait before the next connection.

        Raises:
            ServerUnreachable: It has too often.
        """
        self._event, self._data = "", []
        if lost is not None and isinstance(lost.error, TimedOut):
            return 0.0  # silence is no fault
        self._breaks += 1
        pause_s = self._retries.pause_s(self._breaks, None, chance)
        if pause_s is None:
            raise lost.error if lost else ServerUnreachable("The server breaks off events before their end.")
        return pause_s
