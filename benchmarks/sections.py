"""Sections of docs/benchmarks.md, each stamped with what it was measured on."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

REST_S = 0.03
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def stamp(*distributions: str) -> str:
    """One line that says when, on what, and with which versions."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=PAGE.parent
    ).stdout.strip()
    cpus = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", cpus.read_text()) if cpus.exists() else None
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("onnxruntime", *distributions))
    processor = model.group(1) if model else platform.processor()
    return (
        f"Measured {datetime.now(UTC).date()} at commit {commit}, {processor}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions}."
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers are right-aligned."""
    right = ["---:" if i else ":---" for i in range(len(header))]
    lines = [header, right, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write(name: str, text: str) -> None:
    """Print a section and put it into the page between its markers."""
    print(text)
    page = PAGE.read_text("utf-8")
    start, end = f"<!-- measured: {name} -->", "<!-- end -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"{PAGE} has no place for {name}: {start} ... {end}")
    PAGE.write_text(pattern.sub(lambda _: f"{start}\n{text}\n{end}", page), "utf-8")


def interleaved(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each contestant.

    They take turns, so that noise hits all alike, with a rest between, so that the idle threads of one do
    not slow the next; each turn begins with a run that does not count, because it wakes threads and caches.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            time.sleep(REST_S)
            run()
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def memory_mb() -> float:
    """Resident memory of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pictures_folder() -> list[Path]:
    """Real photographs: ../shared/data/faces_wild where it is, the demo photographs otherwise."""
    root = Path(__file__).parents[1]
    wild = root.parent / "shared" / "data" / "faces_wild"
    return [wild if wild.exists() else root / "examples" / "photos"]
