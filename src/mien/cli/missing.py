"""`mien missing`: look for a missing person among many, and keep looking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import exits
from mien.cli.options import (
    Calibration,
    Collection,
    Detector,
    Device,
    Embedder,
    Fmr,
    Json,
    Largest,
    Search,
    StoreAddress,
    Tags,
    Threads,
    opened_kit,
    remark_on_detector,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mien.errors import MienError
    from mien.gallery.gallery import Gallery
    from mien.kit import Mien
    from mien.people.cases import Case
    from mien.people.watching import News

app = typer.Typer(
    no_args_is_help=True,
    help="Look for a missing person among everybody who is enrolled. A case is a folder with a page.",
)
Folder = Annotated[Path, typer.Argument(metavar="CASE", help="Folder of the case.")]
_LISTED = 10


@app.command()
def new(
    folder: Annotated[
        Path, typer.Argument(metavar="CASE", help="Folder for the case; made if it is missing.")
    ],
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTO[=YEAR]...", help="Photographs of the person, and when they were taken."
        ),
    ],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What the case is called.")] = "",
    notes: Annotated[str, typer.Option("--notes", metavar="TEXT", help="Anything else, for the page.")] = "",
    largest: Largest = False,
    collection: Collection = None,
    tag: Tags = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Begin a case. Photographs may be years apart; say when they were taken: boy.jpg=1998 man.jpg=2019.

    Without a year the date in the photograph counts. The folder shows and names people, unencrypted.
    """
    from mien.cli.console import remarks
    from mien.people.case_run import Wanted, begin_case

    with opened_kit(
        collection=collection,
        detector=detector,
        embedder=embedder,
        search=search,
        device=device,
        threads=threads,
    ) as kit:
        wanted = Wanted(
            photographs=tuple(_photograph(word) for word in photos),
            title=title,
            notes=notes,
            collection=kit.settings.collection,
            tags=tuple(tag or ()),
            face="largest" if largest else "only",
        )
        case = begin_case(folder, wanted, kit.analyze)
    undated = sum(not probe.taken for probe in case.probes)
    said = f"{folder} holds a case with {len(case.probes)} photographs" + (
        f", {undated} undated" if undated else ""
    )
    remarks().print(
        f"{said}. What it holds is not encrypted. Next: mien missing run {folder}",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def run(
    folder: Folder,
    as_json: Json = False,
    store: StoreAddress = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    calibration: Calibration = None,
    fmr: Fmr = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Look for the person of a case; the folder gets a page to review: case.html."""
    from mien.cli.console import remarks, write_json
    from mien.people.case_run import run_case

    with (
        opened_kit(
            store=store,
            detector=detector,
            embedder=embedder,
            search=search,
            calibration=calibration,
            fmr=fmr,
            device=device,
            threads=threads,
        ) as kit,
        kit,
    ):
        case, _ = run_case(folder, _galleries(kit), kit.analyze)
        remark_on_detector(kit)
    if as_json:
        write_json(case)
        return
    _write_table(case)
    remarks().print(f"Look at {folder / 'case.html'}", markup=False, soft_wrap=True)


@app.command()
def watch(
    folders: Annotated[list[Path], typer.Argument(metavar="CASE...", help="Folders of cases.")],
    every: Annotated[
        float,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="How often to look whether people came."),
    ] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Look once; for schedulers such as cron.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON document a line.", rich_help_panel="Output")
    ] = False,
    store: StoreAddress = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    calibration: Calibration = None,
    fmr: Fmr = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Run cases again whenever people were added, and tell only who is new or came nearer. Ctrl-C ends it."""
    import time
    from functools import partial

    from mien.cli.tables import write_error
    from mien.people.case_folder import read_case
    from mien.people.case_run import run_case
    from mien.people.watching import News
    from mien.people.watching import watch as watch_cases

    for folder in folders:
        read_case(folder)  # a mistyped name is no reason to wait

    def pause() -> bool:
        if not once:
            time.sleep(every)
        return not once

    failed: dict[Path, MienError] = {}
    with (
        opened_kit(
            store=store,
            detector=detector,
            embedder=embedder,
            search=search,
            calibration=calibration,
            fmr=fmr,
            device=device,
            threads=threads,
        ) as kit,
        kit,
    ):
        ran = partial(run_case, gallery=_galleries(kit), analyze=kit.analyze)
        for told in watch_cases(folders, kit.store(), ran, pause):
            if isinstance(told, News):
                _tell(told, as_json=as_json)
            else:
                failed[told[0]] = told[1]
                write_error(told[1], f"{told[0]}: ")
    if len(failed) == len(set(folders)):
        raise typer.Exit(exits.exit_code(next(iter(failed.values()))))
    if failed:
        raise typer.Exit(exits.PARTIAL)


@app.command()
def review(
    folder: Folder,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Name or identifier of a candidate.")],
    say: Annotated[str, typer.Option("--say", help="Is it who is looked for? yes, no or unsure.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Anything else, for the page.")] = "",
) -> None:
    """Say what you think of a candidate; the case keeps it, whoever is found later."""
    from mien.cli.console import remarks
    from mien.errors import BadRequest
    from mien.people.case_folder import review as keep
    from mien.people.cases import SAYS

    says = {word: word for word in SAYS}.get(say)  # type: ignore[call-overload]
    if says is None:
        raise BadRequest(f"A review says {', '.join(SAYS)}, not {say!r}.")
    case = keep(folder, person, says, note)
    remarks().print(f"Kept; {len(case.reviews)} reviewed.", markup=False)


def _photograph(word: str) -> tuple[Path, str]:
    """A path and the year behind it; a file whose name has an equals sign in it is a file."""
    path, sign, taken = word.rpartition("=")
    return (Path(path), taken) if sign and not Path(word).exists() else (Path(word), "")


def _galleries(kit: Mien) -> Callable[[str], Gallery]:
    """Galleries by name of those that exist: a case makes none."""
    from mien.gallery.store.reading import collection_named

    def gallery(name: str) -> Gallery:
        with kit.store().reading() as snapshot:
            collection_named(snapshot, name)
        return kit.gallery(name)

    return gallery


def _write_table(case: Case) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mien.cli.console import remarks, results
    from mien.pages.words import printable
    from mien.people.case_words import DECISIONS, gap_words, list_words, margin_words, percent

    found = case.run
    if found is None or not found.candidates:
        results().print(f"Nobody is enrolled in {case.collection} who could be compared.", markup=False)
        return
    table = Table(box=None)
    for title in (
        "",
        "who",
        "decision",
        f"mean {found.metric} distance",
        "probability",
        "the next",
        "years between",
    ):
        table.add_column(title, overflow="fold")
    table.add_column("reviewed")
    for one in found.candidates[:_LISTED]:
        chance = "" if one.probability is None else percent(one.probability)
        said = case.reviews.get(one.person_id)
        who = f"{escape(printable(one.person))} [dim]{one.person_id}[/dim]"
        numbers = (f"{one.score:.3f}", chance, margin_words(one), gap_words(one.gap_years))
        table.add_row(str(one.rank), who, DECISIONS[one.decision], *numbers, said.says if said else "")
    results().print(table)
    more = len(found.candidates) - _LISTED
    if more > 0:
        remarks().print(f"and {more} more.", markup=False)
    remarks().print(list_words(found), markup=False, soft_wrap=True)


def _tell(news: News, *, as_json: bool) -> None:
    import msgspec

    from mien.cli.console import write_text
    from mien.pages.words import printable
    from mien.people.case_words import DECISIONS, percent

    if as_json:
        write_text(msgspec.json.encode(news).decode() + "\n")
        return
    was = "" if news.was_rank is None else f" (was {news.was_rank})"
    chance = "" if news.probability is None else f", probability {percent(news.probability)}"
    write_text(
        f"{printable(news.case)}: place {news.rank}{was}: {printable(news.person)} {news.person_id}, "
        f"{DECISIONS[news.decision]}, mean distance {news.score:.3f}{chance}\n"
    )
