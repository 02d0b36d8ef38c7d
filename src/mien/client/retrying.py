"""Asking again: only where it is safe, not at once, and not for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.client.call import Call, Received, Repeat
from mien.client.refused import refused
from mien.errors import BadRequest, MienError, RequestInProgress

# Which kinds of calls may be sent again, after ...
ALL: frozenset[Repeat] = frozenset({"safe", "keyed", "never"})  # ... what shows that nothing was done
REPEATABLE: frozenset[Repeat] = frozenset({"safe", "keyed"})  # ... what leaves open whether it was
NONE: frozenset[Repeat] = frozenset()  # ... what will be the same again

_AFTER: dict[int, frozenset[Repeat]] = {429: ALL, 502: REPEATABLE, 503: REPEATABLE}


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came.

    Attributes:
        error: What is raised in the end.
        again: Which calls may be sent again after this.
    """

    error: MienError
    again: frozenset[Repeat]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and after how long, a question is asked again.

    Attributes:
        again: Most times after the first; 0: never.
        first_s: Pause before the first repetition; each further one is twice as long. Of each pause,
            something between half and all is waited, so that many clients do not come back together.
        longest_s: Longest pause. If the server asks for a longer one, its answer is given back at once
            instead, with `retry_after_s`.
    """

    again: int = 3
    first_s: float = 0.5
    longest_s: float = 60.0

    def __post_init__(self) -> None:
        if self.again < 0 or self.first_s < 0 or self.longest_s < 0:
            raise BadRequest("Retries are counted and timed from 0.")

    def pause_s(self, attempt: int, asked_s: float | None, chance: float) -> float | None:
        """How long to wait after an attempt that failed; None: do not try again.

        Args:
            attempt: Its number, from 1.
            asked_s: What the server asks for, if it does.
            chance: Between 0 and 1.
        """
        if attempt > self.again or (asked_s is not None and asked_s > self.longest_s):
            return None
        own_s = min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 64)) * (0.5 + 0.5 * chance)
        # Whoever is asked to wait comes a little later than asked: others were asked the same.
        return own_s if asked_s is None else asked_s + own_s


class Attempts:
    """Counts how often one question has been asked.

    Args:
        call: The question.
        retries: How often it may be.
    """

    def __init__(self, call: Call[Any], retries: Retries) -> None:
        self._call, self._retries = call, retries
        self._made = 0

    def after(self, outcome: Received | Lost, chance: float) -> float:
        """Say when to ask again.

        Args:
            outcome: An answer that is none of success, or none at all.
            chance: Between 0 and 1.

        Returns:
            Seconds to wait before.

        Raises:
            Refused: Not again, and the server says no.
            ServerUnreachable: Not again, and it does not answer.
            TimedOut: Not again, and it did not answer in time.
        """
        self._made += 1
        error, asked_s, again = _verdict(outcome)
        pause_s = self._retries.pause_s(self._made, asked_s, chance) if self._call.repeat in again else None
        if pause_s is None:
            raise error
        return pause_s


def _verdict(outcome: Received | Lost) -> tuple[MienError, float | None, frozenset[Repeat]]:
    """The error, how long the server wants to be left alone, and which calls may be sent again."""
    if isinstance(outcome, Lost):
        return outcome.error, None, outcome.again
    error = refused(outcome)
    # A first attempt whose answer was lost may still be at work: then the second is told to wait.
    again = REPEATABLE if isinstance(error, RequestInProgress) else _AFTER.get(outcome.status, NONE)
    return error, error.retry_after_s, again
