"""Rows of vectors in pieces of memory: room for more is added, not moved."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.gallery.index.answers import Flags, Floats, Slots
from mien.gallery.index.kernels import Kernel
from mien.gallery.index.pages import use_large_pages

Halves = NDArray[np.float16]

# Rows in a chunk: 16 MB at 512 numbers a row. To move more than that would hold up everybody; and a chunk is
# what one thread scans at a time.
CHUNK = 16_384


class Chunk(Protocol):
    """At most `CHUNK` rows `(rows, d)`, rounded to half precision when they are written."""

    def resize(self, rows: int) -> None:
        """Have so many rows, no fewer than before; new ones hold anything until they are written."""
        ...

    def write(self, rows: Slots | slice, vectors: Floats | Halves) -> None:
        """Put vectors into rows."""
        ...

    def read(self, rows: Slots | slice) -> Floats | Halves:
        """Some rows, in the precision in which they are kept."""
        ...


class NumpyChunk:
    """See `Chunk`. Rows are kept in float32, since NumPy computes in nothing smaller at speed."""

    def __init__(self, dim: int) -> None:
        self._vectors = np.empty((0, dim), np.float32)
        self._rows = 0

    def resize(self, rows: int) -> None:
        """See `Chunk.resize`."""
        if rows > len(self._vectors):
            room = min(max(rows, 2 * self._rows), CHUNK)
            grown = np.empty((room, self._vectors.shape[1]), np.float32)
            grown[: self._rows] = self._vectors[: self._rows]
            self._vectors = grown
        self._rows = rows

    def write(self, rows: Slots | slice, vectors: Floats | Halves) -> None:
        """See `Chunk.write`."""
        self._vectors[rows] = vectors.astype(np.float16)

    def read(self, rows: Slots | slice) -> Floats | Halves:
        """See `Chunk.read`."""
        return self._vectors[rows]


class FaissChunk:
    """See `Chunk`. The rows are the codes of a scalar quantizer of half precision, written directly."""

    def __init__(self, dim: int, kernel: Kernel) -> None:
        import faiss

        self._faiss: Any = faiss
        self._dim, self._sign = dim, 1 if kernel.metric == "cosine" else -1
        half = faiss.ScalarQuantizer.QT_fp16
        self._index: Any = faiss.IndexScalarQuantizer(dim, half, getattr(faiss, kernel.faiss))
        self._halves: Halves = np.empty((0, dim), np.float16)

    def resize(self, rows: int) -> None:
        """See `Chunk.resize`."""
        size = rows * self._dim * 2
        self._index.codes.resize(size)
        self._index.ntotal = rows
        # A view of FAISS's own memory, good until the next resize.
        view = self._faiss.rev_swig_ptr(self._index.codes.data(), size)
        if view.ctypes.data != self._halves.ctypes.data:  # it has moved
            use_large_pages(view.ctypes.data, size)
        self._halves = view.view(np.float16).reshape(rows, self._dim)

    def write(self, rows: Slots | slice, vectors: Floats | Halves) -> None:
        """See `Chunk.write`."""
        self._halves[rows] = vectors

    def read(self, rows: Slots | slice) -> Floats | Halves:
        """See `Chunk.read`."""
        return self._halves[rows]

    def scan(self, probe: Floats, count: int, allowed: Flags | None) -> tuple[Slots, Floats]:
        """The rows of the highest scores for one probe, in one thread.

        Args:
            probe: `(d,)`.
            count: How many rows.
            allowed: `(rows,)` which may be found; None: all.

        Returns:
            `(count,)` rows, -1 where there are fewer, and their scores, falling.
        """
        parameters = None
        if allowed is not None:
            bits = self._faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            parameters = self._faiss.SearchParameters(sel=bits)
        scores, rows = self._index.search(probe[None], count, params=parameters)
        return rows[0], np.where(rows[0] >= 0, scores[0] * self._sign, -np.inf).astype(np.float32)
