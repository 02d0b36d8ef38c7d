"""The tour as one HTML file that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path

from mien.errors import BadRequest
from mien.pages.markup import Html, tag
from mien.pages.page import document, facts, mark, section
from mien.runtime.machine import Machine
from mien.tour.sections import (
    count,
    decision,
    figures,
    machine_facts,
    pack_table,
    pair_list,
    people_list,
    probe_cards,
)
from mien.tour.stopwatch import Timing
from mien.tour.times import time_table
from mien.tour.tour import Tour, make_folder


def write_report(
    tour: Tour, timings: tuple[Timing, ...], machine: Machine, command: str, made: datetime, path: Path
) -> None:
    """Write the report.

    Args:
        tour: What was seen.
        timings: What each stage took.
        machine: What it ran on.
        command: The command line that made it.
        made: When.
        path: File to write or replace.

    Raises:
        BadRequest: It cannot be written.
    """
    page = report_page(tour, timings, machine, command, made)
    make_folder(path.parent)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror or error}.") from error


def report_page(
    tour: Tour, timings: tuple[Timing, ...], machine: Machine, command: str, made: datetime
) -> str:
    """Lay out the whole page; arguments as in `write_report`."""
    main = tag(
        "main",
        _header(tour),
        section(
            "Who is in these pictures?",
            "Blue is somebody we know, orange is not.",
            probe_cards(tour),
        ),
        section(
            "The people we know", "Each was enrolled from these photographs and no others.", people_list(tour)
        ),
        section(
            "The same person?",
            "Photographs compared two by two: one person's with each other, different people's, and each "
            "unknown face with whoever comes nearest.",
            pair_list(tour),
        ),
        section("How it decides", "", decision(tour.rule)),
        section("Where the time went", "", time_table(tour, timings)),
        section("The networks", "Their licences are those of the weights.", pack_table(tour.packs)),
        section("The machine", "", machine_facts(tour, machine, command)),
        tag("footer", f"Made by Mien {machine.mien} on {made:%d %B %Y at %H:%M}. Nothing left this machine."),
    )
    css = files("mien.tour").joinpath("report.css").read_text("utf-8")
    return document("Mien: who is in these pictures?", main, css=(css,))


def _header(tour: Tour) -> Html:
    known, seen = figures(tour)
    return tag(
        "header",
        mark(),
        tag("h1", _headline(tour)),
        tag(
            "p",
            f"{known} were made known, then looked for in {seen}. Everything was computed on this machine.",
            class_="lede",
        ),
        facts(_facts(tour)),
    )


def _headline(tour: Tour) -> str:
    names = [name for probe in tour.probes for name in probe.names()]
    if not names:
        return "No face was found."
    named = sum(name is not None for name in names)
    strangers = len(names) - named
    return f"{count(named, 'face', 'faces')} named, {count(strangers, 'stranger', 'strangers')} left unnamed."


def _facts(tour: Tour) -> dict[str, str]:
    readable = [probe for probe in tour.probes if probe.annotated]
    each_s = sum(probe.time_s for probe in readable) / len(readable) if readable else 0.0
    right = [pair for pair in tour.pairs if pair.expected is not None]
    agree = sum(pair.verification.verified == pair.expected for pair in right)
    return {
        "people known": str(sum(bool(person.photos) for person in tour.people)),
        "pictures looked at": str(len(tour.probes)),
        "pairs of known answer decided rightly": f"{agree} of {len(right)}",
        "to decode and name one picture": f"{1000 * each_s:.0f} ms",
        "in all": f"{tour.time_s:.1f} s",
    }
