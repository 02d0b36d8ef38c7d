"""What the commands that look at photographs share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mien.core.analysis import Analysis, Failure
    from mien.evaluate.looking import Analyze
    from mien.kit import Mien
    from mien.packs.manifest import Manifest

Images = Annotated[
    Path, typer.Option("--images", metavar="DIR", help="Folder that the names in the file start from.")
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="DIR",
        help="Write report.html, report.json and the figures there.",
        rich_help_panel="Output",
    ),
]


def watched_analyze(analyze: Analyze, failed: Callable[[Failure], None] = lambda _: None) -> Analyze:
    """`Mien.analyze`, with a bar on a terminal; photographs that cannot be used are named on stderr.

    Args:
        analyze: `Mien.analyze`.
        failed: Told of each of these.
    """

    def watching(photos: Any, columns: Sequence[str]) -> Iterator[Analysis | Failure]:  # noqa: ANN401 - as it has it
        from mien.cli.tables import watched, write_error
        from mien.core.analysis import Failure

        for result in watched(analyze(photos, columns), len(photos)):
            if isinstance(result, Failure):
                write_error(result.error)
                failed(result)
            yield result

    return watching


def networks(kit: Mien, columns: Sequence[str]) -> list[Manifest]:
    """The packs that compute these columns."""
    return [kit.packs.manifest(stage.name) for stage in kit.stages_for(columns)]


def needs_extra(report: Path | None) -> None:
    """Say at once, not after an hour, that something is not installed, or that a report has no place.

    Raises:
        ExtraMissing: The extra `evaluate` is needed.
        BadRequest: The folder of the report cannot be made.
    """
    from importlib.util import find_spec

    from mien.errors import BadRequest, ExtraMissing

    wanted = ("sklearn", "scipy", *(("matplotlib",) if report else ()))
    if missing := [name for name in wanted if find_spec(name) is None]:
        raise ExtraMissing.of("evaluate", f"Not installed: {', '.join(missing)}.")
    if report:
        try:
            report.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadRequest(f"{report} cannot be made: {error.strerror or error}.") from error
