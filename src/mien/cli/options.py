"""Options that several commands share, and the kit they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mien.kit import Mien
    from mien.pipeline.analyzer import Observer

Photos = Annotated[list[str], typer.Argument(metavar="PHOTOS...", help="Pictures, or folders of pictures.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document.", rich_help_panel="Output")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write annotated pictures there.", rich_help_panel="Output"),
]
Detector = Annotated[
    str | None,
    typer.Option("--detector", metavar="PACK", help="Pack that finds faces.", rich_help_panel="Networks"),
]
Embedder = Annotated[
    str | None,
    typer.Option("--embedder", metavar="PACK", help="Pack that compares.", rich_help_panel="Networks"),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="cpu, cuda, openvino or coreml; never replaced in silence.",
        rich_help_panel="Networks",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", help="Threads per network; 0: one per core.", rich_help_panel="Networks"),
]
Largest = Annotated[
    bool, typer.Option("--largest", help="Take the largest face of a picture that shows several.")
]


@contextmanager
def opened_kit(*, observe: Observer | None = None, **choices: Any) -> Iterator[Mien]:  # noqa: ANN401 - fields of Settings
    """Make a `Mien` that shows bars while packs are converted on first use."""
    from mien.cli.console import progress_bars
    from mien.kit import Mien
    from mien.settings import load_settings

    with progress_bars() as progress:
        yield Mien(load_settings(**choices), progress=progress, observe=observe)
