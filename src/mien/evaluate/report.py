"""An evaluation as files: a page to look at, JSON to compute with, charts to put into documents."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from mien.errors import BadRequest
from mien.evaluate.charts.drawing import draw, draw_file
from mien.evaluate.evaluation import Chart, Evaluation, Table
from mien.evaluate.provenance import Provenance
from mien.pages.markup import Html, facts_table, table, tag
from mien.pages.page import document, facts, mark, section
from mien.pages.words import printable

_NUMERIC = re.compile(r"[–−-]?\s?(\d[\d,.]*(\s?%)?|$)")


def write_report(evaluation: Evaluation, provenance: Provenance, folder: Path) -> None:
    """Write `report.html`, `report.json` and `figures/*.svg`.

    Files that are there are replaced, each at once; others in the folder stay.

    Args:
        evaluation: What was measured.
        provenance: How.
        folder: Made if need be.

    Raises:
        BadRequest: It cannot be written.
        ExtraMissing: Matplotlib, which draws the charts, is not installed.
    """
    contents = {
        **{Path("figures", f"{name}.svg"): draw_file(chart) for name, chart in _named(evaluation.charts)},
        Path("report.json"): msgspec.json.format(
            msgspec.json.encode(as_json(evaluation, provenance)), indent=2
        ).decode(),
        Path("report.html"): report_page(evaluation, provenance),
    }
    for path, text in contents.items():
        _write(folder / path, text)


def as_json(evaluation: Evaluation, provenance: Provenance) -> dict[str, Any]:
    """Every measure under its name, and `provenance`; what `--json` prints and `report.json` holds."""
    measures: dict[str, Any] = msgspec.to_builtins(evaluation.measures)
    return {**_encodable(measures), "provenance": _encodable(msgspec.to_builtins(provenance))}


def report_page(evaluation: Evaluation, provenance: Provenance) -> str:
    """Lay out the whole page.

    Raises:
        ExtraMissing: Matplotlib, which draws the charts, is not installed.
    """
    main = tag(
        "main",
        tag(
            "header",
            mark(evaluation.noun),
            tag("h1", printable(evaluation.headline)),
            facts(_facts(evaluation)) if evaluation.facts else Html(),
        ),
        *(section(printable(part.title), printable(part.note), _table(part)) for part in evaluation.tables),
        section("Charts", "", tag("div", *map(_figure, evaluation.charts), class_="figures"))
        if evaluation.charts
        else Html(),
        section("How this was measured", "", _provenance(provenance)),
        tag("footer", f"Made by Mien {provenance.mien} on {provenance.made}. Nothing left this machine."),
    )
    css = files("mien.evaluate").joinpath("report.css").read_text("utf-8")
    return document(f"Mien {evaluation.noun}: {printable(evaluation.headline)}", main, css=(css,))


def is_numeric(part: Table, column: int) -> bool:
    """Whether a column of a table holds numbers, to be aligned at their ends."""
    cells = [row[column] for row in part.rows]
    return any(cells) and all(_NUMERIC.fullmatch(cell) for cell in cells)


def _table(part: Table) -> Html:
    if not part.rows:
        return tag("p", "Nothing to show.", class_="empty")
    numbers = frozenset(i for i in range(len(part.header)) if is_numeric(part, i))
    header = [printable(title) for title in part.header]
    return table(header, [[printable(cell) for cell in row] for row in part.rows], numbers=numbers)


def _figure(chart: Chart) -> Html:
    note = tag("p", printable(chart.note), class_="soft") if chart.note else Html()
    return tag("figure", tag("figcaption", tag("h3", printable(chart.title)), note), Html(draw(chart)))


def _facts(evaluation: Evaluation) -> dict[str, str]:
    return {printable(name): printable(value) for name, value in evaluation.facts.items()}


def _provenance(provenance: Provenance) -> Html:
    machine = provenance.machine
    hardware = [machine.processor or machine.system, f"{machine.cores} cores"]
    if machine.memory_bytes:
        hardware.append(f"{machine.memory_bytes / 2**30:.1f} GiB of memory")
    rows: list[tuple[str, str]] = [
        ("command", tag("code", printable(provenance.command))),
        *((printable(role), printable(name)) for role, name in provenance.data.items()),
        *(
            [("could not be used", f"{len(provenance.unusable):,} photographs")]
            if provenance.unusable
            else []
        ),
        *((f"pack {name}", tag("code", digest)) for name, digest in provenance.packs.items()),
        ("Mien", provenance.mien),
        *([("commit", tag("code", provenance.commit))] if provenance.commit else []),
        ("ONNX Runtime", machine.onnxruntime),
        ("Python", machine.python),
        ("machine", ", ".join(hardware)),
        ("system", machine.system),
        ("made", provenance.made),
    ]
    return facts_table(rows)


def _named(charts: Sequence[Chart]) -> Iterator[tuple[str, Chart]]:
    """Charts with names for their files: their titles, in letters that every disk takes."""
    seen: dict[str, int] = {}
    for chart in charts:
        name = re.sub(r"[^a-z0-9]+", "-", chart.title.lower()).strip("-")[:60] or "chart"
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}-{seen[name]}"), chart


def _encodable(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The same with every text fit for UTF-8: names of files may hold bytes that are not."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(inner) for key, inner in value.items()}
    return [_encodable(inner) for inner in value] if isinstance(value, list) else value


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Choose another folder with --report.",
        ) from error
