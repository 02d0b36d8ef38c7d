"""What Prometheus is told. No names, no keys: counts and seconds.

With several workers the library gathers the numbers of all of them in files of a folder that
`PROMETHEUS_MULTIPROC_DIR` names; `mien.server.run` sets it before the workers start.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

MEDIA_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COUNTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "mien_requests", "Requests answered.", ("route", "method", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "mien_request_seconds",
            "Until an answer began.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.errors = Counter("mien_errors", "Errors answered.", ("code",), registry=self._registry)
        self.waiting = Gauge(
            "mien_photographs_waiting",
            "Photographs in work or waiting.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self.batch = Histogram(
            "mien_batch_photographs",
            "Photographs that went through the networks together.",
            buckets=_COUNTS,
            registry=self._registry,
        )
        self.waited = Histogram(
            "mien_batch_wait_seconds",
            "How long the first of a batch had waited for the networks.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.faces = Counter("mien_faces", "Faces found.", registry=self._registry)
        self.stage = Histogram(
            "mien_stage_seconds",
            "What a network and its surroundings took for a batch.",
            ("pack",),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def batched(self, count: int, waited_s: float) -> None:
        """Note that photographs went through the networks together."""
        self.batch.observe(count)
        self.waited.observe(waited_s)

    def observed(self, pack: str, _count: int, seconds: float) -> None:
        """Note what a stage took; an `Observer`."""
        self.stage.labels(pack).observe(seconds)

    def text(self) -> bytes:
        """Everything in the format of Prometheus, of all workers."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        _bury(Path(os.environ[FOLDER]))
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)


def _bury(folder: Path) -> None:
    """Take numbers of the moment from workers that are gone: nothing waits with them."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker was faster
                multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
