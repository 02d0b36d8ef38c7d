"""Short codes of all rows, which choose the few that are compared in full.

Product quantization (H. Jégou, M. Douze, C. Schmid: Product quantization for nearest neighbor search, PAMI
2011) with four bits a part, scanned with tables in registers (F. André, A.-M. Kermarrec, N. Le Scouarnec:
Quicker ADC, PAMI 2021), as FAISS has it. No row is skipped: face embeddings fill their space so evenly that
lists which skip most rows lose true neighbours before they save time; see docs/benchmarks.md.

A codebook is made of averages over thousands of faces, so that nobody's numbers stay in it. Codes of removed
faces are overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.gallery.index.answers import Flags, Floats, Slots
from mien.gallery.index.kernels import Kernel
from mien.gallery.index.matrix import highest
from mien.gallery.index.workers import Workers

# A fixed number, so that a saved index does not depend on the machine; threads share the shards.
_SHARDS = 4
# FAISS packs the codes of so many rows together.
_PACK = 32
_PARTS = 8

Bytes = NDArray[np.uint8]
_Shard: TypeAlias = Any  # IndexIVFPQFastScan


class Coded:
    """Codes by row number.

    Args:
        shards: Indices of FAISS; row r is in shard r modulo their number.
        kernel: What near means.
        workers: The threads that search.
    """

    def __init__(self, shards: Iterable[Any], kernel: Kernel, workers: Workers) -> None:
        import faiss

        self._faiss: Any = faiss
        self._shards: list[_Shard] = list(shards)
        self._kernel, self._workers = kernel, workers

    @classmethod
    def trained(cls, sample: Floats, share: int, kernel: Kernel, workers: Workers) -> Coded:
        """No codes yet, but a codebook.

        Args:
            sample: `(n, d)` rows to learn from.
            share: Numbers of a vector that one half byte stands for: 2, 4 or 8.
            kernel: What near means.
            workers: The threads that search.
        """
        import faiss

        padded = _padded(sample)
        width = padded.shape[1]
        metric = getattr(faiss, kernel.faiss)
        # One list, which every row is in: FAISS's flat variant can neither remove rows nor select them.
        anywhere = faiss.IndexFlat(width, metric)
        anywhere.add(np.zeros((1, width), np.float32))
        first = faiss.IndexIVFPQFastScan(anywhere, width, 1, width // share, 4, metric)
        first.by_residual = False
        first.pq.cp.min_points_per_centroid = 1  # or it prints a warning
        workers.run([partial(first.train, padded)])
        shards = [faiss.clone_index(first) for _ in range(_SHARDS)]
        return cls(shards, kernel, workers)

    @property
    def code_bytes(self) -> int:
        """Of a row."""
        return (int(self._shards[0].pq.M) + 1) // 2

    def add(self, slots: Slots, vectors: Floats) -> None:
        """Encode rows that have no code."""
        padded = _padded(vectors)

        def into(number: int) -> None:
            here = slots % len(self._shards) == number
            if here.any():
                self._shards[number].add_with_ids(padded[here], slots[here])

        self._workers.run(partial(into, number) for number in range(len(self._shards)))

    def remove(self, slots: Slots) -> None:
        """Overwrite the codes of rows."""
        for number, shard in enumerate(self._shards):
            here = slots[slots % len(self._shards) == number]
            if len(here):
                shard.remove_ids(here)
                self._clear_after(shard)

    def choose(self, probes: Floats, count: int, allowed: Flags | None) -> Slots:
        """The rows that seem nearest to probes `(q, d)`.

        Returns:
            `(q, m)` rows, best first; m is `count` or, if there are fewer, less, and -1 where no row is.
        """
        padded = _padded(probes)
        bits = None if allowed is None else np.packbits(allowed, bitorder="little")
        found = self._workers.run(
            partial(self._part, shard, padded, min(count, max(shard.ntotal, 1)), bits)
            for shard in self._shards
        )
        scores = np.concatenate([score for score, _ in found], 1)
        slots = np.concatenate([slot for _, slot in found], 1)
        return highest(slots, scores, count)[0]

    def parts(self) -> list[Bytes]:
        """What to save."""
        return [self._faiss.serialize_index(shard) for shard in self._shards]

    @classmethod
    def of(cls, parts: Iterable[Bytes], kernel: Kernel, workers: Workers) -> Coded:
        """Those whose `parts` these are."""
        import faiss

        return cls([faiss.deserialize_index(part) for part in parts], kernel, workers)

    def _part(self, shard: _Shard, probes: Floats, count: int, bits: Bytes | None) -> tuple[Floats, Slots]:
        permitted = None if bits is None else self._faiss.IDSelectorBitmap(bits)
        parameters = self._faiss.SearchParametersIVF(sel=permitted, nprobe=1)
        scores, slots = shard.search(probes, count, params=parameters)
        if self._kernel.metric == "euclidean":
            scores = -scores
        scores[slots < 0] = -np.inf
        return scores, slots

    def _clear_after(self, shard: _Shard) -> None:
        """FAISS shortens a list without clearing what was at its end."""
        lists = self._faiss.downcast_InvertedLists(shard.invlists)
        used = shard.ntotal = lists.list_size(0)  # before 1.14, FAISS forgets to count removed rows
        end = -(-used // _PACK) * _PACK
        if used == end:
            return
        size = lists.block_size
        blocks = self._faiss.rev_swig_ptr(lists.get_codes(0), size * end // _PACK).reshape(-1, size)
        nothing = np.zeros(lists.packer.code_size, np.uint8)
        for place in range(used % _PACK, _PACK):
            lists.packer.pack_1(nothing, place, blocks[-1:])


def _padded(vectors: Floats) -> Floats:
    """With zeros, to a length that can be divided into parts."""
    missing = -vectors.shape[1] % _PARTS
    return np.pad(vectors, ((0, 0), (0, missing))) if missing else np.ascontiguousarray(vectors)
