"""The table of times."""

from __future__ import annotations

from mien.pages.markup import Html, table, tag
from mien.tour.stopwatch import Timing
from mien.tour.tour import Tour

REST = "everything else"


def shares(timings: tuple[Timing, ...], whole_s: float) -> list[tuple[Timing, float]]:
    """Each stage with its share of the whole, 0..1, and last what no stage accounts for."""
    rest = Timing(REST, 0, max(0.0, whole_s - sum(timing.time_s for timing in timings)))
    return [(timing, timing.time_s / whole_s if whole_s else 0.0) for timing in (*timings, rest)]


def each_ms(timing: Timing) -> str:
    """Milliseconds for one picture; a dash for what is done once."""
    return f"{1000 * timing.time_s / timing.pictures:.1f}" if timing.pictures else "–"


def time_table(tour: Tour, timings: tuple[Timing, ...]) -> Html:
    """One row for each stage, with its share of the whole tour as a bar."""
    summaries = {pack.name: pack.summary for pack in tour.packs}
    rows: list[list[str]] = []
    for timing, share in shares(timings, tour.time_s):
        summary = summaries.get(timing.stage)
        name = tag("div", timing.stage, tag("small", summary) if summary else Html())
        bar = tag("span", tag("i", style=f"width:{100 * share:.1f}%"), class_="bar")
        pictures = str(timing.pictures or "–")
        rows.append([name, pictures, each_ms(timing), f"{1000 * timing.time_s:.0f}", f"{share:.0%}", bar])
    header = ["stage", "pictures", "ms a picture", "ms in all", "share", ""]
    return table(header, rows, numbers=frozenset((1, 2, 3, 4)))
