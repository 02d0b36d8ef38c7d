"""Making an index: from vectors, or from what one of them saved."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest, ExtraMissing
from mien.gallery.index.answers import Built, Kind
from mien.gallery.index.checks import check_counts, checked_faces, checked_names, checked_vectors, prepared
from mien.gallery.index.coded import Coded
from mien.gallery.index.index import Index
from mien.gallery.index.kernels import KERNELS, Kernel
from mien.gallery.index.matrix import Matrix
from mien.gallery.index.recall import Measured, measure
from mien.gallery.index.roster import Roster
from mien.gallery.index.saved import read_saved
from mien.gallery.index.workers import Workers
from mien.ops.vectors import Metric

# Up to here, comparing everything takes milliseconds.
EXACT_UP_TO = 200_000
RECALL = 0.995

# Fewer faces teach a codebook too little.
_LEAST_CODED = 2_000
_TRAINING = 30_000
_BLOCK = 32_768
# Numbers of a vector to half a byte of code: the shortest code first.
_SHARES = (8, 4, 2)
# A candidate takes as long to compare as so many bytes of codes to scan; longer codes want fewer candidates.
_BYTES_A_CANDIDATE = 60_000


@dataclass(frozen=True, slots=True)
class _Aim:
    """What codes are to reach."""

    recall: float
    relevant: float | None


def build(
    metric: Metric,
    ids: Iterable[bytes],
    owners: Iterable[bytes],
    vectors: NDArray[Any],
    *,
    kind: Kind | Literal["auto"] = "auto",
    exact_up_to: int = EXACT_UP_TO,
    recall: float = RECALL,
    relevant: float | None = None,
    threads: int = 0,
) -> Index:
    """Make an index.

    With codes, their length and the number of candidates that they choose are the smallest with which
    `recall` is reached, measured against comparing everything, on faces of the index that are left out in
    turn.

    Args:
        metric: What distance means.
        ids: n ids of faces, at most 13 bytes each.
        owners: n ids of whose faces they are.
        vectors: `(n, d)`.
        kind: How to search; auto: exact up to `exact_up_to` faces or where FAISS is missing, beyond that pq.
        exact_up_to: Number of faces.
        recall: Share of the ten nearest faces that codes are to find.
        relevant: Distance beyond which a face need not be found, say the largest at which two faces might be
            of one person: strangers are all about equally far away, and to find the nearest of them takes
            longer codes. None: every one of the ten counts.
        threads: That search; 0 means one per core.

    Raises:
        BadRequest: An id comes twice, is empty or too long, or a shape, a number or an argument is wrong.
        ExtraMissing: `kind` is pq, and FAISS is not installed.
    """
    start = time.perf_counter()
    if metric not in KERNELS or kind not in ("auto", "exact", "pq") or not 0 < recall <= 1:
        raise BadRequest(f"No index is of metric {metric!r} and kind {kind!r} with a recall of {recall}.")
    kernel, workers = KERNELS[metric], Workers(threads)
    faces, whose = checked_faces(ids), checked_names(owners, "Owners")
    given = checked_vectors(vectors, None, "Vectors")
    check_counts(faces, whose, given)
    if kind == "pq" and not workers.faiss:
        raise ExtraMissing.of("scale", "An index of codes needs FAISS.")
    roster, matrix = Roster.empty(), Matrix(given.shape[1], kernel, workers)
    roster.place(faces, whose)
    matrix.resize(len(given))
    for block in _blocks(len(given)):
        matrix.write(block, prepared(given[block], kernel))
    coded, found = None, Measured(1.0, 0, 0)
    wanted = kind == "pq" or (kind == "auto" and workers.faiss and len(given) > exact_up_to)
    if wanted and len(given) >= _LEAST_CODED:
        coded, found = _encode(matrix, kernel, workers, _Aim(recall, relevant))
    built = Built(
        kind="pq" if coded else "exact",
        rows=len(given),
        seconds=time.perf_counter() - start,
        recall=found.recall,
        sample=found.sample,
        target=recall,
        relevant=relevant,
        code_bytes=coded.code_bytes if coded else 0,
        candidates=found.candidates,
        exact_up_to=exact_up_to,
    )
    return Index(kernel, roster, matrix, coded, built, workers)


def load(source: BinaryIO, *, threads: int = 0) -> Index:
    """Read what `Index.save` wrote.

    Raises:
        IndexStale: It is cut short, damaged, of another version, or needs FAISS, which is not installed.
    """
    saved = read_saved(source, threads)
    kernel = KERNELS[saved.metric]
    return Index(kernel, saved.roster, saved.matrix, saved.coded, saved.built, saved.workers, saved.added)


def _encode(matrix: Matrix, kernel: Kernel, workers: Workers, aim: _Aim) -> tuple[Coded, Measured]:
    """The shortest codes that reach the aim with less to compare than there is to scan; or the longest."""
    chosen = np.random.default_rng(0).permutation(matrix.rows)
    sample = matrix.read(np.sort(chosen[:_TRAINING]))
    truth = measure(matrix, kernel, chosen, aim.relevant)
    for share in _SHARES:
        coded = Coded.trained(sample, share, kernel, workers)
        for block in _blocks(matrix.rows):
            coded.add(np.arange(block.start, block.stop), matrix.read(block))
        found = truth.reached(coded, aim.recall)
        if found.enough and found.candidates * _BYTES_A_CANDIDATE <= matrix.rows * coded.code_bytes:
            break
    return coded, found


def _blocks(rows: int) -> Iterator[slice]:
    """So many rows that their copies take little memory."""
    for start in range(0, rows, _BLOCK):
        yield slice(start, min(start + _BLOCK, rows))
