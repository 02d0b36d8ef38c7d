"""`mien demo`: the main job on photographs that come along, with a report to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import Detector, Device, Embedder, Threads, opened_kit

if TYPE_CHECKING:
    from rich.console import Console

    from mien.tour.stopwatch import Stopwatch
    from mien.tour.tour import Tour

REPORT = "write the report"


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Write the report and the annotated pictures there.")
    ] = Path("mien-demo"),
    detector: Detector = None,
    embedder: Embedder = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Recognise people in public-domain photographs and write a report to look at."""
    import shlex
    import sys
    from datetime import datetime

    from mien.cli.console import results
    from mien.runtime.machine import this_machine
    from mien.tour.photos import demo_photos, read_album
    from mien.tour.report import write_report
    from mien.tour.stopwatch import Stopwatch
    from mien.tour.tour import run_tour

    watch = Stopwatch()
    album = read_album(demo_photos())
    choices = {"detector": detector, "embedder": embedder, "device": device, "threads": threads}
    with opened_kit(observe=watch, store="memory", **choices) as kit:
        tour = run_tour(kit, album, out, watch)
    report = out / "report.html"
    with watch.measure(REPORT, 0):
        command = shlex.join((Path(sys.argv[0]).name, *sys.argv[1:]))
        write_report(tour, watch.timings(), this_machine(), command, datetime.now().astimezone(), report)
    console = results()
    _write_people(console, tour)
    _write_pairs(console, tour)
    _write_times(console, tour, watch)
    console.print(f"\nThe report: {report.resolve()}", markup=False, soft_wrap=True)


def _write_people(console: Console, tour: Tour) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mien.core.analysis import Failure
    from mien.tour.tour import shown_name

    photos = sum(len(person.photos) for person in tour.people)
    known = ", ".join(escape(person.name) for person in tour.people if person.photos)
    console.print(f"[bold]Known[/bold] from {photos} photographs: {known}\n")
    table = Table("picture", "who", "nearest", "distance", "similarity", "ms", box=None)
    for column in table.columns[3:]:
        column.justify = "right"
    for probe in tour.probes:
        picture, time_ms = escape(shown_name(tour.album, probe.photo)), f"{1000 * probe.time_s:.0f}"
        if isinstance(probe.found, Failure):
            table.add_row(picture, f"[red]{escape(probe.found.error.message)}[/red]", "", "", "", time_ms)
        elif not len(probe.found):
            table.add_row(picture, "[dim]no face[/dim]", "", "", "", time_ms)
        for match in probe.candidates():
            who = f"[bold blue]{escape(match.person)}[/]" if match.accepted else "[yellow]unknown[/yellow]"
            figures = f"{match.distance:.3f}", f"{match.similarity:.3f}"
            table.add_row(picture, who, escape(match.person), *figures, time_ms)
    console.print(table)


def _write_pairs(console: Console, tour: Tour) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mien.tour.tour import shown_name

    rule = tour.rule
    console.print(
        f"\n[bold]The same person?[/bold] Yes if the {rule.metric} distance is {rule.distance:g} or less.\n"
    )
    table = Table("one picture", "another", "verdict", "distance", "similarity", box=None)
    table.columns[2].no_wrap = True
    for column in table.columns[3:]:
        column.justify = "right"
    for pair in tour.pairs:
        names = (escape(shown_name(tour.album, image.source)) for image in (pair.a, pair.b))
        found = pair.verification
        verdict = "[bold blue]same person[/]" if found.verified else "[yellow]different people[/]"
        table.add_row(*names, verdict, f"{found.distance:.3f}", f"{found.similarity:.3f}")
    console.print(table)


def _write_times(console: Console, tour: Tour, watch: Stopwatch) -> None:
    from rich.table import Table

    from mien.tour.times import each_ms, shares

    timings = watch.timings()
    whole_s = tour.time_s + sum(timing.time_s for timing in timings if timing.stage == REPORT)
    console.print(f"\n[bold]Time[/bold] of each stage, {whole_s:.1f} s in all\n")
    table = Table("stage", "pictures", "ms a picture", "ms in all", "share", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for timing, share in shares(timings, whole_s):
        pictures = str(timing.pictures or "–")
        table.add_row(timing.stage, pictures, each_ms(timing), f"{1000 * timing.time_s:.0f}", f"{share:.0%}")
    console.print(table)
