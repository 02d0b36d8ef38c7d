"""The rows of an index, and the scans that compare all of them with probes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

import numpy as np

from mien.gallery.index.answers import Flags, Floats, Slots
from mien.gallery.index.chunks import CHUNK, Chunk, FaissChunk, Halves, NumpyChunk
from mien.gallery.index.kernels import Kernel
from mien.gallery.index.workers import Workers

# Rows that are compared at once with several probes: 16 MB of float32 at 512 numbers a row.
_BLOCK = 8192
# From so many probes on, reading each row once for all of them beats scanning for each.
_BATCH = 12


class Matrix:
    """Rows `(rows, d)` in half precision.

    An erased row holds NaN: no comparison with it is ever true, so it is never found.

    Args:
        dim: Numbers in a row.
        kernel: What near means.
        workers: The threads that search.
    """

    def __init__(self, dim: int, kernel: Kernel, workers: Workers) -> None:
        self.dim, self.rows = dim, 0
        self._kernel, self._workers = kernel, workers
        self._chunks: list[Chunk] = []

    def resize(self, rows: int) -> None:
        """Have so many rows, no fewer than before; new ones hold anything until they are written."""
        for number in range(self.rows // CHUNK, -(-rows // CHUNK)):
            if number == len(self._chunks):
                faiss = self._workers.faiss
                self._chunks.append(FaissChunk(self.dim, self._kernel) if faiss else NumpyChunk(self.dim))
            self._chunks[number].resize(min(rows - number * CHUNK, CHUNK))
        self.rows = rows

    def write(self, rows: Slots | slice, vectors: Floats | Halves) -> None:
        """Put vectors `(n, d)` into rows."""
        for chunk, within, here in self._places(rows):
            chunk.write(within, vectors[here])

    def erase(self, rows: Slots) -> None:
        """Overwrite rows."""
        for chunk, within, _ in self._places(rows):
            chunk.write(within, np.full((1, self.dim), np.nan, np.float32))

    def read(self, rows: Slots | slice) -> Floats:
        """Some rows `(n, d)`."""
        return self._gathered(rows).astype(np.float32, copy=False)

    def halves(self, rows: slice) -> Halves:
        """Some rows `(n, d)`, as they are saved."""
        return self._gathered(rows).astype(np.float16, copy=False)

    def scan(self, probes: Floats, count: int, allowed: Flags | None) -> tuple[Slots, Floats]:
        """The rows of the highest scores.

        Args:
            probes: `(q, d)`.
            count: How many rows for each.
            allowed: `(rows,)` which may be found; None: all.

        Returns:
            `(q, count)` rows, -1 where there are fewer, and their scores, falling.
        """
        if len(probes) >= _BATCH or not self._workers.faiss:
            return self._scan_blocks(probes, count, allowed)
        # FAISS reads all rows in one thread for one probe: share them out.
        found = self._workers.run(
            partial(self._scan_chunk, probe, count, number, allowed)
            for probe in probes
            for number in range(len(self._chunks))
        )
        shape = (len(probes), len(self._chunks) * count)
        slots = np.stack([slots for slots, _ in found]).reshape(shape)
        scores = np.stack([scores for _, scores in found]).reshape(shape)
        return highest(slots, scores, count)

    def _scan_chunk(
        self, probe: Floats, count: int, number: int, allowed: Flags | None
    ) -> tuple[Slots, Floats]:
        chunk, base = cast("FaissChunk", self._chunks[number]), number * CHUNK
        rows, scores = chunk.scan(probe, count, None if allowed is None else allowed[base : base + CHUNK])
        return np.where(rows >= 0, rows + base, -1), scores

    def _scan_blocks(self, probes: Floats, count: int, allowed: Flags | None) -> tuple[Slots, Floats]:
        """By products of matrices: every row is read once, for all probes."""
        best = np.full((len(probes), count), -1, np.int64)
        scores = np.full((len(probes), count), -np.inf, np.float32)
        for part in self._blocks(allowed):
            found = self._kernel.scores(probes, self.read(part))
            slots = np.arange(part.start, part.stop) if isinstance(part, slice) else part
            better = found > scores[:, -1:]
            for row in np.flatnonzero(better.any(1)):
                columns = np.flatnonzero(better[row])
                both = np.concatenate([scores[row], found[row, columns]])
                first = np.argpartition(-both, count - 1)[:count]
                first = first[np.argsort(-both[first], kind="stable")]
                scores[row] = both[first]
                best[row] = np.concatenate([best[row], slots[columns]])[first]
        return best, scores

    def _blocks(self, allowed: Flags | None) -> Iterator[Slots | slice]:
        if allowed is None:
            for start in range(0, self.rows, _BLOCK):
                yield slice(start, min(start + _BLOCK, self.rows))
        else:
            chosen = np.flatnonzero(allowed)
            for start in range(0, len(chosen), _BLOCK):
                yield chosen[start : start + _BLOCK]

    def _gathered(self, rows: Slots | slice) -> Floats | Halves:
        places = list(self._places(rows))
        if len(places) == 1:
            chunk, within, _ = places[0]
            return chunk.read(within)
        count = len(rows) if isinstance(rows, np.ndarray) else rows.stop - rows.start
        found = np.empty((count, self.dim), np.float16)
        for chunk, within, here in places:
            found[here] = chunk.read(within)
        return found

    def _places(self, rows: Slots | slice) -> Iterator[tuple[Chunk, Slots | slice, Flags | slice]]:
        """For each chunk concerned: the chunk, which rows of it, and where these are among the rows."""
        if isinstance(rows, slice):
            for number in range(rows.start // CHUNK, -(-rows.stop // CHUNK)):
                base = number * CHUNK
                first, last = max(rows.start, base), min(rows.stop, base + CHUNK)
                within = slice(first - base, last - base)
                yield self._chunks[number], within, slice(first - rows.start, last - rows.start)
        else:
            numbers, within_all = np.divmod(rows, CHUNK)
            for number in np.unique(numbers).tolist():
                here = numbers == number
                yield self._chunks[number], within_all[here], here


def highest(slots: Slots, scores: Floats, count: int) -> tuple[Slots, Floats]:
    """The columns of the `count` highest scores of each row, falling."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(slots, order, 1), np.take_along_axis(scores, order, 1)
