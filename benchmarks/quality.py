"""Whether quality predicts which faces are not recognised: error versus discard on LFW.

    python benchmarks/quality.py ../shared/data/lfw

The 3,000 pairs of the same person of LFW, as they are, and with either photograph degraded: LFW alone is
too easy. A pair is as good as the worse of its two faces. Pairs are discarded from the worst on; what remains
should fail less. The threshold stays where one in a thousand pairs of different people match. P. Grother,
E. Tabassi: Performance of Biometric Quality Measures, PAMI 29(4), 2007.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw

from degradations import WAYS, degrade
from mien import Image, Mien, open_image
from mien.core.columns import BY_NAME
from mien.core.faces import Faces
from mien.evaluate.reading.pairs import read_pairs
from mien.models.stage import Stage
from mien.ops.vectors import l2_normalise
from sections import stamp, table, write

FMR = 1e-3
DISCARDED = np.linspace(0, 0.3, 31)
EMBEDDERS = ("mobilefacenet", "retail0095")
PARTS = BY_NAME["quality_parts"].labels
FOLDS = 10
OUT = Path(__file__).parents[1] / "out"


@dataclass(frozen=True)
class Seen:
    """The largest face of one photograph: quality and its parts `(k,)`, embeddings by embedder."""

    quality: np.ndarray
    vectors: dict[str, np.ndarray]


@dataclass(frozen=True)
class Trials:
    """Pairs of the same person: similarity `(n,)` by embedder, quality of the worse face `(n, k)`, fold."""

    similarity: dict[str, np.ndarray]
    quality: np.ndarray
    fold: np.ndarray


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/lfw")
    listed = read_pairs(folder / "pairs.txt", folder / "images")
    pairs = [(int(a), int(b)) for a, b in listed.pairs[listed.same]]
    kit = Mien()
    look = looker(kit)
    photos = listed.photos
    plain = look(open_image(photo) for photo in photos)
    threshold = {name: at_fmr(plain, listed.person, name) for name in EMBEDDERS}
    clean = trials([(plain[a], plain[b]) for a, b in pairs])
    # Each pair twice: its first photograph spoilt, then its second.
    both = [pair for a, b in pairs for pair in ((a, b), (b, a))]
    spoilt = look(degrade(open_image(photos[a]), number) for number, (a, _) in enumerate(both))
    hard = trials([(seen, plain[b]) for seen, (_, b) in zip(spoilt, both, strict=True)])
    missed = sum(seen is None for seen in spoilt)
    write("quality", report(kit, clean, hard, threshold, missed))
    draw(clean, hard, threshold)


def looker(kit: Mien) -> Callable[[Iterator[Image]], list[Seen | None]]:
    """What sees one batch of photographs after another."""
    stages = kit.stages_for(("box", "points", "quality", "quality_parts"))
    embedders = [kit.stage(name) for name in EMBEDDERS]

    def look(images: Iterator[Image]) -> list[Seen | None]:
        found: list[Seen | None] = []
        for batch in batched(images, kit.settings.batch):
            found += see(batch, stages, embedders)
        return found

    return look


def batched(images: Iterator[Image], size: int) -> Iterator[list[Image]]:
    while batch := list(itertools.islice(images, size)):
        yield batch


def see(images: list[Image], stages: tuple[Stage, ...], embedders: list[Stage]) -> list[Seen | None]:
    faces = [Faces.empty(image.size_wh) for image in images]
    for stage in stages:
        faces = stage(images, faces)
    faces = [found.largest() for found in faces]
    embedded = {stage.name: stage(images, faces) for stage in embedders}
    return [
        Seen(
            np.array([found.quality[0], *found.quality_parts[0]]),
            {name: l2_normalise(of[i].embedding[0]) for name, of in embedded.items()},
        )
        if len(found)
        else None
        for i, found in enumerate(faces)
    ]


def at_fmr(seen: list[Seen | None], people: np.ndarray, embedder: str) -> float:
    """Similarity that the share FMR of pairs of different people reaches; of three million pairs."""
    known = [i for i, one in enumerate(seen) if one is not None]
    person, vectors = people[known], np.stack([seen[i].vectors[embedder] for i in known])
    a, b = np.random.default_rng(0).integers(0, len(known), (2, 3_000_000))
    different = np.array_split(np.flatnonzero(person[a] != person[b]), 100)
    similarity = np.concatenate([(vectors[a[part]] * vectors[b[part]]).sum(1) for part in different])
    return float(np.quantile(similarity, 1 - FMR))


def trials(pairs: list[tuple[Seen | None, Seen | None]]) -> Trials:
    """Compare; pairs with a photograph in which no face was found are left out."""
    whole = [(a, b, i) for i, (a, b) in enumerate(pairs) if a is not None and b is not None]
    return Trials(
        {
            name: np.array([float(a.vectors[name] @ b.vectors[name]) for a, b, _ in whole])
            for name in EMBEDDERS
        },
        np.array([np.minimum(a.quality, b.quality) for a, b, _ in whole]),
        # LFW's folds are of different people, and its pairs are in their order.
        np.array([i * FOLDS // len(pairs) for _, _, i in whole]),
    )


def curve(score: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """FNMR of what remains after each share of DISCARDED."""
    best_first = failed[np.argsort(-score, kind="stable")]
    kept = [max(1, round(len(failed) * (1 - share))) for share in DISCARDED]
    return np.array([best_first[:count].mean() for count in kept])


def area(score: np.ndarray, failed: np.ndarray) -> float:
    """Mean FNMR over DISCARDED, in parts of the FNMR of all: 1 predicts nothing."""
    found = curve(score, failed)
    return float(found.mean() / found[0])


def combined(trial: Trials, failed: np.ndarray) -> np.ndarray:
    """Logistic regression of quality and all parts, fitted on nine folds (other people) for the tenth."""
    features = (trial.quality - trial.quality.mean(0)) / (trial.quality.std(0) + 1e-6)
    features = np.concatenate([features, np.ones((len(features), 1))], 1)
    score = np.zeros(len(failed))
    for fold in range(FOLDS):
        fitted = trial.fold != fold
        weights = logistic_regression(features[fitted], ~failed[fitted])
        score[~fitted] = features[~fitted] @ weights
    return score


def logistic_regression(features: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Newton's method; a ridge keeps weights finite."""
    weights = np.zeros(features.shape[1])
    ridge = 1.0 * np.eye(len(weights))
    for _ in range(25):
        chance = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (right - chance) - ridge @ weights
        weights = weights + np.linalg.solve(
            features.T @ (features * (chance * (1 - chance))[:, None]) + ridge, slope
        )
    return weights


def predictors(trial: Trials, failed: np.ndarray, similarity: np.ndarray) -> dict[str, np.ndarray]:
    """Scores by name, from what knows all to what knows nothing."""
    return {
        "ideal (knows what fails)": similarity,
        "`quality`": trial.quality[:, 0],
        "fit of `quality` and all parts": combined(trial, failed),
        "`quality` times sharpness": trial.quality[:, 0] * trial.quality[:, 1 + PARTS.index("sharpness")],
        **{part: trial.quality[:, i] for i, part in enumerate(PARTS, 1)},
        "chance": np.random.default_rng(0).random(len(failed)),
    }


def report(kit: Mien, clean: Trials, hard: Trials, threshold: dict[str, float], missed: int) -> str:
    areas: dict[str, list[str]] = {}
    rows = []
    for embedder, (what, trial) in itertools.product(EMBEDDERS, (("as they are", clean), ("degraded", hard))):
        similarity = trial.similarity[embedder]
        failed = similarity < threshold[embedder]
        for name, score in predictors(trial, failed, similarity).items():
            areas.setdefault(name, []).append(f"{area(score, failed):.2f}")
        rates = curve(trial.quality[:, 0], failed)
        rows.append((f"{embedder}, {what}", *(f"{rates[i]:.2%}" for i in (0, 5, 10, 20, 30))))
    detector = kit.manifest_for("box").name
    return "\n".join(
        [
            stamp(),
            "",
            f"The largest face of each photograph, found by {detector}. FNMR at the threshold at which one "
            f"in a thousand pairs of different people of LFW match, of {len(clean.fold):,} pairs as they are "
            f"and {len(hard.fold):,} of which one photograph is degraded ({', '.join(WAYS)}; in {missed} "
            "more no face was found), after the worst pairs by `quality` were discarded:",
            "",
            table(("pairs", "all", "5 % discarded", "10 %", "20 %", "30 %"), rows),
            "",
            "Mean FNMR over the discarding of 0 to 30 %, in parts of that of all pairs: 1 predicts nothing.",
            "",
            table(
                ("predictor", *(f"{e}, {w}" for e in EMBEDDERS for w in ("as they are", "degraded"))),
                [(name, *values) for name, values in areas.items()],
            ),
            "",
            f"What `quality` means: share of the degraded pairs that match, by {EMBEDDERS[0]}.",
            "",
            meaning(hard, threshold),
        ]
    )


def meaning(trial: Trials, threshold: dict[str, float]) -> str:
    matched = trial.similarity[EMBEDDERS[0]] >= threshold[EMBEDDERS[0]]
    edges = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)
    rows = []
    for low, high in itertools.pairwise(edges):
        within = (trial.quality[:, 0] >= low) & (trial.quality[:, 0] < high)
        if within.any():
            rows.append((f"{low:.2f} to {min(high, 1):.2f}", within.sum(), f"{matched[within].mean():.0%}"))
    return table(("quality", "pairs", "matched"), rows)


def draw(clean: Trials, hard: Trials, threshold: dict[str, float]) -> None:
    """Curves as out/quality.png, both sets side by side."""
    sheet = PIL.Image.new("RGB", (1200, 520), "white")
    pen = PIL.ImageDraw.Draw(sheet)
    shown = {"ideal (knows what fails)": "#999999", "`quality`": "#0050c0", "chance": "#bbbbbb"}
    shown |= {
        "fit of `quality` and all parts": "#c06000",
        "sharpness": "#308030",
        "inter_eye_distance": "#a030a0",
    }
    for left, (title, trial) in ((60, ("as they are", clean)), (660, ("degraded", hard))):
        similarity = trial.similarity[EMBEDDERS[0]]
        failed = similarity < threshold[EMBEDDERS[0]]
        scores = predictors(trial, failed, similarity)
        top = failed.mean() * 1.2
        pen.rectangle((left, 40, left + 500, 400), outline="black")
        pen.text((left, 20), f"FNMR over share discarded, {EMBEDDERS[0]}, LFW {title}", fill="black")
        for i in range(4):
            pen.text((left + i * 500 / 3 - 8, 406), f"{i * 10} %", fill="black")
            pen.text((left - 48, 394 - i * 120), f"{top * i / 3:.2%}", fill="black")
        for i, (name, colour) in enumerate(shown.items()):
            rates = np.minimum(curve(scores[name], failed), top)
            line = [
                (left + 500 * share / 0.3, 400 - 360 * rate / top)
                for share, rate in zip(DISCARDED, rates, strict=True)
            ]
            pen.line(line, fill=colour, width=3)
            pen.text((left + 250 * (i % 2), 430 + 18 * (i // 2)), name, fill=colour)
    OUT.mkdir(exist_ok=True)
    sheet.save(OUT / "quality.png")


if __name__ == "__main__":
    main()
