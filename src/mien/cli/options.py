"""Options that several commands share, and the kit they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mien.gallery.gallery import Gallery
    from mien.gallery.store.store import Store
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
Use = Annotated[
    list[str] | None,
    typer.Option(
        "--use",
        metavar="COLUMN=PACK",
        help="Pack for any other column; can be given again.",
        rich_help_panel="Networks",
    ),
]
Fast = Annotated[
    bool, typer.Option("--fast", help="Look at small copies of pictures.", rich_help_panel="Networks")
]
Accurate = Annotated[
    bool,
    typer.Option(
        "--accurate",
        help="Look at tiles, from further away and turned; embed mirror images too.",
        rich_help_panel="Networks",
    ),
]
Search = Annotated[
    str | None,
    typer.Option(
        "--search",
        help="How to look for faces: fast, normal, tiny, close or thorough.",
        rich_help_panel="Networks",
    ),
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
Calibration = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="FILE",
        help="Decide by this file of mien calibrate; else by the one kept for the embedder.",
        rich_help_panel="Decision",
    ),
]
Fmr = Annotated[
    float | None,
    typer.Option(
        "--fmr",
        metavar="RATE",
        help="Decide at this false-match rate, such as 1e-4.",
        rich_help_panel="Decision",
    ),
]
Largest = Annotated[
    bool, typer.Option("--largest", help="Take the largest face of a picture that shows several.")
]


Collection = Annotated[
    str | None,
    typer.Option(
        "--collection", metavar="NAME", help="People of one purpose; else default.", rich_help_panel="Gallery"
    ),
]
StoreAddress = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="ADDRESS",
        help="SQLite file, or postgresql://user@host/database; else in MIEN_HOME.",
        rich_help_panel="Gallery",
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="WORD", help="Only people with this tag; can be given again."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@contextmanager
def opened_people(*, looking: bool = False, **choices: Any) -> Iterator[Mien]:  # noqa: ANN401 - fields of Settings
    """A `Mien` for work with its gallery, closed at the end, so that indexes are saved.

    Args:
        looking: Open the networks at once, with bars while packs are converted.
        **choices: As in `opened_kit`.
    """
    with opened_kit(**choices) as kit:
        kit.gallery()
        if looking:
            kit.stages_for(kit.keeping().columns)
    try:
        yield kit
    finally:
        kit.close()


@contextmanager
def opened_store(**choices: Any) -> Iterator[Store]:  # noqa: ANN401 - fields of Settings
    """The store alone, without networks, for work that needs none.

    Raises:
        StoreCorrupt: There is none.
    """
    import os

    from mien.errors import StoreCorrupt
    from mien.gallery.opening import exists, open_store
    from mien.settings import load_settings

    settings = load_settings(**choices)
    if not exists(settings.store_address):
        raise StoreCorrupt(
            "There is no store yet.", hint="The first enrolment makes one: mien enroll NAME PHOTOS..."
        )
    with open_store(settings.store_address, settings.key_name, os.environ) as store:
        yield store


@contextmanager
def opened_known(*, collection: str | None, store: str | None) -> Iterator[Gallery]:
    """The people of a collection, to be looked after: no network is needed, nothing is made.

    Raises:
        StoreCorrupt: There is no store.
        CollectionUnknown: There is no such collection.
    """
    from mien.gallery.choices import IndexChoices
    from mien.gallery.gallery import Gallery
    from mien.settings import load_settings

    settings = load_settings(collection=collection, store=store)
    with opened_store(store=store) as opened:
        choices = IndexChoices(folder=settings.indexes_dir)
        yield Gallery(opened, None, settings.collection, choices=choices)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone.

    Raises:
        BadRequest: Nobody is there to answer, and --yes was not given.
        typer.Abort: The answer is no.
    """
    import sys

    from mien.errors import BadRequest

    if yes:
        return
    if not sys.stdin.isatty():
        raise BadRequest(f"{question} Nobody is there to answer.", hint="Say it beforehand: --yes")
    typer.confirm(question, abort=True, err=True)


@contextmanager
def opened_kit(*, observe: Observer | None = None, **choices: Any) -> Iterator[Mien]:  # noqa: ANN401 - fields of Settings
    """Make a `Mien` that shows bars while packs are converted on first use.

    Args:
        observe: Told how long each stage took.
        **choices: Fields of `Settings`, None where not given; `use` as a list of `COLUMN=PACK`, and the
            flags `fast` and `accurate` for the profile.

    Raises:
        SettingsError: A choice cannot be used.
    """
    from mien.cli.console import progress_bars
    from mien.kit import Mien
    from mien.settings import load_settings, read_pairs

    if "use" in choices:
        choices["use"] = read_pairs(choices["use"]) if choices["use"] else None
    choices["profile"] = _profile(fast=choices.pop("fast", False), accurate=choices.pop("accurate", False))
    with progress_bars() as progress:
        yield Mien(load_settings(**choices), progress=progress, observe=observe)


def remark_on_detector(kit: Mien) -> None:
    """Say if a calibration is used for faces that another detector finds than it was measured with."""
    from mien.cli.console import remarks

    calibration, used = kit.rule().calibration, kit.manifest_for("box").name
    if calibration and calibration.detector not in ("", used):
        remarks().print(
            f"The calibration was measured on faces that {calibration.detector} found, not {used}.",
            markup=False,
        )


def _profile(*, fast: bool, accurate: bool) -> str | None:
    from mien.errors import BadRequest

    if fast and accurate:
        raise BadRequest("Choose one of --fast and --accurate.")
    return "fast" if fast else "accurate" if accurate else None
