"""Folders of this machine that jobs read photographs from: those that the operator allows, and all below.

Where a path leads is asked when it is listed and again when it is read: between the two somebody may have put
a link in its place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from mien.errors import BadRequest, ImageTooLarge, UnreadableImage
from mien.jobs.photographs import Listed, shown
from mien.media.images import SUFFIXES


def listed(folder: Path, allowed: Sequence[Path], most: int) -> tuple[Listed, ...]:
    """All photographs in a folder and below, in order.

    Hidden entries, unknown suffixes and links that lead out of the allowed folders are left out.

    Args:
        folder: An absolute path.
        allowed: The folders that may be read.
        most: Most photographs.

    Raises:
        BadRequest: It is none that may be read, or it holds no photographs, or too many.
    """
    roots = [root for root in map(_real, allowed) if root is not None]
    start = _real(folder) if folder.is_absolute() else None
    if start is None or not _is_below(start, roots) or not start.is_dir():
        # Whether there is such a folder elsewhere is nobody's business.
        raise BadRequest(
            "There is no such folder among those that jobs may read.",
            hint="The operator allows folders by MIEN_SERVER_FOLDERS, or folders in [server] of mien.toml.",
        )
    found: list[Listed] = []
    for path, name in _photographs(start, roots):
        found.append(Listed(os.fsencode(path), shown(name), _person(name)))
        if len(found) > most:
            raise BadRequest(f"The folder holds more than {most:,} photographs.", hint="Name a part of it.")
    if not found:
        raise BadRequest("The folder holds no photographs.")
    return tuple(found)


def read_below(path: Path, allowed: Sequence[Path], max_bytes: int) -> bytes:
    """A photograph that was listed.

    Raises:
        UnreadableImage: It is not there any more, or leads elsewhere now.
        ImageTooLarge: It is too long.
    """
    roots = [root for root in map(_real, allowed) if root is not None]
    if _real(path) != path or not _is_below(path, roots):
        raise UnreadableImage("The photograph is not where it was when the job was made.")
    try:
        # Not through a link that was put there this moment, and without waiting for a pipe.
        descriptor = os.open(path, os.O_RDONLY | _PLAIN)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableImage("The photograph is no file any more.")
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableImage(f"The photograph cannot be read: {error.strerror or error}.") from error
    if len(content) > max_bytes:
        raise ImageTooLarge(f"The photograph has more than the {max_bytes:,} bytes allowed.")
    return content


# Windows has neither.
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _photographs(start: Path, roots: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Where photographs are, and what they are called below the start."""
    waiting = [(start, Path())]
    visited: set[Path] = set()
    while waiting:
        folder, name = waiting.pop()
        if folder in visited:
            continue
        visited.add(folder)
        inside: list[tuple[Path, Path]] = []
        for entry in _entries(folder):
            real = _real(Path(entry.path))
            if real is None or not _is_below(real, roots):
                continue
            if real.is_dir():
                inside.append((real, name / entry.name))
            elif Path(entry.name).suffix.lower() in SUFFIXES and real.is_file():
                yield real, name / entry.name
        waiting += reversed(inside)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((one for one in entries if not one.name.startswith(".")), key=lambda one: one.name)
    except OSError:
        return []


def _person(name: Path) -> str:
    """As `mien enroll` takes folders: `Ada/1.jpg`, or `Ada.jpg`."""
    return shown(Path(name.parts[0])) if len(name.parts) > 1 else shown(Path(name.stem))


def _real(path: Path) -> Path | None:
    """Where a path leads; None if nowhere."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # a loop of links; a NUL
        return None


def _is_below(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)
