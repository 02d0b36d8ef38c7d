"""Reading pictures while the networks are busy with those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from mien.core.analysis import Failure
from mien.core.image import Image

Item = Image | Failure

# Pixels of all pictures that wait together, as far as can be told before they are read.
_MOST_PIXELS = 32_000_000


def read_ahead(items: Iterator[Item], most: int) -> Iterator[Item]:
    """Hand on items in order while a thread of its own fetches the next ones.

    What the iterator raises is raised when its turn comes. The thread ends with the iterator, or when the
    generator that this returns is closed or forgotten.

    Args:
        items: Asked for its next item in that thread only.
        most: How many may wait; fewer once a large one has come.
    """
    reader = ThreadPoolExecutor(1, "mien-read-ahead")
    waiting: deque[Future[Item | None]] = deque()
    largest = 1
    try:
        waiting.append(reader.submit(next, items, None))
        while (item := waiting.popleft().result()) is not None:
            # Those that are not read yet are taken to be as large as the largest so far.
            largest = max(largest, _pixels(item))
            room = _MOST_PIXELS // largest
            while len(waiting) < max(1, min(most, room)):
                waiting.append(reader.submit(next, items, None))
            yield item
    finally:
        reader.shutdown(cancel_futures=True)


def _pixels(item: Item) -> int:
    return item.width * item.height if isinstance(item, Image) else 0
