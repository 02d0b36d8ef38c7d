"""How every `mien evaluate` ends: figures on stdout, a report where one was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.cli import exits

if TYPE_CHECKING:
    from rich.console import Console

    from mien.core.analysis import Failure
    from mien.evaluate.evaluation import Evaluation, Table
    from mien.packs.manifest import Manifest


def finish(
    evaluation: Evaluation,
    packs: Sequence[Manifest],
    data: Mapping[str, Path | str | None],
    report: Path | None,
    as_json: bool,
    failures: Sequence[Failure] = (),
    ends: int = exits.FINE,
) -> None:
    """Write the outcome of an evaluation.

    Figures come first: what took an hour must not be lost to a folder that cannot be written.

    Args:
        evaluation: The outcome.
        packs: Networks that took part.
        data: What was read, by its role, as it was named; None where nothing was.
        report: Folder of the report; None: no report.
        as_json: Write one JSON document instead of tables.
        failures: Photographs that could not be used; they are counted in the figures and named in JSON.
        ends: Exit code of the answer, which weighs more than that of the failures.

    Raises:
        typer.Exit: There are failures, or the answer has a code.
        BadRequest: The report cannot be written.
        ExtraMissing: Matplotlib, which draws its charts, is not installed.
    """
    import shlex
    import sys

    from mien.cli.console import remarks, results, write_json
    from mien.evaluate import report as reports
    from mien.evaluate.provenance import provenance

    command = shlex.join((Path(sys.argv[0]).name, *sys.argv[1:]))
    read = {role: str(named) for role, named in data.items() if named is not None}
    made = provenance(command, packs, read, failures)
    if as_json:
        write_json(reports.as_json(evaluation, made))
    else:
        _write_tables(results(), evaluation)
    if report is not None:
        reports.write_report(evaluation, made, report)
        remarks().print(f"The report: {report / 'report.html'}", markup=False, soft_wrap=True)
    if failures:
        remarks().print(f"{len(failures)} photographs could not be used.", markup=False)
    if code := ends or (exits.PARTIAL if failures else exits.FINE):
        raise typer.Exit(code)


def _write_tables(console: Console, evaluation: Evaluation) -> None:
    from rich.text import Text

    from mien.pages.words import printable

    console.print(Text(printable(evaluation.headline), style="bold"))
    for table in evaluation.tables:
        console.print()
        _write_table(console, table)


def _write_table(console: Console, table: Table) -> None:
    from rich.table import Table as RichTable
    from rich.text import Text

    from mien.evaluate.report import is_numeric
    from mien.pages.words import printable

    shown = RichTable(box=None, title=Text(printable(table.title), style="bold"), title_justify="left")
    for i, title in enumerate(table.header):
        shown.add_column(Text(printable(title)), justify="right" if is_numeric(table, i) else "left")
    for row in table.rows:
        shown.add_row(*(Text(printable(cell)) for cell in row))
    console.print(shown)
    if table.note:
        console.print(Text(printable(table.note), style="dim"))
