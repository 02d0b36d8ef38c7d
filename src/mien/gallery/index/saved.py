"""An index as bytes: a header that says what follows, then columns, rows and codes, each with a checksum.

Nothing in it is ever executed. A checksum is no seal: whoever keeps the bytes where others may write them
encrypts and authenticates them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import IndexStale
from mien.gallery.index.answers import NAME, Built
from mien.gallery.index.coded import Coded
from mien.gallery.index.kernels import KERNELS, Kernel
from mien.gallery.index.matrix import Matrix
from mien.gallery.index.roster import Roster
from mien.gallery.index.workers import Workers
from mien.ops.vectors import Metric

_MAGIC = b"Mien index 1\n"
_HINT = "Build it anew from the store."
_HEADER_LIMIT = 1 << 20
_BLOCK = 4096


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    metric: Metric
    dim: int
    rows: int
    owners: int
    added: int
    parts: list[int]  # bytes of each part of the codes
    built: Built


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What was read."""

    metric: Metric
    built: Built
    added: int
    roster: Roster
    matrix: Matrix
    coded: Coded | None
    workers: Workers


def save_index(
    sink: BinaryIO,
    metric: Metric,
    built: Built,
    added: int,
    roster: Roster,
    matrix: Matrix,
    coded: Coded | None,
) -> None:
    """Write an index."""
    faces, numbers, owners = roster.columns()
    parts = coded.parts() if coded else []
    header = _Header(metric, matrix.dim, len(faces), len(owners), added, [len(p) for p in parts], built)
    encoded = msgspec.json.encode(header)
    sink.write(_MAGIC + len(encoded).to_bytes(4, "little"))
    for piece in (np.frombuffer(encoded, np.uint8), faces, numbers, owners):
        _put(sink, piece)
    for block in _blocks(matrix.rows):
        _put(sink, matrix.halves(block))
    for part in parts:
        _put(sink, part)


def read_saved(source: BinaryIO, threads: int) -> Saved:
    """Read what `save_index` wrote.

    Raises:
        IndexStale: It is cut short, damaged, of another version, or needs FAISS, which is not installed.
    """
    start = _exactly(source, len(_MAGIC) + 4)
    if not start.startswith(_MAGIC):
        raise IndexStale("The saved index is of another version, or no index.", hint=_HINT)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    if length > _HEADER_LIMIT:
        raise IndexStale("The saved index is damaged.", hint=_HINT)
    header = _header(_take(source, np.dtype(np.uint8), length).tobytes())
    workers = Workers(threads)
    if header.parts and not workers.faiss:
        raise IndexStale("The saved index needs FAISS.", hint="pip install 'mien[scale]'; or build it anew.")
    faces = _take(source, NAME, header.rows)
    numbers = _take(source, np.dtype(np.int32), header.rows)
    owners = _take(source, NAME, header.owners)
    kernel = KERNELS[header.metric]
    matrix = Matrix(header.dim, kernel, workers)
    matrix.resize(header.rows)
    for block in _blocks(header.rows):
        size = (block.stop - block.start) * header.dim
        halves = _take(source, np.dtype(np.float16), size).reshape(-1, header.dim)
        matrix.write(block, halves)
    parts = [_take(source, np.dtype(np.uint8), size) for size in header.parts]
    coded = _coded(parts, kernel, workers) if parts else None
    roster = Roster(faces.copy(), numbers.copy(), owners)  # what is read in one piece cannot be written
    return Saved(header.metric, header.built, header.added, roster, matrix, coded, workers)


def _header(encoded: bytes) -> _Header:
    try:
        return msgspec.json.decode(encoded, type=_Header)
    except msgspec.DecodeError as error:
        raise IndexStale("The saved index is of another version.", hint=_HINT) from error


def _coded(parts: list[NDArray[np.uint8]], kernel: Kernel, workers: Workers) -> Coded:
    try:
        return Coded.of(parts, kernel, workers)
    except RuntimeError as error:
        raise IndexStale("The saved index is of another version of FAISS.", hint=_HINT) from error


def _blocks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _BLOCK):
        yield slice(start, min(start + _BLOCK, rows))


def _put(sink: BinaryIO, piece: NDArray[Any]) -> None:
    content = np.ascontiguousarray(piece).view(np.uint8).data if piece.size else b""
    sink.write(content)
    sink.write(zlib.crc32(content).to_bytes(4, "little"))


def _take(source: BinaryIO, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    content = _exactly(source, dtype.itemsize * count)
    if zlib.crc32(content).to_bytes(4, "little") != _exactly(source, 4):
        raise IndexStale("The saved index is damaged.", hint=_HINT)
    return np.frombuffer(content, dtype)


def _exactly(source: BinaryIO, size: int) -> bytes:
    """So many bytes, also from a source that gives fewer at a time."""
    pieces, missing = [], size
    while missing:
        pieces.append(source.read(missing))
        missing -= len(pieces[-1])
        if not pieces[-1]:
            raise IndexStale("The saved index is cut short.", hint=_HINT)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
