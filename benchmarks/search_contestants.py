"""Ways to find the nearest of many vectors, each with how long it took to build and to open again."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import faiss
import numpy as np
from usearch.index import Index as UsearchIndex
from usearch.index import Matches, MetricKind
from usearch.index import search as usearch_exact

from mien.gallery.index import Candidates, Index, build, load
from search_faces import DIM, Crowd
from sections import memory_mb

# Larger graphs take longer to build than anybody waits: usearch had not finished a million in 1,500 s.
LARGEST_GRAPH = 100_000
# Two faces further apart than this are of two people in any calibration.
RELEVANT = 0.6
K = 10


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """Something that searches.

    Attributes:
        name: In the table.
        search: Of probes `(q, d)`; the ten nearest of each.
        rows: From what `search` returns to `(q, 10)` numbers of rows.
        build_s: Seconds.
        reopen_s: Seconds; None if there is nothing to open.
        memory: Megabytes that it added.
    """

    name: str
    search: Callable[[np.ndarray], object]
    rows: Callable[[object], np.ndarray]
    build_s: float = 0
    reopen_s: float | None = None
    memory: float = 0


def contestants(crowd: Crowd, exact_up_to: int) -> Iterator[Contestant]:
    """All that take part at a size."""
    yield from miens(crowd, exact_up_to)
    yield Contestant("NumPy f32", lambda p: top(p @ crowd.vectors.T), np.asarray)
    yield from flats(crowd)
    if len(crowd.vectors) <= LARGEST_GRAPH:
        yield from graphs(crowd)
    else:
        yield usearch_scan(crowd)
        yield lists(crowd)


def miens(crowd: Crowd, exact_up_to: int) -> Iterator[Contestant]:
    ids = np.char.mod("%012d", np.arange(len(crowd.vectors))).astype("S13")
    owners = np.char.mod("p%09d", crowd.person).astype("S13")
    coded = len(ids) > exact_up_to
    for relevant in (None, RELEVANT) if coded else (None,):
        with Weighed() as weighed:
            index = build("cosine", ids, owners, crowd.vectors, exact_up_to=exact_up_to, relevant=relevant)
        built = index.built
        print(built, file=sys.stderr)
        name = "mien"
        if coded:
            counted = f", neighbours within {relevant} count" if relevant else ", every neighbour counts"
            name += f"{counted}: {built.code_bytes} bytes, {built.candidates} candidates, "
            name += f"recall@10 {built.recall:.2%} measured at build"
        reopen_s = reopened(partial(save_mien, index), open_mien)
        yield Contestant(
            name, partial(index.faces, k=K), mien_rows, weighed.seconds, reopen_s, weighed.memory
        )
        if not relevant:
            yield Contestant("mien, 10 people", partial(index.nearest, k=K), mien_rows)
            if coded:
                yield Contestant("mien, exact=True", partial(index.faces, k=K, exact=True), mien_rows)


def mien_rows(found: Candidates) -> np.ndarray:
    return found.face.astype(int)


def save_mien(index: Index, file: Path) -> None:
    with file.open("wb") as sink:
        index.save(sink)


def open_mien(file: Path) -> Index:
    with file.open("rb") as source:
        return load(source)


def flats(crowd: Crowd) -> Iterator[Contestant]:
    half = faiss.ScalarQuantizer.QT_fp16
    yield of_faiss("FAISS flat f32", faiss.IndexFlatIP(DIM), crowd)
    yield of_faiss(
        "FAISS flat fp16", faiss.IndexScalarQuantizer(DIM, half, faiss.METRIC_INNER_PRODUCT), crowd
    )


def graphs(crowd: Crowd) -> Iterator[Contestant]:
    graph = faiss.IndexHNSWFlat(DIM, 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = 100, 128
    yield of_faiss("FAISS HNSW 32, ef 128", graph, crowd)
    with Weighed() as weighed:
        other = UsearchIndex(ndim=DIM, metric="ip", dtype="f16", expansion_search=128)
        other.add(np.arange(len(crowd.vectors)), crowd.vectors)
    yield Contestant(
        "usearch HNSW f16, ef 128",
        lambda p: other.search(p, K),
        usearch_rows,
        weighed.seconds,
        reopened(other.save, UsearchIndex.restore),
        weighed.memory,
    )


def usearch_scan(crowd: Crowd) -> Contestant:
    with Weighed() as weighed:
        halves = crowd.vectors.astype(np.float16)
    return Contestant(
        "usearch exact f16",
        lambda p: usearch_exact(halves, p.astype(np.float16), K, MetricKind.IP, exact=True),
        usearch_rows,
        weighed.seconds,
        memory=weighed.memory,
    )


def usearch_rows(found: Matches) -> np.ndarray:
    return np.atleast_2d(found.keys).astype(int)


def lists(crowd: Crowd) -> Contestant:
    """As the textbook has it: as many lists as the root of the rows, of which one in eight is read."""
    count = round(len(crowd.vectors) ** 0.5)
    inner, eight_bits = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_8bit
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(DIM), DIM, count, eight_bits, inner)
    index.nprobe = count // 8
    index.cp.max_points_per_centroid = 64
    return of_faiss(f"FAISS IVF{count},SQ8, nprobe {index.nprobe}", index, crowd)


def of_faiss(name: str, index: faiss.Index, crowd: Crowd) -> Contestant:
    with Weighed() as weighed:
        index.train(crowd.vectors[: 64 * round(len(crowd.vectors) ** 0.5)])
        index.add(crowd.vectors)
    reopen_s = reopened(
        lambda file: faiss.write_index(index, str(file)), lambda file: faiss.read_index(str(file))
    )
    search = partial(index.search, k=K)
    return Contestant(name, search, lambda found: found[1], weighed.seconds, reopen_s, weighed.memory)


def top(scores: np.ndarray) -> np.ndarray:
    """The columns of the ten highest of each row."""
    chosen = np.argpartition(-scores, K, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(scores, chosen, 1), axis=1)
    return np.take_along_axis(chosen, order, 1)


def reopened(save: Callable[[Path], object], reopen: Callable[[Path], object]) -> float:
    """Seconds to open what was saved; the disk's cache has it, as after a restart of the program alone."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index"
        save(file)
        os.sync()  # or the disk is still busy writing
        start = time.perf_counter()
        again = reopen(file)
        seconds = time.perf_counter() - start
        del again
    return seconds


class Weighed:
    """Seconds that a block takes, and megabytes that are there after it and were not before."""

    def __enter__(self) -> Weighed:
        self._memory, self._start = settled_memory(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start
        self.memory = settled_memory() - self._memory


def settled_memory() -> float:
    """Without what is free but was not given back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return memory_mb()
