"""How well faces are grouped into people, beside other methods on the same vectors.

    make bench-clustering DATA=../shared/data

LFW with all methods, in parts, and in portions; a few other labelled photographs; group photographs, on which
faces of one picture are two people; made-up vectors for time and memory.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image

from lfw_vectors import vectors_of
from mien import Image, Mien
from mien.evaluate.measures.clusters import Clusters, measure_clusters
from mien.evaluate.reading.pairs import read_pairs
from mien.evaluate.showing import percent
from mien.gallery.clustering.grouping import group
from mien.gallery.clustering.linking import linking_distance
from mien.gallery.rule import DecisionRule
from mien.ops.vectors import l2_normalise
from sections import stamp, table, write

DETECTOR = "yunet"
EMBEDDERS = ("retail0095", "mobilefacenet", "dlib-resnet29")
SCORES = ("groups", "pairwise precision", "recall", "F", "BCubed precision", "recall", "F")
# Photographs of LFW, and how many draws of people are averaged.
PARTS = {250: 12, 1000: 5, 4000: 2, 7701: 1}
FACTORS = (0.8, 0.9, 1.0, 1.1, 1.2)
PORTIONS = 10
# Faces, numbers of an embedding, people.
MADE = ((10_000, 512, 2_000), (50_000, 512, 10_000), (50_000, 512, 10))
# Photographs of one face in faces_wild/obama_biden.
ONE_FACE = {
    "alex": ("alex-lacamoire.png", "alex_lacamoire1.jpg"),
    "biden": ("biden.jpg", "biden2.jpg"),
    "johnsnow": ("johnsnow_test1.jpg",),
    "lin": ("lin-manuel-miranda.png",),
    "Barack Obama": ("obama-240p.jpg", "obama-1080p.jpg", "obama1.jpg", "obama2.jpg", "obama_small.jpg"),
    "rose": ("img1.jpg", "img2.jpg"),
}

Rules = dict[str, DecisionRule]


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    rules = {name: Mien(detector=DETECTOR, embedder=name).rule() for name in EMBEDDERS}
    pairs = read_pairs(data / "lfw" / "pairs.txt", data / "lfw" / "images")
    vectors, person = vectors_of(pairs.photos, DETECTOR, EMBEDDERS), pairs.person
    text = [
        stamp("scikit-learn"),
        "",
        f"LFW, {len(person):,} photographs of {len(np.unique(person)):,} people, all at once, found by "
        f"`{DETECTOR}`. The first line of each embedder is what `mien cluster` does; the rest is "
        "scikit-learn's on the same vectors, and Chinese whispers with edges of one weight. Distances are "
        "the linking distance for so many faces, and the threshold of the manifest for two. Whoever is in "
        "no group is a group of one. The two constants of the linking distance were chosen on these very "
        "photographs.",
        "",
        table(("embedder", "method", "distance", *SCORES), list(beside(rules, vectors, person))),
        "",
        "Parts of LFW, people drawn by lot, means of several draws: pairwise F and precision where squared "
        "distances are this many times the squared linking distance. Its share is of the squared threshold.",
        "",
        table(
            ("embedder", "photographs", "share", *(f"x {factor}" for factor in FACTORS)),
            list(parts(rules, vectors, person)),
        ),
        "",
        "Other photographs:",
        "",
        table(("photographs", "faces", "people", "embedder", *SCORES), list(others(rules, data))),
        "",
        f"LFW in {PORTIONS} portions, in random order, each added to the groups of those before. Changed are "
        "old faces whose number is another after a portion.",
        "",
        table(
            ("embedder", "groups of before", *SCORES[1:4], "BCubed F", "changed, mean", "changed, most"),
            list(portions(rules, vectors, person)),
        ),
        "",
        "Group photographs: pairs of faces of one photograph that come into one group.",
        "",
        table(
            ("embedder", "faces", "photographs", "pairs", "where they may", "where they must not"),
            list(crowds(rules, data)),
        ),
        "",
        "Made-up vectors, 2 threads; memory is the most that the process held, the vectors included.",
        "",
        table(("faces", "numbers each", "people", "pairwise F", "s", "MB"), list(made())),
    ]
    write("clustering", "\n".join(text))


def linked(rule: DecisionRule, vectors: np.ndarray) -> float:
    return linking_distance(vectors, metric=rule.metric, distance=rule.distance, fmr=rule.fmr)


def grouped(rule: DecisionRule, vectors: np.ndarray, **more) -> np.ndarray:
    return group(vectors, metric=rule.metric, distance=linked(rule, vectors), **more)


def scores(found: Clusters) -> tuple[str, ...]:
    pairwise = (found.pairwise_precision, found.pairwise_recall, found.pairwise_f)
    bcubed = (found.bcubed_precision, found.bcubed_recall, found.bcubed_f)
    return (f"{found.clusters:,}", *map(percent, pairwise + bcubed))


def beside(rules: Rules, vectors: dict[str, np.ndarray], person: np.ndarray) -> Iterator[tuple]:
    for name, rule in rules.items():
        points = l2_normalise(vectors[name]) if rule.metric == "cosine" else vectors[name]
        link = linked(rule, vectors[name])
        yield (f"`{name}`", "**mean linkage**", f"{link:.3f}", *judged(person, grouped(rule, vectors[name])))
        for distance in (link, rule.distance):
            radius = (2 * distance) ** 0.5 if rule.metric == "cosine" else distance
            for method, run in METHODS.items():
                yield (f"`{name}`", method, f"{distance:.3f}", *judged(person, run(points, radius)))
        yield (f"`{name}`", "HDBSCAN, 2 faces", "", *judged(person, hdbscan(points)))


def judged(person: np.ndarray, found: np.ndarray) -> tuple[str, ...]:
    return scores(measure_clusters(person, found))


def dbscan(points: np.ndarray, radius: float, faces: int) -> np.ndarray:
    import sklearn.cluster

    return alone(sklearn.cluster.DBSCAN(eps=radius, min_samples=faces).fit_predict(points))


def hdbscan(points: np.ndarray) -> np.ndarray:
    import sklearn.cluster

    return alone(sklearn.cluster.HDBSCAN(min_cluster_size=2, copy=True).fit_predict(points))


def alone(found: np.ndarray) -> np.ndarray:
    """Groups of one for what is in no group."""
    return np.where(found < 0, found.max() + 1 + np.arange(len(found)), found)


def whispers(points: np.ndarray, radius: float, rounds: int = 20) -> np.ndarray:
    """C. Biemann: Chinese Whispers, TextGraphs 2006."""
    import sklearn.neighbors

    near = sklearn.neighbors.radius_neighbors_graph(points, radius)
    found, lot = np.arange(len(points)), np.random.default_rng(0)
    for _ in range(rounds):
        before = found.copy()
        for i in lot.permutation(len(points)):
            if len(said := found[near.indices[near.indptr[i] : near.indptr[i + 1]]]):
                names, count = np.unique(said, return_counts=True)
                found[i] = names[count.argmax()]
        if (found == before).all():
            break
    return found


METHODS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "connected components": lambda points, radius: dbscan(points, radius, 1),
    "DBSCAN, 3 faces": lambda points, radius: dbscan(points, radius, 3),
    "Chinese whispers": whispers,
}


def parts(rules: Rules, vectors: dict[str, np.ndarray], person: np.ndarray) -> Iterator[tuple]:
    for name, rule in rules.items():
        for photographs, draws in PARTS.items():
            cells, shares = np.zeros((len(FACTORS), 2)), []
            for seed in range(draws):
                some = drawn(person, photographs, seed)
                mine, link = vectors[name][some], linked(rule, vectors[name][some])
                shares.append((link / rule.distance) ** power(rule))
                for i, factor in enumerate(FACTORS):
                    found = group(mine, metric=rule.metric, distance=link * factor ** (1 / power(rule)))
                    score = measure_clusters(person[some], found)
                    cells[i] += np.array([score.pairwise_f, score.pairwise_precision]) / draws
            shown = (f"{percent(f)} ({percent(precision)})" for f, precision in cells)
            yield (f"`{name}`", f"{photographs:,}", f"{np.mean(shares):.2f}", *shown)


def power(rule: DecisionRule) -> int:
    """What a distance is raised to so that it is a squared one, or half of one."""
    return 1 if rule.metric == "cosine" else 2


def drawn(person: np.ndarray, photographs: int, seed: int) -> np.ndarray:
    """Flags of all photographs of people drawn by lot, about so many."""
    people = np.unique(person)
    count = round(len(people) * photographs / len(person))
    return np.isin(person, np.random.default_rng(seed).permutation(people)[:count])


def others(rules: Rules, data: Path) -> Iterator[tuple]:
    orl = sorted((data / "orl_faces").glob("s*/*.pgm"))
    faces = [Image.from_rgb(np.array(PIL.Image.open(file).convert("RGB"))) for file in orl]
    few, people = small_folder(data / "faces_wild")
    for what, images, person in (
        ("ORL, 92 x 112 pixels, grey", faces, [file.parent.name for file in orl]),
        ("a folder of public figures", few, people),
    ):
        for name, rule in rules.items():
            vectors = embedded(images, name)
            there = np.isfinite(vectors).all(axis=1)
            known = np.array(person)[there]
            found = grouped(rule, vectors[there])
            count = f"{len(np.unique(known)):,}"
            yield (what, f"{len(known):,}", count, f"`{name}`", *judged(known, found))


def small_folder(wild: Path) -> tuple[list[Path], list[str]]:
    """Photographs of one face each of people who are known, and who they are."""
    pairs = read_pairs(wild / "pairs_labelled" / "master.csv", wild / "pairs_labelled")
    shown = {photo: str(number) for photo, number in zip(pairs.photos, pairs.person, strict=True)}
    for label, names in ONE_FACE.items():
        shown |= dict.fromkeys((wild / "obama_biden" / name for name in names), label)
    known = Path(__file__).parents[1] / "examples" / "photos" / "known"
    shown |= {photo: photo.parent.name for photo in sorted(known.glob("*/*.jpg"))}
    return list(shown), list(shown.values())


def embedded(images: Sequence[Image | Path], embedder: str) -> np.ndarray:
    """Embeddings `(n, d)` of the face nearest the centre; NaN where there is none."""
    kit = Mien(detector=DETECTOR, embedder=embedder)
    faces = [result.faces for result in kit.analyze(images, ("embedding",))]
    width = next(one.embedding.shape[1] for one in faces if len(one))
    return np.stack([one.central().embedding[0] if len(one) else np.full(width, np.nan) for one in faces])


def portions(rules: Rules, vectors: dict[str, np.ndarray], person: np.ndarray) -> Iterator[tuple]:
    order = np.random.default_rng(0).permutation(len(person))
    vectors, person = {name: rows[order] for name, rows in vectors.items()}, person[order]
    for name, rule in rules.items():
        at_once = measure_clusters(person, grouped(rule, vectors[name]))
        yield (f"`{name}`", "none: all at once", *told(at_once), "", "")
        for what, afresh in (("kept", False), ("looked at afresh", True)):
            known, changed = np.zeros(0, np.int64), []
            for part in np.array_split(np.arange(len(person)), PORTIONS):
                previous = np.concatenate([known, np.full(len(part), -1)])
                found = grouped(rule, vectors[name][: len(previous)], previous=previous, afresh=afresh)
                changed += [(found[: len(known)] != known).mean()] if len(known) else []
                known = found
            shown = told(measure_clusters(person, known))
            yield (f"`{name}`", what, *shown, percent(np.mean(changed)), percent(max(changed)))


def told(found: Clusters) -> tuple[str, ...]:
    shown = (found.pairwise_precision, found.pairwise_recall, found.pairwise_f, found.bcubed_f)
    return tuple(map(percent, shown))


def crowds(rules: Rules, data: Path) -> Iterator[tuple]:
    people = data / "faces_wild" / "people"
    photos = sorted(file for file in people.iterdir() if "group" in file.name or "solvay" in file.name)
    for name, rule in rules.items():
        kit = Mien(detector=DETECTOR, embedder=name)
        faces = [result.faces for result in kit.analyze(photos, ("embedding",))]
        picture = np.repeat(np.arange(len(faces)), [len(one) for one in faces])
        vectors = np.concatenate([one.embedding for one in faces if len(one)])
        together = [pairs_within(picture, grouped(rule, vectors, apart=apart)) for apart in (None, picture)]
        pairs = pairs_within(picture, np.zeros(len(picture), np.int64))
        yield (f"`{name}`", len(picture), len(photos), pairs, *together)


def pairs_within(picture: np.ndarray, found: np.ndarray) -> int:
    a, b = np.triu_indices(len(picture), 1)
    return int(((picture[a] == picture[b]) & (found[a] == found[b])).sum())


def made() -> Iterator[tuple]:
    # A process each, so that the most memory held is that of one run.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as one:
        for size in MADE:
            f, seconds, megabytes = one.submit(timed, *size).result()
            yield (*(f"{number:,}" for number in size), percent(f), f"{seconds:.1f}", f"{megabytes:,.0f}")


def timed(faces: int, numbers: int, people: int) -> tuple[float, float, float]:
    lot = np.random.default_rng(0)
    centre = l2_normalise(lot.standard_normal((people, numbers), np.float32))
    person = lot.integers(0, people, faces)
    # Noise of 0.7 about a centre of length one: faces of one person have a cosine distance of 0.33.
    vectors = centre[person] + 0.7 / numbers**0.5 * lot.standard_normal((faces, numbers), np.float32)
    start = time.perf_counter()
    link = linking_distance(vectors, metric="cosine", distance=0.66, fmr=1e-3)
    found = group(vectors, metric="cosine", distance=link)
    spent = time.perf_counter() - start
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return measure_clusters(person, found).pairwise_f, spent, held


if __name__ == "__main__":
    main()
