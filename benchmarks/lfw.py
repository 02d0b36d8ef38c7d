"""Verification on Labeled Faces in the Wild: the 6,000 pairs in ten folds.

    make bench-lfw LFW=../shared/data/lfw

The folder holds `pairs.txt` and `images/PERSON/PERSON_0001.jpg`. Of several faces in a photograph the
one nearest its centre counts. In each fold the threshold comes from the nine others.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from mien import Failure, Mien
from sections import stamp, table, write

FOLDS = 10


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/lfw")
    pairs = read_pairs(folder / "pairs.txt")
    same = np.array([pair[2] for pair in pairs])
    rows = []
    for detector in ("mtcnn", "mmod"):
        kit = Mien(detector=detector)
        distance, missed = distances(kit, folder / "images", pairs)
        rule = kit.rule()
        accuracy = ten_folds(distance, same)
        accepted = distance[~same] <= rule.distance
        rows.append(
            (
                f"{detector} + dlib-resnet29",
                f"{accuracy.mean():.2%} ± {accuracy.std():.2%}",
                f"{accepted.mean():.2%} ({accepted.sum()} of {len(accepted):,})",
                f"{(distance[same] > rule.distance).mean():.2%}",
                missed,
            )
        )
    text = [
        stamp(),
        "",
        f"At the threshold {rule.distance} that dlib publishes ({rule.metric} distance); pairs "
        "with a photograph in which no face was found count as different people.",
        "",
        table(("packs", "accuracy, 10 folds", "FMR", "FNMR", "no face found"), rows),
    ]
    write("lfw", "\n".join(text))


def read_pairs(file: Path) -> list[tuple[str, str, bool]]:
    pairs = []
    for line in file.read_text().splitlines()[1:]:
        words = line.split()
        if len(words) == 3:
            pairs.append((photo(words[0], words[1]), photo(words[0], words[2]), True))
        elif len(words) == 4:
            pairs.append((photo(words[0], words[1]), photo(words[2], words[3]), False))
    return pairs


def photo(person: str, number: str) -> str:
    return f"{person}/{person}_{int(number):04d}.jpg"


def distances(kit: Mien, images: Path, pairs: list[tuple[str, str, bool]]) -> tuple[np.ndarray, int]:
    """Distance of each pair, infinite where a face was not found; and the photographs without one."""
    names = sorted({name for pair in pairs for name in pair[:2]})
    vectors: dict[str, np.ndarray] = {}
    results = kit.analyze([images / name for name in names], ("box", "embedding"))
    for name, result in zip(names, results, strict=True):
        if isinstance(result, Failure) or not len(result.faces):
            continue
        faces = result.faces
        centre = (faces.box[:, :2] + faces.box[:, 2:]) / 2
        nearest = int(((centre - np.array(faces.size_wh) / 2) ** 2).sum(1).argmin())
        vectors[name] = faces.embedding[nearest]
    found = [
        np.linalg.norm(vectors[a] - vectors[b]) if a in vectors and b in vectors else np.inf
        for a, b, _ in pairs
    ]
    return np.array(found), len(names) - len(vectors)


def ten_folds(distance: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Accuracy of each fold at the threshold that is best on the nine others."""
    fold = np.arange(len(distance)) // (len(distance) // FOLDS)
    accuracy = []
    for held_out in range(FOLDS):
        train, test = fold != held_out, fold == held_out
        candidates = np.unique(distance[train & np.isfinite(distance)])
        right = [((distance[train] <= t) == same[train]).mean() for t in candidates]
        best = candidates[int(np.argmax(right))]
        accuracy.append(((distance[test] <= best) == same[test]).mean())
    return np.array(accuracy)


if __name__ == "__main__":
    main()
