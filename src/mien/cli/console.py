"""Where a command writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

# Columns of a table that nobody looks at through a window.
_PIPE_WIDTH = 400


def results() -> Console:
    """What was asked for; a pipe gets this and nothing else, on lines as long as they need to be."""
    console = Console(highlight=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=_PIPE_WIDTH)


def remarks() -> Console:
    """Progress, licences, questions."""
    return Console(stderr=True, highlight=False, emoji=False)


def write_json(value: Any) -> None:  # noqa: ANN401 - anything that msgspec encodes
    """Write a result as indented JSON."""
    import msgspec

    write_text(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def write_text(text: str) -> None:
    """Write to stdout at once; ends the command in peace when the reader has gone, as `head` does."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at exit; give it somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def write_private(file: Path, content: bytes) -> None:
    """Write a file with somebody's face, which nobody else on the machine may read."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_bytes(content)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show one bar per stage while the block runs; gives what the rooms below report to.

    A terminal sees bars that move; a log file sees each of them once, finished.
    """
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TaskProgressColumn())
    bars = Progress(*columns, console=remarks())
    tasks: dict[str, TaskID] = {}

    def report(stage: str, done: int, total: int) -> None:
        if not tasks:
            bars.start()  # not before: bars that never appear would leave an empty line
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
        bars.update(tasks[stage], completed=done, total=total)

    try:
        yield report
    finally:
        if tasks:
            bars.stop()
