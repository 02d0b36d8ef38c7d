"""Contestants look at the same photographs in turns.

All are open and warm before the first turn counts. Photographs come in small folders, as a program that
looks at folders would have them; each folder is handed to one contestant after the other, and who comes first
changes with every folder and every round. So whatever else the machine does hits all alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.compare.peers import Absent, Entry
from mien.compare.worker import Patience, Withdrawn, Worker

T = TypeVar("T")

AT_A_TIME = 16
_REST_S = 0.03  # until the threads of the one before sleep


class Turn(NamedTuple):
    """One contestant, by number, looks at one folder, by number, in one round."""

    round: int
    folder: int
    contestant: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What one contestant did.

    Attributes:
        entry: Who it is.
        versions: Of what it is made of.
        threshold: Largest distance at which it says "the same person"; None if it states none.
        seconds: `(rounds, folders)` float64, files read and decoded.
        faces: `(photographs,)` int64, found on each.
        distance: `(pairs,)` float64; infinite where a photograph of the pair showed no face.
        memory_mb: Resident memory at the end; None where that is not known.
    """

    entry: Entry
    versions: dict[str, str]
    threshold: float | None
    seconds: NDArray[np.float64]
    faces: NDArray[np.int64]
    distance: NDArray[np.float64]
    memory_mb: float | None


def turns(contestants: int, folders: int, rounds: int) -> Iterator[Turn]:
    """Who looks at what, in order: each at every folder once a round, and each equally often first."""
    for number in range(rounds):
        for folder in range(folders):
            for place in range(contestants):
                yield Turn(number, folder, (number + folder + place) % contestants)


def race(
    entries: Sequence[Entry],
    photos: Sequence[str],
    pairs: Sequence[tuple[str, str]] = (),
    *,
    rounds: int = 3,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    done: Callable[[int, int], None] = lambda *_: None,
) -> tuple[list[Run], list[Absent]]:
    """Let contestants look at photographs, then say how far pairs of them are apart.

    Args:
        entries: The contestants; a Mien that nobody is left to be compared with does not run.
        photos: Paths.
        pairs: Pairs of them.
        rounds: How often each looks at everything.
        patience: How long they may take.
        done: Told how many turns are over, and of how many.

    Returns:
        What those did that came through, in the order of `entries`, and who did not and why.
    """
    folders = [photos[start : start + AT_A_TIME] for start in range(0, len(photos), AT_A_TIME)]
    with ExitStack() as stack:
        lanes = [stack.enter_context(_Lane(entry, rounds, len(folders))) for entry in entries]
        # Peers first: who of Mien has to run depends on them.
        for lane in sorted(lanes, key=lambda lane: lane.entry.rival is None):
            if lane.entry.rival or _is_wanted(lane.entry, lanes):
                lane.open(patience)
        running = [lane for lane in lanes if lane.is_open]
        for lane in running:
            lane.attempt(lambda worker: worker.look(folders[0]))
        planned = list(turns(len(running), len(folders), rounds))
        for number, turn in enumerate(planned, 1):
            running[turn.contestant].look(turn, folders[turn.folder])
            done(number, len(planned))
        runs = [run for lane in running if (run := lane.finish(pairs))]
        return runs, [lane.absent for lane in lanes if lane.absent]


class _Lane:
    """One contestant and what was seen of it so far."""

    def __init__(self, entry: Entry, rounds: int, folders: int) -> None:
        self.entry = entry
        self.absent: Absent | None = None
        self._worker: Worker | None = None
        self._seconds = np.zeros((rounds, folders))
        self._faces: list[list[int]] = [[] for _ in range(folders)]
        self._memory_mb: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def is_open(self) -> bool:
        """Whether it takes part, so far."""
        return self._worker is not None

    def open(self, patience: Patience) -> None:
        """Start it and wait until its networks are open."""
        try:
            self._worker = Worker(
                self.entry.command, self.entry.options, install=self.entry.install, patience=patience
            )
        except Withdrawn as error:
            self._give_up(error)

    def attempt(self, what: Callable[[Worker], T]) -> T | None:
        """Ask something of it; None if it takes part no more."""
        if self._worker is None:
            return None
        try:
            return what(self._worker)
        except Withdrawn as error:
            self._give_up(error)
            return None

    def look(self, turn: Turn, photos: Sequence[str]) -> None:
        """Take a turn."""
        time.sleep(_REST_S)
        seen = self.attempt(lambda worker: worker.look(photos))
        if seen is not None:
            self._seconds[turn.round, turn.folder] = seen.seconds
            self._faces[turn.folder] = seen.faces
            self._memory_mb = seen.memory_mb

    def finish(self, pairs: Sequence[tuple[str, str]]) -> Run | None:
        """Ask for the distances, and add up; None if it does not come through."""
        opened = self.attempt(lambda worker: worker.opened)
        distances = self.attempt(lambda worker: worker.judge(pairs))
        if opened is None or distances is None:
            return None
        return Run(
            entry=self.entry,
            versions=opened.versions,
            threshold=opened.threshold,
            seconds=self._seconds,
            faces=np.array([count for folder in self._faces for count in folder], np.int64),
            distance=np.array([np.inf if value is None else value for value in distances], np.float64),
            memory_mb=self._memory_mb,
        )

    def _give_up(self, error: Withdrawn) -> None:
        self._close()
        self.absent = Absent(
            self.entry.title if self.entry.rival else self.entry.name, error.message, error.hint
        )

    def _close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _is_wanted(entry: Entry, lanes: Sequence[_Lane]) -> bool:
    """Whether a Mien has a peer that is open, or never was to have one."""
    rivals = [lane for lane in lanes if lane.entry.rival == entry.name]
    return not rivals or any(lane.is_open for lane in rivals)
