"""Search among many faces, beside NumPy, FAISS and usearch on the same vectors.

make bench-search SIZES='10000 100000 1000000'
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

import faiss
import numpy as np

from mien.gallery.index.building import EXACT_UP_TO
from search_contestants import RELEVANT, Contestant, K, contestants
from search_faces import FACES, Crowd, crowd
from sections import REST_S, stamp, table, write

SIZES = (10_000, 100_000, 1_000_000)
PROBES = 200
BATCH = 64
ROUNDS = 60
BATCHES = 5
HEADER = (
    "contestant",
    "p50 ms",
    "p95 ms",
    "probes/s, 64 at once",
    "build s",
    "reopen s",
    "memory MB",
    "known: recall@1",
    "recall@10",
    "strangers: recall@10",
)


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    text = [stamp("faiss-cpu", "usearch", "numpy"), "", *searched(sizes)]
    write("search", "\n".join(text))


def searched(sizes: Sequence[int]) -> Iterator[str]:
    yield (
        f"512 numbers a face; half of them are of people with {FACES}, half of people with one: "
        "[search_faces.py](../benchmarks/search_faces.py) says how they are made. Probes are other faces of "
        f"people with {FACES}, whose ten nearest are their own, and strangers, whose ten nearest are as good "
        "as random. The ten nearest faces are asked for; contestants take turns with each probe, after one "
        "that does not count. FAISS has one thread for one probe, where more only cost it time, and all for "
        "64. Recall is against exact search in float32."
    )
    for size in sizes:
        faces = crowd(size, PROBES)
        found = list(contestants(faces, EXACT_UP_TO))
        singles = timed(found, faces, 1, ROUNDS)
        batches = timed(found, faces, BATCH, BATCHES)
        yield from (
            "",
            f"**{size:,} faces**",
            "",
            table(HEADER, list(rows(found, faces, singles, batches))),
            "",
            compared(singles),
        )
        del found, faces


def timed(found: list[Contestant], faces: Crowd, count: int, rounds: int) -> dict[str, list[float]]:
    """Seconds for so many probes at once, half of them of strangers: in turns, each warmed up with others."""
    mixed = np.concatenate([faces.known, faces.strangers])
    mixed = mixed[np.random.default_rng(0).permutation(len(mixed))]
    seconds: dict[str, list[float]] = {one.name: [] for one in found}
    faiss.omp_set_num_threads(1 if count == 1 else os.cpu_count() or 1)
    for turn in range(rounds):
        warm, probes = (np.roll(mixed, -count * (2 * turn + i), axis=0)[:count].copy() for i in (0, 1))
        for one in found:
            time.sleep(REST_S)
            one.search(warm)
            start = time.perf_counter()
            one.search(probes)
            seconds[one.name].append(time.perf_counter() - start)
    return seconds


def rows(
    found: list[Contestant],
    faces: Crowd,
    singles: dict[str, list[float]],
    batches: dict[str, list[float]],
) -> Iterator[tuple]:
    truths = [truth(faces.vectors, probes) for probes in (faces.known, faces.strangers)]
    for one in found:
        known, strangers = (one.rows(one.search(probes)) for probes in (faces.known, faces.strangers))
        people = one.name.endswith("people")
        yield (
            one.name,
            f"{statistics.median(singles[one.name]) * 1e3:.2f}",
            f"{np.quantile(singles[one.name], 0.95) * 1e3:.2f}",
            f"{BATCH / statistics.median(batches[one.name]):,.0f}",
            f"{one.build_s:.1f}" if one.build_s else "",
            f"{one.reopen_s:.2f}" if one.reopen_s else "",
            f"{one.memory:,.0f}" if one.memory else "",
            f"{np.mean(known[:, 0] == truths[0][:, 0]):.2%}",
            "" if people else f"{recall(known, truths[0]):.2%}",
            "" if people else f"{recall(strangers, truths[1]):.2%}",
        )


def compared(singles: dict[str, list[float]]) -> str:
    """Ratios of median times within a turn, which noise hits alike."""
    mien, exact = (np.array(singles[name]) for name in (next(iter(singles)), "FAISS flat fp16"))
    text = f"FAISS flat fp16 takes {np.median(exact / mien):.1f} times as long as the first line"
    near = [np.array(seconds) for name, seconds in singles.items() if f"within {RELEVANT}" in name]
    if near:
        own = np.array(singles["mien, exact=True"])
        text += (
            f", and {np.median(exact / near[0]):.1f} times as long as where neighbours within {RELEVANT} "
            f"count; `exact=True` takes {np.median(own / near[0]):.1f} times as long as that"
        )
    return text + "."


def truth(vectors: np.ndarray, probes: np.ndarray) -> np.ndarray:
    return faiss.knn(probes, vectors, K, faiss.METRIC_INNER_PRODUCT)[1]


def recall(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean([np.isin(mine, right).mean() for mine, right in zip(true, found, strict=True)]))


if __name__ == "__main__":
    main()
