"""One contestant's process: what is asked of it, what it answers, and what happens if it does not.

A line of JSON is asked and a line of JSON answered (`contestants/answering.py`). A contestant that ends,
answers something else or takes too long is out, and its process with it; the others never notice.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

RUNNER: Final = Path(__file__).with_name("contestants") / "answering.py"
# A line that is longer than any answer ends the contestant, not this process.
_LONGEST_LINE = 1 << 26
_LAST_LINES = 20
_COUNTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


class Withdrawn(Exception):
    """A contestant cannot take part, or no more. It ends no command: the race goes on without it.

    Args:
        message: Why.
        hint: What can be done about it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """A contestant has opened its networks.

    Attributes:
        versions: Of what it is made of, by name.
        threshold: Largest distance at which it says "the same person"; None if it states none.
    """

    versions: dict[str, str]
    threshold: float | None


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A contestant could not open its networks: something is missing, or it wanted to fetch it."""

    why: str
    what: str
    hint: str = ""


class Seen(msgspec.Struct, frozen=True, tag="looked"):
    """What became of some photographs.

    Attributes:
        seconds: For all of them, files read and decoded.
        faces: Found on each.
        memory_mb: Resident memory of the process afterwards; None where that is not known.
    """

    seconds: float
    faces: list[int]
    memory_mb: float | None


class Judged(msgspec.Struct, frozen=True, tag="judged"):
    """Distance of each pair of photographs; None where one of them showed no face."""

    distances: list[float | None]


Answer = TypeVar("Answer", Opened, Seen, Judged)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a contestant may take before it is given up: to open, and for each photograph."""

    open_s: float = 300.0
    photo_s: float = 60.0


class Worker:
    """A contestant's process; a context manager, which ends it.

    Args:
        command: Starts it.
        options: What it is to open; `threads` among it.
        install: What to do if something is missing that it needs.
        patience: How long it may take.

    Raises:
        Withdrawn: It cannot be started, or cannot open its networks.
    """

    def __init__(
        self,
        command: Sequence[str],
        options: Mapping[str, Any],
        *,
        install: str = "",
        patience: Patience = Patience(),
    ) -> None:
        self._install, self._patience = install, patience
        self._words: deque[str] = deque(maxlen=_LAST_LINES)
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=4)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own script, by an interpreter the user named
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | environment(options["threads"]),
            )
        except OSError as error:
            raise Withdrawn(f"{command[0]} cannot be started: {error.strerror or error}.") from error
        self._threads = [threading.Thread(target=read, daemon=True) for read in (self._listen, self._drain)]
        for thread in self._threads:
            thread.start()
        try:
            self.opened = self._ask(dict(options), Opened, patience.open_s)
        except Withdrawn:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self, photos: Sequence[str]) -> Seen:
        """Let it look at some photographs, all at once.

        Raises:
            Withdrawn: It did not answer as it should.
        """
        seen = self._ask({"look": photos}, Seen, self._patience.photo_s * len(photos))
        if len(seen.faces) != len(photos) or min(seen.faces, default=0) < 0 or not seen.seconds > 0:
            raise Withdrawn(f"answered for {len(seen.faces)} photographs of {len(photos)}, or in no time.")
        return seen

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """Ask how far photographs are apart that it has looked at.

        Raises:
            Withdrawn: It did not answer as it should.
        """
        judged = self._ask({"judge": pairs}, Judged, self._patience.open_s)
        if len(judged.distances) != len(pairs):
            raise Withdrawn(f"answered for {len(judged.distances)} pairs of {len(pairs)}.")
        return judged.distances

    def close(self) -> None:
        """End the process, by force if need be."""
        self._process.kill()
        self._process.wait()
        # One that writes and writes has filled the queue, and its reader waits for room.
        while any(thread.is_alive() for thread in self._threads):
            with suppress(queue.Empty):
                self._lines.get(timeout=0.01)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):  # it had gone before it was asked
                    pipe.close()

    def _ask(self, question: object, kind: type[Answer], seconds: float) -> Answer:
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(json.dumps(question).encode() + b"\n")
                stdin.flush()
        except OSError:
            raise Withdrawn(self._last_words()) from None
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise Withdrawn(f"did not answer within {seconds:.0f} seconds.") from None
        if not line:
            raise Withdrawn(self._last_words())
        try:
            answer = msgspec.json.decode(line, type=kind | Failed)
        except msgspec.DecodeError:
            raise Withdrawn("answered something that is no answer.") from None
        if isinstance(answer, Failed):
            raise self._refusal(answer)
        return answer

    def _refusal(self, failed: Failed) -> Withdrawn:
        if failed.why == "download":
            return Withdrawn(f"wants to fetch weights from {failed.what}, which is not allowed here.")
        if failed.why == "missing":
            what = failed.what if failed.what not in {"", "None"} else self._last_words()
            return Withdrawn(f"is not installed: {what}.", hint=self._install)
        return Withdrawn(failed.what, hint=failed.hint)

    def _last_words(self) -> str:
        """What it wrote last, once it has ended."""
        for thread in self._threads:
            thread.join(5)
        said = [line for line in self._words if line.strip()]
        return f"ended: {said[-1].strip()[:300]}" if said else f"ended with code {self._process.wait(5)}."

    def _listen(self) -> None:
        if self._process.stdout is not None:
            while line := self._process.stdout.readline(_LONGEST_LINE):
                self._lines.put(line)
        self._lines.put(b"")

    def _drain(self) -> None:
        if self._process.stderr is not None:
            for line in self._process.stderr:
                self._words.append(line.decode("utf-8", "replace"))


def environment(threads: int) -> dict[str, str]:
    """Variables by which libraries learn how many threads they may use; no contestant sees a GPU."""
    return {name: str(threads) for name in _COUNTS} | {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        # Threads of one that has answered must not slow the next.
        "OMP_WAIT_POLICY": "PASSIVE",
    }
