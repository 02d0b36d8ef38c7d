"""The whole durable path of a gallery: faces encrypted, on the disk when acknowledged, found at once.

    make bench-gallery [SIZES="10000 100000 1000000"]

Made-up embeddings of 512 numbers, one face a person. Beside it a plain table in SQLite that is synced as
often and neither encrypts, audits nor searches: what durability alone costs here.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mien.gallery.checking import check
from mien.gallery.choices import IndexChoices
from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, Provenance, about
from mien.gallery.store.store import Store
from mien.gallery.vault.master import MasterKey, random_key
from sections import memory_mb, stamp, table, write

SIZES = (10_000, 100_000, 1_000_000)
DIMENSIONS = 512
BATCH = 500
SINGLE = 300
QUERIES = 200
RULE = DecisionRule("bench:1", "cosine", 0.6, None)


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    rows = [measured(size) for size in sizes]
    header = (
        "faces", "enrolled a second, 500 at a time", "one by one", "plain SQLite, one by one", "store MB",
        "index built s", "reopened s", "reopened / built", "identify p50 ms", "p95 ms", "of it: index p50 ms",
        "batch of 64, probes/s", "forget one s", "resident MB",
    )  # fmt: skip
    text = [
        stamp("faiss-cpu", "SQLAlchemy", "cryptography"), "", table(header, rows), "",
        "Identify: the index, the exact comparison with what the store holds, and the note in the audit log.",
    ]  # fmt: skip
    write("gallery", "\n".join(text))


def measured(size: int) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        key = random_key()
        choices = IndexChoices(folder=Path(folder) / "indexes")
        rng = np.random.default_rng(size)
        with opened(folder, key, choices) as gallery:
            batched = timed(lambda: enrol(gallery, rng, size)) / size
            singles = [
                timed(lambda i=i: gallery.enroll_many(people(rng, 1, f"single {i}"), RULE.space))
                for i in range(SINGLE)
            ]
            plain = plain_sqlite(Path(folder) / "plain.db", rng)
        store_mb = (Path(folder) / "people.db").stat().st_size / 1e6
        with opened(folder, key, choices) as gallery:
            built = timed(lambda: gallery.nearby.index())
        with opened(folder, key, choices) as gallery:
            reopened = timed(lambda: gallery.nearby.index())
            probes = rng.standard_normal((QUERIES, DIMENSIONS)).astype(np.float32)
            whole = [
                timed(lambda i=i: gallery.identify(probes[i : i + 1], RULE.space)) for i in range(QUERIES)
            ]
            index = [timed(lambda i=i: gallery.nearby.nearest(probes[i : i + 1], 5)) for i in range(QUERIES)]
            batch = min(timed(lambda: gallery.identify(probes[:64], RULE.space)) for _ in range(5))
            forgotten = timed(lambda: gallery.forget("single 0 0"))
            resident = memory_mb()
            if size <= 100_000:
                assert not check(gallery.store).problems
    return (
        f"{size:,}", f"{1 / batched:,.0f}", f"{1 / statistics.median(singles):,.0f}", f"{1 / plain:,.0f}",
        f"{store_mb:,.0f}", f"{built:.2f}", f"{reopened:.2f}", f"{reopened / built:.3f}",
        f"{percentile(whole, 50):.2f}", f"{percentile(whole, 95):.2f}", f"{percentile(index, 50):.2f}",
        f"{64 / batch:,.0f}", f"{forgotten:.2f}", f"{resident:,.0f}",
    )  # fmt: skip


def opened(folder: str, key: MasterKey, choices: IndexChoices) -> Gallery:
    return Gallery(Store(f"{folder}/people.db", key), RULE, choices=choices)


def enrol(gallery: Gallery, rng: np.random.Generator, size: int) -> None:
    for start in range(0, size, BATCH):
        gallery.enroll_many(people(rng, min(BATCH, size - start), f"person {start}"), RULE.space)


def people(rng: np.random.Generator, count: int, name: str) -> list[Newcomer]:
    vectors = rng.standard_normal((count, DIMENSIONS)).astype(np.float32)
    source = Provenance("photographs/of/somebody.jpg", "0" * 64, (10.0, 20.0, 110.0, 140.0), (640, 480), 0.8)
    return [Newcomer(about(f"{name} {i}"), [NewFace(vector, source)]) for i, vector in enumerate(vectors)]


def plain_sqlite(file: Path, rng: np.random.Generator) -> float:
    """Median seconds of inserting a bare vector, synced."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE face (id INTEGER PRIMARY KEY, vector BLOB)")
    vectors = rng.standard_normal((SINGLE, DIMENSIONS)).astype(np.float32)
    seconds = [
        timed(lambda v=v: connection.execute("INSERT INTO face (vector) VALUES (?)", (v.tobytes(),)))
        for v in vectors
    ]
    connection.close()
    return statistics.median(seconds)


def timed(work: object) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def percentile(seconds: list[float], share: float) -> float:
    return float(np.percentile(seconds, share)) * 1000


if __name__ == "__main__":
    main()
