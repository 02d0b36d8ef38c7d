"""Threads that search."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TypeVar

T = TypeVar("T")


def has_faiss() -> bool:
    """Whether the extra `scale` is installed."""
    return find_spec("faiss") is not None


class Workers:
    """Shares tasks out, and has every call of FAISS in them take one thread.

    The caller works too, and waits for nobody who has not begun: where other programs keep the cores busy, a
    search takes as long as in one thread, and not until a second is let in.

    Args:
        threads: How many, with the caller; 0 means one per core.

    Attributes:
        count: How many.
        faiss: Whether there is a FAISS to call.
    """

    def __init__(self, threads: int) -> None:
        self.count = threads or os.cpu_count() or 1
        self.faiss = has_faiss()
        self._pool = ThreadPoolExecutor(max(self.count - 1, 1), "mien-index")

    def run(self, tasks: Iterable[Callable[[], T]]) -> list[T]:
        """Run tasks, as many at a time as there are threads; their results in order."""
        waiting = deque(enumerate(tasks))
        done: dict[int, T] = {}

        def work() -> None:
            with self._one_thread():
                while waiting:
                    try:
                        number, task = waiting.popleft()
                    except IndexError:  # another thread was faster
                        return
                    done[number] = task()

        helpers = [self._pool.submit(work) for _ in range(min(self.count, len(waiting)) - 1)]
        try:
            work()
        finally:
            waiting.clear()  # if a task failed
            begun = [helper for helper in helpers if not helper.cancel()]
            for helper in begun:
                helper.result()
        return [done[number] for number in range(len(done))]

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        """OpenMP's number of threads, which belongs to the thread that sets it.

        Its teams would wait for the next call in busy loops, and take the processor from the networks that
        make the probes.
        """
        if not self.faiss:
            yield
            return
        import faiss

        before = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        try:
            yield
        finally:
            faiss.omp_set_num_threads(before)
