"""What every contestant of benchmarks/peers.py does: answer some photographs a line. Needs no Mien."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def answer(versions: dict[str, str], look: Callable[[Sequence[str]], int]) -> None:
    """Read lists of paths from stdin; write how long `look` took, the faces it found, the memory in use."""
    said = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints
    said.write(json.dumps(versions) + "\n")
    said.flush()
    for line in sys.stdin:
        start = time.perf_counter()
        faces = look(json.loads(line))
        seconds = time.perf_counter() - start
        said.write(json.dumps({"seconds": seconds, "faces": faces, "memory_mb": memory_mb()}) + "\n")
        said.flush()


def memory_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6
