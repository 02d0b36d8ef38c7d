"""Verification on Labeled Faces in the Wild: every embedder with every detector.

    make bench-lfw LFW=../shared/data/lfw
    python benchmarks/lfw.py ../shared/data/lfw yunet,mtcnn retail0095,mobilefacenet

The folder holds `pairs.txt` and `images/PERSON/PERSON_0001.jpg`. Accuracy is that of `mien evaluate
verification --pairs pairs.txt`; rates at thresholds are of all photographs, each compared with every other.
Vectors are kept in out/lfw, so that a run that was stopped goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from lfw_vectors import vectors_of
from mien import Mien
from mien.evaluate.measures.comparisons import everybody, listed
from mien.evaluate.measures.folds import ten_folds
from mien.evaluate.measures.rates import equal_error_rate, error_curve, threshold_at_fmr
from mien.evaluate.reading.pairs import Pairs, read_pairs
from mien.evaluate.showing import percent
from mien.packs.manifest import Threshold
from sections import interleaved, stamp, table, write

HEADER = (
    "detector", "embedder", "accuracy, 10 folds", "EER", "FMR at the threshold", "FNMR there",
    "FNMR at FMR 0.1 %", "no face", "ms a photograph", "time, fastest = 1",
)  # fmt: skip
TIMED = 24
ROUNDS = 3


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/lfw")
    here = [pack.manifest for pack in Mien().packs.installed() if not pack.manifest.name.endswith("-int8")]
    detectors = chosen(2, [manifest.name for manifest in here if "box" in manifest.gives])
    embedders = chosen(3, [manifest.name for manifest in here if "embedding" in manifest.gives])
    pairs = read_pairs(folder / "pairs.txt", folder / "images")
    times = measured_times(pairs.photos, detectors, embedders)
    fastest = min(times.values())
    rows = []
    for detector in detectors:
        for embedder, vectors in vectors_of(pairs.photos, detector, embedders).items():
            seconds = times[f"{detector} {embedder}"]
            judged = judge(Mien(embedder=embedder).packs.manifest(embedder).threshold, vectors, pairs)
            speed = (f"{1000 * seconds:.0f}", f"{seconds / fastest:.1f}")
            rows.append((f"`{detector}`", f"`{embedder}`", *judged, *speed))
    people = len(np.unique(pairs.person))
    text = [
        stamp(),
        "",
        f"{len(pairs.pairs):,} pairs in ten folds; mean and standard deviation. Rates at thresholds are of "
        f"all {len(pairs.photos):,} photographs of {people:,} people, each compared with every other. Times "
        f"are of {TIMED} photographs of 250 x 250 pixels, found and embedded, medians of {ROUNDS} turns.",
        "",
        table(HEADER, rows),
    ]
    write("lfw", "\n".join(text))


def chosen(place: int, otherwise: list[str]) -> list[str]:
    return sys.argv[place].split(",") if len(sys.argv) > place else otherwise


def judge(rule: Threshold, vectors: np.ndarray, pairs: Pairs) -> tuple[str, ...]:
    compared = listed(vectors, pairs.person, pairs.pairs, rule.metric)
    accuracies, _ = ten_folds(compared.distance, compared.genuine, pairs.fold)
    eer, _ = equal_error_rate(error_curve(*kinds(compared)))
    genuine, impostor = kinds(everybody(vectors, pairs.person, rule.metric))
    impostor = impostor[np.isfinite(impostor)]
    strict = threshold_at_fmr(impostor, 1e-3)
    return (
        f"{percent(accuracies.mean())} ± {percent(accuracies.std())}",
        percent(eer),
        percent(float((impostor <= rule.distance).mean())),
        percent(float((genuine > rule.distance).mean())),
        percent(float((genuine > strict).mean())),
        str(int(np.isnan(vectors).any(axis=1).sum())),
    )


def kinds(compared) -> tuple[np.ndarray, np.ndarray]:
    """Distances of comparisons of one person, and of two."""
    return compared.distance[compared.genuine], compared.distance[~compared.genuine]


def measured_times(
    photos: Sequence[Path], detectors: Sequence[str], embedders: Sequence[str]
) -> dict[str, float]:
    """Seconds for one photograph, by detector and embedder."""
    some = list(photos[:: len(photos) // TIMED][:TIMED])
    kits = {(d, e): Mien(detector=d, embedder=e) for d in detectors for e in embedders}
    contestants = {f"{d} {e}": partial(run, kit, some) for (d, e), kit in kits.items()}
    return {name: seconds / len(some) for name, seconds in interleaved(contestants, ROUNDS).items()}


def run(kit: Mien, photos: list[Path]) -> None:
    for _ in kit.analyze(photos, ("box", "score", "points", "embedding")):
        pass


if __name__ == "__main__":
    main()
