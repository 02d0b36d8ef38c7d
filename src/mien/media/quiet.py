"""Keep what Pillow has to say about odd metadata away from the user's terminal."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import ExitStack


class QuietDecoders:
    """A context in which Pillow's warnings are ignored, in every thread that decodes.

    `warnings.catch_warnings` alone is not safe here: the filters belong to the process, and two
    threads that leave in another order than they came would restore each other's state. So the first
    one in sets the filters and the last one out restores them. Log records go to the handlers that
    the application set up, or nowhere.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = ExitStack()
        self._nowhere = logging.NullHandler()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
                # Without any handler, Python would print errors itself.
                logging.getLogger("PIL").addHandler(self._nowhere)
                self._filters.callback(logging.getLogger("PIL").removeHandler, self._nowhere)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.close()


# One for the process, because the filters that it guards are one for the process.
QUIET_DECODERS = QuietDecoders()
