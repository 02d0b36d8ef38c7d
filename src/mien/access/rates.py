"""How fast somebody may ask: a bucket of tokens for each API key, which fills again as time passes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from mien.access.grants import Caller
from mien.errors import RateLimited


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Rates:
    """Counts requests; threads may share it, each process counts for itself.

    Somebody who was quiet for a minute may make all requests of a minute at once.

    Args:
        clock: Seconds that only rise.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, caller: Caller) -> None:
        """Count a request.

        Raises:
            RateLimited: It is one too many; says when the next may come.
        """
        rate = caller.rate_per_minute
        if rate is None:
            return
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(caller.actor, _Bucket(rate, now))
            bucket.tokens = min(rate, bucket.tokens + (now - bucket.filled) * rate / 60)
            bucket.filled = now
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return
            wait_s = (1 - bucket.tokens) * 60 / rate
        raise RateLimited(f"This key makes at most {rate:,} requests in a minute.", retry_after_s=wait_s)
