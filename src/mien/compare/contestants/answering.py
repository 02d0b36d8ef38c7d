"""Runs one contestant of `mien compare`: a line of JSON in, a line of JSON out.

    python answering.py with_uniface.py

It needs Python and what the script imports, and no Mien, so that any interpreter can run it. The script has a
class `Contestant`:

    Contestant(options)     opens its networks; the options are the first line of stdin
    versions                of what it is made of, by name
    threshold               largest distance at which it says "the same person"; None if it states none for
                            these networks
    look_at(path)           the size of a photograph (width, height), the boxes (xyxy) of all its faces and
                            their vectors; no boxes if it cannot be read. Or look(paths), where the program
                            makes something of having several at once
    distance(a, b)          how far two vectors are apart

Vectors stay in this process: they are never written or sent, and nothing here reaches the network.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

_LOOKS_OUT = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})
_UNIX_SOCKET = (str, bytes)


def main() -> int:
    """Open a contestant and answer until stdin ends."""
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints, of Python or of C
    sys.stdout = sys.stderr
    wanted = _keep_from_network()
    options = json.loads(sys.stdin.readline())
    _keep_to_cores(options["threads"])
    try:
        contestant = _opened(Path(sys.argv[1]), options)
    # face_recognition ends the process where something of its own is missing.
    except (ImportError, SystemExit) as error:
        tell(said, type="failed", why="missing", what=str(error))
        return 1
    except Exception as error:
        if wanted:
            tell(said, type="failed", why="download", what=wanted[0])
        elif hint := getattr(error, "hint", ""):
            tell(said, type="failed", why="refused", what=str(error), hint=hint)
        else:
            raise
        return 1
    tell(said, type="opened", versions=contestant.versions, threshold=contestant.threshold)
    vectors: dict[str, Any] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "look" in asked:
            tell(said, type="looked", **_look(contestant, asked["look"], vectors))
        else:
            tell(said, type="judged", distances=_judge(contestant, asked["judge"], vectors))
    return 0


def tell(said: TextIO, **answer: object) -> None:
    """Write one answer."""
    said.write(json.dumps(answer, allow_nan=False) + "\n")
    said.flush()


def _opened(script: Path, options: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever the script has
    spec = importlib.util.spec_from_file_location(script.stem, script)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Contestant(options)


def _look(contestant: Any, paths: Sequence[str], vectors: dict[str, Any]) -> dict[str, object]:  # noqa: ANN401
    start = time.perf_counter()
    if hasattr(contestant, "look"):
        seen = contestant.look(paths)
    else:
        seen = [contestant.look_at(path) for path in paths]
    seconds = time.perf_counter() - start
    for path, (size_wh, boxes, found) in zip(paths, seen, strict=True):
        if len(found):
            vectors[path] = found[central(size_wh, boxes)]
    return {"seconds": seconds, "faces": [len(boxes) for _, boxes, _ in seen], "memory_mb": _memory_mb()}


def _judge(contestant: Any, pairs: Sequence[Sequence[str]], vectors: dict[str, Any]) -> list[float | None]:  # noqa: ANN401
    return [
        float(contestant.distance(vectors[a], vectors[b])) if a in vectors and b in vectors else None
        for a, b in pairs
    ]


def central(size_wh: Sequence[float], boxes: Sequence[Sequence[float]]) -> int:
    """Which box has its centre nearest to that of the picture."""
    width, height = size_wh
    away = [(x1 + x2 - width) ** 2 + (y1 + y2 - height) ** 2 for x1, y1, x2, y2 in boxes]
    return away.index(min(away))


def _keep_from_network() -> list[str]:
    """Refuse every connection that is tried through Python; gives the hosts, as they are tried."""
    wanted: list[str] = []

    def watch(event: str, details: tuple[Any, ...]) -> None:
        if event not in _LOOKS_OUT:
            return
        place = details[0] if event.startswith("socket.get") else details[1]
        if event.startswith("socket.get") or not isinstance(place, _UNIX_SOCKET):
            wanted.append(str(place[0] if isinstance(place, tuple) else place))
            raise ConnectionRefusedError(f"{wanted[-1]} is not to be reached while programs are compared")

    sys.addaudithook(watch)
    return wanted


def _keep_to_cores(count: int) -> None:
    """Let no contestant use more cores than it has threads, whatever its libraries believe."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def _memory_mb() -> float | None:
    """Resident memory of this process in megabytes; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
