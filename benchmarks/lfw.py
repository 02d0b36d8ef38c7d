"""Verification on Labeled Faces in the Wild: the 6,000 pairs in ten folds, for every embedder.

    make bench-lfw LFW=../shared/data/lfw
    .venv/bin/python benchmarks/lfw.py ../shared/data/lfw yunet,mtcnn retail0095,mobilefacenet

The folder holds `pairs.txt` and `images/PERSON/PERSON_0001.jpg`. Of several faces in a photograph the
one nearest its centre counts. In each fold the threshold comes from the nine others. False-match rates
are of a million pairs of photographs of different people, drawn with a fixed seed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien import Mien
from mien.core.columns import BY_NAME
from mien.core.faces import Faces
from mien.models.stage import Stage
from mien.ops.vectors import DISTANCES
from mien.pipeline.analyzer import Analyzer
from sections import stamp, table, write

FOLDS = 10
IMPOSTORS = 1_000_000


@dataclass(frozen=True)
class Protocol:
    """Photographs by name, and the pairs of them as numbers with whether they show one person."""

    names: list[str]
    pairs: np.ndarray
    same: np.ndarray

    @property
    def people(self) -> np.ndarray:
        """Who is on each photograph."""
        return np.array([name.split("/")[0] for name in self.names])


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/lfw")
    kit = Mien()
    here = {pack.name: pack.manifest for pack in kit.packs.installed()}
    detectors = chosen(2, [name for name in ("yunet", "mtcnn", "mmod") if name in here])
    embedders = chosen(3, [name for name, manifest in here.items() if "embedding" in manifest.gives])
    protocol = read_protocol(folder / "pairs.txt")
    rows = []
    for detector in detectors:
        kit = Mien(detector=detector)
        for name, vectors in embed_all(kit, folder / "images", protocol.names, embedders).items():
            rows.append(judged(kit, detector, name, vectors, protocol))
    header = (
        "packs", "accuracy, 10 folds", "threshold", "FMR", "FNMR", "FNMR at FMR 1e-3", "there", "no face",
    )  # fmt: skip
    text = [
        stamp(),
        "",
        "FMR and FNMR at the threshold of the manifest (a distance); then FNMR of the pairs at the threshold "
        f"that lets 1 in 1,000 of {IMPOSTORS:,} pairs of different people pass, and that threshold. A pair "
        "with a photograph in which no face was found counts as different people.",
        "",
        table(header, rows),
    ]
    write("lfw", "\n".join(text))


def chosen(place: int, otherwise: list[str]) -> list[str]:
    return sys.argv[place].split(",") if len(sys.argv) > place else otherwise


def read_protocol(file: Path) -> Protocol:
    pairs = []
    for line in file.read_text().splitlines()[1:]:
        words = line.split()
        if len(words) == 3:
            pairs.append((photo(words[0], words[1]), photo(words[0], words[2]), True))
        elif len(words) == 4:
            pairs.append((photo(words[0], words[1]), photo(words[2], words[3]), False))
    names = sorted({name for pair in pairs for name in pair[:2]})
    number = {name: i for i, name in enumerate(names)}
    return Protocol(
        names,
        np.array([(number[a], number[b]) for a, b, _ in pairs]),
        np.array([same for _, _, same in pairs]),
    )


def photo(person: str, number: str) -> str:
    return f"{person}/{person}_{int(number):04d}.jpg"


def embed_all(
    kit: Mien, images: Path, names: list[str], embedders: list[str]
) -> dict[str, dict[int, np.ndarray]]:
    """Vectors by embedder and number of the photograph; every photograph is read and searched once."""
    stages = [kit.stage(name) for name in embedders]
    needed = {column for stage in stages for column in stage.needs if column in BY_NAME}
    analyzer = Analyzer(kit.stages_for(("box", *sorted(needed))), 8)
    vectors: dict[str, dict[int, np.ndarray]] = {name: {} for name in embedders}
    for i, result in enumerate(analyzer.run(kit._read([images / name for name in names]))):  # noqa: SLF001
        faces = getattr(result, "faces", ())
        if len(faces):
            for stage in stages:
                vectors[stage.name][i] = embedded(stage, result.image, central(faces))
    return vectors


def embedded(stage: Stage, image, faces: Faces) -> np.ndarray:
    return stage([image], [faces])[0].embedding[0]


def central(faces: Faces) -> Faces:
    """The face nearest to the centre of its picture."""
    centre = (faces.box[:, :2] + faces.box[:, 2:]) / 2
    return faces[[int(((centre - np.array(faces.size_wh) / 2) ** 2).sum(1).argmin())]]


def judged(
    kit: Mien, detector: str, embedder: str, vectors: dict[int, np.ndarray], protocol: Protocol
) -> tuple:
    rule = kit.packs.manifest(embedder).threshold
    some = next(iter(vectors.values()))
    table_of = np.stack([vectors.get(i, np.full_like(some, np.nan)) for i in range(len(protocol.names))])
    pair = distances(table_of, protocol.pairs, rule.metric)
    accuracy = ten_folds(pair, protocol.same)
    draw = np.random.default_rng(0).integers(0, len(protocol.names), (IMPOSTORS, 2))
    strangers = draw[protocol.people[draw[:, 0]] != protocol.people[draw[:, 1]]]
    impostor = distances(table_of, strangers, rule.metric)
    strict = float(np.quantile(impostor, 1e-3))
    genuine = pair[protocol.same]
    return (
        f"{detector} + {embedder}",
        f"{accuracy.mean():.2%} ± {accuracy.std():.2%}",
        rule.distance,
        f"{(impostor <= rule.distance).mean():.3%}",
        f"{(genuine > rule.distance).mean():.2%}",
        f"{(genuine > strict).mean():.2%}",
        f"{strict:.3f}",
        len(protocol.names) - len(vectors),
    )


def distances(vectors: np.ndarray, pairs: np.ndarray, metric: str) -> np.ndarray:
    """Distance of each pair, infinite where a face was not found."""
    found = []
    for start in range(0, len(pairs), 50_000):
        a, b = (vectors[pairs[start : start + 50_000, side]] for side in (0, 1))
        if metric == "euclidean":
            found.append(np.linalg.norm(a - b, axis=1))
        else:
            found.append(1 - (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))
    assert set(DISTANCES) == {"euclidean", "cosine"}
    return np.nan_to_num(np.concatenate(found), nan=np.inf)


def ten_folds(distance: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Accuracy of each fold at the threshold that is best on the nine others."""
    fold = np.arange(len(distance)) // (len(distance) // FOLDS)
    accuracy = []
    for held_out in range(FOLDS):
        train, test = fold != held_out, fold == held_out
        candidates = np.unique(distance[train & np.isfinite(distance)])
        # With the distances in order, each candidate accepts what comes before it.
        order = np.argsort(distance[train], kind="stable")
        ranked, truth = distance[train][order], same[train][order]
        count = np.searchsorted(ranked, candidates, side="right")
        genuine = np.concatenate([[0], np.cumsum(truth)])
        right = genuine[count] + (~truth).sum() - (count - genuine[count])
        best = candidates[int(np.argmax(right))]
        accuracy.append(((distance[test] <= best) == same[test]).mean())
    return np.array(accuracy)


if __name__ == "__main__":
    main()
