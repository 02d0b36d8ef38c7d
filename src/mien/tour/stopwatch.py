"""Where the time goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """What one stage took.

    Attributes:
        stage: Its name: that of a pack for networks.
        pictures: How many pictures it saw, counting one each time; 0 for what is done once.
        time_s: Seconds it took in all.
    """

    stage: str
    pictures: int
    time_s: float


class Stopwatch:
    """Adds up seconds by stage. Give it to a `Mien` as `observe`, and use `measure` for the rest."""

    def __init__(self) -> None:
        self._timings: dict[str, Timing] = {}

    def __call__(self, stage: str, pictures: int, time_s: float) -> None:
        """Add one run of a stage; an `Observer`."""
        before = self._timings.get(stage, Timing(stage, 0, 0.0))
        self._timings[stage] = Timing(stage, before.pictures + pictures, before.time_s + time_s)

    @contextmanager
    def measure(self, stage: str, pictures: int = 1) -> Iterator[None]:
        """Add the time that a block takes, also if it raises."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self(stage, pictures, time.perf_counter() - start)

    def timings(self) -> tuple[Timing, ...]:
        """What was measured so far, in the order in which stages first ran."""
        return tuple(self._timings.values())
