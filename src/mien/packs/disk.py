"""Writing that survives a crash, and locks between processes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from mien.errors import MienError, PackError

LOCK_TIMEOUT_S = 900.0
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def writing(path: Path, error: type[MienError] = PackError) -> Iterator[None]:
    """Turn what the disk refuses while `path` is written into an `error` that says what to do."""
    try:
        yield
    except OSError as refusal:
        if refusal.errno in _FULL:
            message, hint = (
                f"The disk of {path} is full.",
                "Free some space and repeat; MIEN_HOME moves what Mien keeps.",
            )
        else:
            message = f"{refusal.filename or path} cannot be written: {refusal.strerror or refusal}."
            hint = "Check its permissions, or set MIEN_HOME to a folder of your own."
        raise error(message, hint=hint) from refusal


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; where the system cannot, do nothing."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file `path`; the system frees it when its holder dies.

    Args:
        path: Lock file; its folder is made.
        waiting: Called once if another process holds it.

    Raises:
        PackError: The folder cannot be written, or the other holder takes too long.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            waiting()
            try:
                lock.acquire(timeout=LOCK_TIMEOUT_S)
            except filelock.Timeout as error:
                raise PackError(
                    f"Another process has held {path} for {LOCK_TIMEOUT_S:.0f} s.",
                    hint="Wait until its installation ends, or end it, and repeat.",
                ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` if nobody does; gives whether that worked."""
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
