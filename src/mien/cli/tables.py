"""Writing what `analyze` finds, as a table, JSON, JSON lines or CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from mien.cli.console import remarks, results, write_json
from mien.cli.rows import csv_header, csv_rows, photo_row
from mien.core.analysis import Analysis, Failure
from mien.errors import MienError

T = TypeVar("T")
Results = Iterable[Analysis | Failure]


def write_analyses(found: Results, form: str) -> None:
    """Write results in one of the forms of `FORMS`."""
    FORMS[form](found)


def watched(found: Iterable[T], total: int) -> Iterator[T]:
    """Pass results on and show how many are done, on a terminal."""
    from rich.progress import track

    console = remarks()
    quiet = total < 2 or not console.is_terminal
    yield from track(found, "pictures", total, console=console, disable=quiet, transient=True)


def write_error(error: MienError, where: str = "") -> None:
    """Write an error and its hint to stderr."""
    console = remarks()
    console.print(f"[bold red]error[/bold red] {error.code}: ", end="")
    console.print(f"{where}{error.message}", markup=False, soft_wrap=True)
    if error.hint:
        console.print(f"  {error.hint}", markup=False, soft_wrap=True)


def _write_table(found: Results) -> None:
    from rich.table import Table

    table = Table("picture", "size", "faces", "boxes (x1 y1 x2 y2, score)", box=None)
    done = 0
    for result in found:
        done += 1
        if isinstance(result, Failure):
            write_error(result.error)
            continue
        boxes = (f"{' '.join(f'{x:.0f}' for x in face.box)}, {face.score:.2f}" for face in result.faces)
        width, height = result.image.size_wh
        table.add_row(_plain(result.source), f"{width} x {height}", str(len(result.faces)), "\n".join(boxes))
    if table.row_count:
        results().print(table)
    elif not done:
        remarks().print("No pictures were found.")


def _write_json(found: Results) -> None:
    write_json([photo_row(result) for result in found])


def _write_jsonl(found: Results) -> None:
    for result in found:
        sys.stdout.write(msgspec.json.encode(photo_row(result)).decode() + "\n")
        sys.stdout.flush()


def _write_csv(found: Results) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(csv_header())
    for result in found:
        writer.writerows(csv_rows(result))


def _plain(text: str) -> str:
    """A name that rich does not read as markup."""
    from rich.markup import escape

    return escape(text)


FORMS: dict[str, Callable[[Results], None]] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
