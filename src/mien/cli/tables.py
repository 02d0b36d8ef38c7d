"""Writing what `analyze` finds, as a table, JSON, JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from mien.answers.pictures import photo_row
from mien.cli.console import remarks, results, write_json, write_text
from mien.cli.csv import csv_header, csv_rows
from mien.cli.summary import summary
from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.errors import MienError

T = TypeVar("T")
Results = Iterable[Analysis | Failure]


def write_analyses(found: Results, form: str, columns: Sequence[str]) -> None:
    """Write results in one of the forms of `FORMS`; only these columns are in a CSV."""
    FORMS[form](found, columns)


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


def common_folder(sources: Iterable[str]) -> str:
    """The folder that all sources lie in, to be left out where room is scarce; empty if there is none."""
    parents = [os.path.dirname(source) for source in sources]  # noqa: PTH120 - names need not be paths
    try:
        return os.path.commonpath(parents) if parents else ""
    except ValueError:  # absolute and relative, or several drives
        return ""


def shown_source(source: str, folder: str) -> str:
    """A source without the common folder, safe for rich, which reads brackets as markup."""
    from rich.markup import escape

    inside = source.removeprefix(folder).lstrip("/\\") if folder else source
    shown = inside or source
    # What a terminal would obey, or cannot show, is spelt out.
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown))


def _write_table(found: Results, _: Sequence[str]) -> None:
    from rich.table import Table

    rows: list[tuple[str, Faces]] = []  # not the pictures, which would fill the memory
    for result in found:
        if isinstance(result, Failure):
            write_error(result.error)
        else:
            rows.append((result.source, result.faces))
    if not rows:
        return
    table = Table(box=None)
    table.add_column("picture", overflow="fold")
    for name in ("size", "faces", "boxes (x1 y1 x2 y2, score)"):
        table.add_column(name, no_wrap=True)
    details = ["\n".join(summary(face) for face in faces) for _, faces in rows]
    told = any(said.strip() for said in details)
    if told:
        table.add_column("what they look like")
    folder = common_folder(source for source, _ in rows)
    for (source, faces), said in zip(rows, details, strict=True):
        boxes = (f"{' '.join(f'{x:.0f}' for x in face.box)}, {face.score:.3f}" for face in faces)
        size, count = "{} x {}".format(*faces.size_wh), str(len(faces))
        cells = (shown_source(source, folder), size, count, "\n".join(boxes))
        table.add_row(*cells, *([said] if told else []))
    results().print(table)


def _write_json(found: Results, _: Sequence[str]) -> None:
    write_json([photo_row(result) for result in found])


def _write_jsonl(found: Results, _: Sequence[str]) -> None:
    for result in found:
        write_text(msgspec.json.encode(photo_row(result)).decode() + "\n")


def _write_csv(found: Results, columns: Sequence[str]) -> None:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(csv_header(columns))
    for result in found:
        writer.writerows(csv_rows(result, columns))
        write_text(line.getvalue())
        line.seek(0)
        line.truncate()
    write_text(line.getvalue())


FORMS: dict[str, Callable[[Results, Sequence[str]], None]] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
