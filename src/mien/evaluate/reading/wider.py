"""Boxes of faces as WIDER FACE lists them (`wider_face_val_bbx_gt.txt`).

S. Yang et al.: WIDER FACE: A Face Detection Benchmark, CVPR 2016. For each photograph its name, how many
faces follow, and for each of them `x y w h blur expression illumination invalid occlusion pose`. One without
faces has the number 0 and, in the published files, one row of zeros.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mien.errors import BadRequest
from mien.evaluate.measures.boxes import Marked

_INVALID = 7  # column of the flag
_CELLS = (4, 10)
_HINT = "Wanted: the text format of WIDER FACE (name, number of faces, x y w h ...), or COCO's JSON."


def read_wider(text: str, name: str) -> Mapping[str, Marked]:
    """Read boxes by photograph; faces marked `invalid` and those of no size are to be ignored.

    Args:
        text: Contents of the file.
        name: Of the file, for messages.

    Raises:
        BadRequest: Something else stands there, naming the line.
    """
    lines = text.splitlines()
    marked: dict[str, Marked] = {}
    at = 0
    while at < len(lines):
        photo = lines[at].strip()
        at += 1
        if not photo:
            continue
        if photo in marked:
            raise BadRequest(f"{name}, line {at}: {photo[:200]!r} is listed twice.")
        count = lines[at].strip() if at < len(lines) else ""
        if not (count.isascii() and count.isdigit()) or len(count) > len(str(len(lines))):
            raise BadRequest(
                f"{name}, line {at + 1}: {count[:60]!r} is no number of faces of {photo[:200]!r}.", hint=_HINT
            )
        first = at + 1
        at = first + int(count)
        if at > len(lines):
            raise BadRequest(f"{name} ends before the {count} faces of {photo[:200]!r}.", hint=_HINT)
        rows = [_row(lines[i], f"{name}, line {i + 1}") for i in range(first, at)]
        marked[photo] = _marked(rows)
        if not rows and at < len(lines) and set(lines[at].split()) == {"0"}:
            at += 1
    if not marked:
        raise BadRequest(f"{name} lists no photograph.", hint=_HINT)
    return marked


def _row(line: str, where: str) -> list[float]:
    words = line.split()
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise BadRequest(f"{where}: {line[:60]!r} is no face.", hint=_HINT) from error
    if len(numbers) not in _CELLS or not np.isfinite(numbers).all() or min(numbers[2:4]) < 0:
        raise BadRequest(f"{where}: {line[:60]!r} is no face.", hint=_HINT)
    return numbers


def _marked(rows: list[list[float]]) -> Marked:
    xywh = np.array([row[:4] for row in rows], np.float64).reshape(-1, 4)
    box = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    # Of huge numbers the sum can lose the width.
    empty = (box[:, 2:] <= box[:, :2]).any(1)
    ignored = empty | np.array([len(row) > _INVALID and row[_INVALID] == 1 for row in rows], bool)
    return Marked(box[~ignored], box[ignored])
