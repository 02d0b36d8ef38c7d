"""Knowing early that the server is told to stop: streams that never end would keep it from it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def told_to_stop(stopping: threading.Event) -> Iterator[None]:
    """Set an event as soon as a signal to stop comes, before whoever handled it until now is told."""
    if threading.current_thread() is not threading.main_thread():
        yield  # whoever runs a server in a thread stops it otherwise
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        stopping.set()
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for one in before:
        signal.signal(one, handle)
    try:
        yield
    finally:
        for one, previous in before.items():
            signal.signal(one, previous)
