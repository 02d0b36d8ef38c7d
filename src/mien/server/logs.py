"""The log: a line of JSON for each request and for what happens to the server.

A route, never a path: paths hold names of people. Never a body, a header, a key or a query.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

LOG: Final = logging.getLogger("mien.server")
_NAMES = ("mien.server", "uvicorn", "uvicorn.error")


class Lines(logging.Formatter):
    """Records as lines of JSON; of an error its kind and places in the code, not what it says."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            # Messages of libraries may quote what they were given.
            line["places"] = [
                f"{place.filename}:{place.lineno} {place.name}"
                for place in traceback.extract_tb(error.__traceback__)
            ]
        return msgspec.json.encode(line).decode()


def write_log() -> None:
    """Send what the server says to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    for name in _NAMES:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    # "uvicorn.error" is below "uvicorn", which would say everything twice.
    logging.getLogger("uvicorn.error").handlers = []
    logging.getLogger("uvicorn.error").propagate = True


def say(event: str, *, level: int = logging.INFO, error: BaseException | None = None, **fields: Any) -> None:  # noqa: ANN401 - JSON
    """Write a line."""
    LOG.log(level, event, extra={"fields": fields}, exc_info=error)
