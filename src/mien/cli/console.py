"""Where a command writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console


def results() -> Console:
    """What was asked for; a pipe gets this and nothing else."""
    return Console(highlight=False)


def remarks() -> Console:
    """Progress, licences, questions."""
    return Console(stderr=True, highlight=False)


def write_json(value: Any) -> None:  # noqa: ANN401 - anything that msgspec encodes
    """Write a result as indented JSON."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show one bar per stage while the block runs; gives what the rooms below report to.

    A terminal sees bars that move; a log file sees each of them once, finished.
    """
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TaskProgressColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=remarks()) as bars:

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report
