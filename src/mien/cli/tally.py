"""How a command over many pictures went, and so how it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import typer

from mien.cli import exits
from mien.cli.console import remarks
from mien.core.analysis import Failure
from mien.errors import InputError, MienError

T = TypeVar("T")


class Tally:
    """Counts results as they pass; Ctrl-C ends them early, so that what was done is still written."""

    def __init__(self) -> None:
        self.done = 0
        self.errors: list[MienError] = []
        self.stopped = False

    def counting(self, results: Iterable[T]) -> Iterator[T]:
        """Pass results on."""
        try:
            for result in results:
                self.done += 1
                if isinstance(result, Failure):
                    self.errors.append(result.error)
                yield result
        except KeyboardInterrupt:
            self.stopped = True

    def finish(self) -> None:
        """End the command with the exit code that fits; returns if all went well.

        Raises:
            InputError: There were no pictures at all.
            typer.Exit: Something failed, or the user stopped it.
        """
        if self.stopped:
            remarks().print(f"Stopped after {self.done} pictures.")
            raise typer.Exit(exits.INTERRUPTED)
        if not self.done:
            raise InputError("No pictures were found.", hint="Name pictures, or folders that hold some.")
        if len(self.errors) == self.done:
            raise typer.Exit(exits.exit_code(self.errors[0]))
        if self.errors:
            raise typer.Exit(exits.PARTIAL)
