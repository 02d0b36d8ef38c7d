"""Threads that search."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TypeVar

T = TypeVar("T")


def has_faiss() -> bool:
    """Whether the extra `scale` is installed."""
    return find_spec("faiss") is not None


def _one_thread_each() -> None:
    # OpenMP keeps this number by thread, so nobody else's is touched. Its own teams would wait for the next
    # call in busy loops, and take the processor from the networks that make the probes.
    import faiss

    faiss.omp_set_num_threads(1)


class Workers:
    """A pool in which every call of FAISS takes one thread.

    Args:
        threads: How many; 0 means one per core.

    Attributes:
        count: How many.
        faiss: Whether there is a FAISS to call.
    """

    def __init__(self, threads: int) -> None:
        self.count = threads or os.cpu_count() or 1
        self.faiss = has_faiss()
        self._pool = ThreadPoolExecutor(self.count, "mien-index", _one_thread_each if self.faiss else None)

    def run(self, tasks: Iterable[Callable[[], T]]) -> list[T]:
        """Run tasks at the same time; their results in order."""
        return list(self._pool.map(lambda task: task(), tasks))
