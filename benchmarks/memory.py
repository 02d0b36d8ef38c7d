"""Whether memory stays flat when thousands of photographs go through one process.

    make bench-memory LFW=../shared/data/lfw

Photographs of LFW with large ones of ../shared/data/faces_wild strewn in, find + embed + age + gender +
expression + live; resident memory after each thousand.
"""

from __future__ import annotations

import sys
from itertools import cycle
from pathlib import Path

from mien import Failure, Mien
from mien.media.images import find_images
from sections import memory_mb, pictures_folder, stamp, table, write

PHOTOS = 5000
EVERY = 1000
LARGE_EVERY = 25
COLUMNS = ("box", "embedding", "age", "gender", "expression", "live")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/lfw")
    small, large = list(find_images([folder / "images"])), cycle(find_images(pictures_folder()))
    mixed = [next(large) if i % LARGE_EVERY == 0 else photo for i, photo in enumerate(cycle_to(small))]
    kit = Mien()
    rows, faces, failures = [], 0, 0
    for i, result in enumerate(kit.analyze(mixed, COLUMNS), 1):
        if isinstance(result, Failure):
            failures += 1
        else:
            faces += len(result.faces)
        if i == 100 or i % EVERY == 0:
            rows.append((f"{i:,}", f"{faces:,}", failures, f"{memory_mb():.0f}"))
    text = [stamp(), "", table(("photographs", "faces", "failures", "resident MB"), rows)]
    write("memory", "\n".join(text))


def cycle_to(photos: list[Path]) -> list[Path]:
    """So many photographs, from the beginning again if there are too few."""
    return [photos[i % len(photos)] for i in range(PHOTOS)]


if __name__ == "__main__":
    main()
