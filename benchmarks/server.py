"""What HTTP costs: requests a second of `mien serve` against the same work done in this process.

    make bench-server

Side by side with a thin handler as others write it (decode, find, embed, one photograph at a time), on the
same networks and photographs. Load comes from `wrk` (Debian: apt-get install wrk), another process on the
same machine, which takes a share of its cores too. Ratios are of measurements that follow each other.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mien import Mien
from mien.pipeline.stages import DETECTION
from sections import stamp, table, write

PHOTOS = Path(__file__).parents[1] / "examples" / "photos"
COLUMNS = (*DETECTION, "embedding")
CLIENTS = (1, 4, 16, 64)
BEYOND = 200

# Sends the photographs of a folder in turn; counts answers by status where that is asked for.
SCRIPT = """
local bodies, turn = {}, 0
for path in io.popen("ls %(folder)s/*"):lines() do
  local file = io.open(path, "rb"); bodies[#bodies + 1] = file:read("*a"); file:close()
end
request = function()
  turn = turn %% #bodies + 1
  return wrk.format("POST", nil, {["content-type"] = "image/jpeg"}, bodies[turn])
end
if %(count)s then
  local threads = {}
  statuses = {}
  setup = function(thread) table.insert(threads, thread) end
  response = function(status) statuses[status] = (statuses[status] or 0) + 1 end
  done = function()
    for _, thread in ipairs(threads) do
      for status, number in pairs(thread:get("statuses")) do print("STATUS", status, number) end
    end
  end
end
"""

THIN = """
import os, sys
from fastapi import FastAPI, Request
from mien import Image, Mien
from mien.media.images import open_image
from mien.pipeline.stages import DETECTION
import asyncio
app, kit = FastAPI(), Mien(store="memory")
kit.stages_for((*DETECTION, "embedding"))

def answer(content):
    found = kit.embed(open_image(content))
    return {"faces": [{"box": face.box.tolist(), "embedding": face.embedding.tolist()} for face in found]}

@app.get("/v1/health/ready")
async def ready():
    return {}

@app.post("/v1/embeddings")
async def embeddings(request: Request):
    return await asyncio.to_thread(answer, await request.body())
"""


@dataclass(frozen=True)
class Load:
    """What came of a load."""

    per_s: float
    p50_ms: float
    p99_ms: float
    failed: int
    statuses: dict[int, int]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20_000, help="for the memory; 0 leaves it out")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = folder / "photos"
        photos.mkdir()
        for i, path in enumerate(sorted(PHOTOS.glob("*/**/*.jpg"))):
            shutil.copy(path, photos / f"{i:02}.jpg")
        kit = Mien(store="memory")
        contents = [path.read_bytes() for path in sorted(photos.iterdir())]
        list(kit.analyze(contents, COLUMNS))
        used = f"detector {kit.stages.giver('box')}, embedder {kit.stages.giver('embedding')}"
        text = [stamp(), "", f"{len(contents)} photographs, {used}, {os.cpu_count()} cores.", ""]
        text += throughput(kit, contents, photos, folder, options)
        del kit
        if options.requests:
            text += ["", *memory(photos, folder, options.requests)]
    write("server", "\n".join(text))


def throughput(
    kit: Mien, contents: list[bytes], photos: Path, folder: Path, options: argparse.Namespace
) -> list[str]:
    ours: dict[int, list[tuple[Load, float]]] = {count: [] for count in CLIENTS}
    thin: dict[int, list[tuple[Load, float]]] = {count: [] for count in CLIENTS}
    with mien_server(folder) as (url, _), thin_server(folder) as (thin_url, _):
        for count in (4, 16):
            load(url, photos, folder, count, 2)
            load(thin_url, photos, folder, count, 2)
        for _ in range(options.rounds):
            for count in CLIENTS:
                # The load of the machine changes from minute to minute: what is compared stands together.
                alone = in_process(kit, contents, options.seconds / 2)
                ours[count].append((load(url, photos, folder, count, options.seconds), alone))
                thin[count].append((load(thin_url, photos, folder, count, options.seconds), alone))
        over = load(url, photos, folder, BEYOND, options.seconds, count=True)
    alone = statistics.median(base for found in ours.values() for _, base in found)
    told = ", ".join(f"{number:,} with status {status}" for status, number in sorted(over.statuses.items()))
    return [
        f"In this process, in batches: {alone:.1f} photographs/s.",
        "",
        table(HEADER, [(count, *row(ours[count]), *row(thin[count])) for count in CLIENTS]),
        "",
        f"Beyond saturation, {BEYOND} clients for {options.seconds:g} s: {told}; {over.failed} connections "
        f"failed. That is {over.statuses.get(200, 0) / options.seconds:.1f} photographs/s.",
    ]


HEADER = (
    "clients", "photographs/s", "share", "p50 ms", "p99 ms",
    "thin handler /s", "its share", "its p50 ms", "its p99 ms",
)  # fmt: skip


def row(found: list[tuple[Load, float]]) -> tuple[str, ...]:
    """Throughput, its share of what the same work takes in this process, and latencies; medians of rounds."""

    def median(of: Callable[[Load, float], float]) -> float:
        return statistics.median(of(*one) for one in found)

    return (
        f"{median(lambda one, _: one.per_s):.1f}",
        f"{median(lambda one, base: one.per_s / base):.2f}",
        f"{median(lambda one, _: one.p50_ms):.0f}",
        f"{median(lambda one, _: one.p99_ms):.0f}",
    )


def in_process(kit: Mien, contents: list[bytes], seconds: float) -> float:
    """Photographs a second."""
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        done += sum(1 for _ in kit.analyze(contents, COLUMNS))
    return done / (time.perf_counter() - begun)


def load(url: str, photos: Path, folder: Path, clients: int, seconds: float, *, count: bool = False) -> Load:
    """Ask for embeddings as fast as answers come."""
    script = folder / "load.lua"
    script.write_text(SCRIPT % {"folder": photos, "count": "true" if count else "false"})
    command = [
        "wrk",
        "-t1",
        f"-c{clients}",
        f"-d{seconds:g}s",
        "--timeout",
        "60s",
        "--latency",
        "-s",
        str(script),
    ]
    told = subprocess.run(
        [*command, f"{url}/v1/embeddings"], check=True, capture_output=True, text=True
    ).stdout

    def latency(percent: str) -> float:
        number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)", told).groups()
        return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]

    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    if refused and not count:
        sys.exit(f"{refused[1]} answers of {url} were errors at {clients} clients")
    return Load(
        float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]),
        latency("50"),
        latency("99"),
        sum(map(int, errors.groups())) if errors else 0,
        {int(a): int(b) for a, b in re.findall(r"STATUS\s+(\d+)\s+(\d+)", told)},
    )


def memory(photos: Path, folder: Path, wanted: int) -> list[str]:
    """Resident memory of the server while it answers many requests."""
    rows: list[tuple[int, float]] = []
    with mien_server(folder) as (url, pid):
        done = 0
        while done < wanted:
            done += round(load(url, photos, folder, 16, 30).per_s * 30)
            rows.append((done, resident_mib(pid)))
    every = max(1, len(rows) // 10)
    shown = [(f"{done:,}", f"{mib:.0f}") for done, mib in [rows[0], *rows[every::every]]]
    half = [mib for done, mib in rows if done >= wanted / 2]
    said = f"In the second half of {rows[-1][0]:,} requests: {min(half):.0f} to {max(half):.0f} MiB."
    return [table(("requests", "resident MiB"), shown), "", said]


@contextmanager
def mien_server(folder: Path) -> Iterator[tuple[str, int]]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    if not (home / "packs").exists():
        (home / "packs").symlink_to(Mien(store="memory").settings.packs_dir)
    port = free_port()
    environ = {**os.environ, "MIEN_HOME": str(home), "MIEN_STORE": "memory"}
    command = [sys.executable, "-m", "mien.cli", "serve", "--port", str(port)]
    with running(command, environ, port) as found:
        yield found


@contextmanager
def thin_server(folder: Path) -> Iterator[tuple[str, int]]:
    (folder / "thin.py").write_text(THIN)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "thin:app", "--port", str(port), "--log-level", "error"]
    with running(command, {**os.environ, "PYTHONPATH": str(folder)}, port) as found:
        yield found


@contextmanager
def running(command: list[str], environ: dict[str, str], port: int) -> Iterator[tuple[str, int]]:
    with subprocess.Popen(
        command, env=environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def wait_for(url: str, process: subprocess.Popen) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            sys.exit("a server did not start")
        try:
            urllib.request.urlopen(f"{url}/v1/health/ready", timeout=1).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("a server is not ready after two minutes")


def resident_mib(pid: int) -> float:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


if __name__ == "__main__":
    main()
