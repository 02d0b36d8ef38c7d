"""Whether calibrations hold for people that they were not made from: LFW, split by person into halves.

    make bench-calibration LFW=../shared/data/lfw

The threshold is fitted on one half and judged on the other, for several splits. Then the other half is
spoilt, and the check for drift must notice.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from degradations import degrade
from lfw_vectors import vectors_of
from mien import Mien, open_image
from mien.errors import RateUnsupported
from mien.evaluate.calibration.drift import check_drift
from mien.evaluate.calibration.fitting import Fitted, calibrate
from mien.evaluate.looking import COLUMNS, look
from mien.evaluate.measures.comparisons import Comparisons, everybody
from mien.evaluate.measures.evidence import cllr, reliability
from mien.evaluate.measures.intervals import Draws
from mien.evaluate.measures.operating import rates_at
from mien.evaluate.reading.pairs import read_pairs
from mien.evaluate.showing import percent
from sections import stamp, table, write

DETECTOR = "yunet"
EMBEDDERS = ("retail0095", "mobilefacenet", "dlib-resnet29")
RATES = (1e-2, 1e-3)
SPLITS = 5
SPOILT = 1200
PEOPLE = (50, 100, 250, 500, 1000, 2000)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/lfw")
    pairs = read_pairs(folder / "pairs.txt", folder / "images")
    vectors = vectors_of(pairs.photos, DETECTOR, EMBEDDERS)
    rows = [row for name in EMBEDDERS for row in held(name, vectors[name], pairs.person)]
    needs = [row for name in EMBEDDERS for row in least(name, vectors[name], pairs.person)]
    text = [
        stamp("scikit-learn"),
        "",
        f"{len(pairs.photos):,} photographs of {len(np.unique(pairs.person)):,} people, found by "
        f"`{DETECTOR}`, "
        f"split by person into halves in {SPLITS} ways: the threshold of one half, judged on the other. "
        "Intervals "
        "are of 95 %, from people of the other half drawn with replacement; what they do not cover need "
        "not be "
        "wrong, since the threshold varies with its own half too.",
        "",
        table(
            (
                "embedder",
                "FMR asked for",
                "FMR on the other half, by split",
                "interval covers",
                "verdict of the check",
                "error of probabilities",
                "Cllr",
            ),
            rows,
        ),
        "",
        "Smallest false-match rate that photographs of so many people support, one split:",
        "",
        table(("embedder", *(f"{count:,} people" for count in PEOPLE)), needs),
        "",
        *drifted(vectors["mobilefacenet"], pairs.photos, pairs.person),
    ]
    write("calibration", "\n".join(text))


def held(name: str, vectors: np.ndarray, person: np.ndarray) -> Iterator[tuple]:
    """How each rate asked for comes out on the people of the other half."""
    metric = Mien(embedder=name).metric()
    splits = [list(halves(vectors, person, metric, seed)) for seed in range(SPLITS)]
    for rate in RATES:
        seen, verdicts, errors, costs = [], [], [], []
        for learned, judged in splits:
            fitted = fit(learned, name, metric, rate)
            seen.append(rates_at(judged, fitted.calibration.threshold, Draws(judged.people))[0])
            verdicts.append(check_drift(fitted.calibration, judged, everyone(judged)).verdict)
            error, cost = trust(fitted, judged)
            errors.append(error)
            costs.append(cost)
        yield (
            f"`{name}`",
            percent(rate),
            ", ".join(percent(one.value) for one in seen),
            f"{sum(one.low <= rate <= one.high for one in seen)} of {len(seen)}",
            ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts)),
            percent(float(np.mean(errors))),
            f"{np.mean(costs):.3f}",
        )


def halves(vectors: np.ndarray, person: np.ndarray, metric: str, seed: int) -> Iterator[Comparisons]:
    side = np.random.default_rng(seed).permutation(person.max() + 1) % 2
    for number in (0, 1):
        yield of_people(vectors, person, side[person] == number, metric)


def of_people(vectors: np.ndarray, person: np.ndarray, chosen: np.ndarray, metric: str) -> Comparisons:
    numbered = np.unique(person[chosen], return_inverse=True)[1].astype(np.int32)
    return everybody(vectors[chosen], numbered, metric)


def fit(compared: Comparisons, name: str, metric: str, rate: float) -> Fitted:
    return calibrate(compared, space=name, metric=metric, fmr=rate, acquired=everyone(compared))


def everyone(compared: Comparisons) -> np.ndarray:
    """A face was found on every photograph."""
    return np.ones(len(compared.person), bool)


def trust(fitted: Fitted, judged: Comparisons) -> tuple[float, float]:
    """Mean error of probabilities, and cost of the log likelihood ratio."""
    made = judged.made
    ratio = fitted.calibration.log10_likelihood_ratio(judged.distance[made].astype(np.float64))
    same, weight = judged.genuine[made], np.ones(int(made.sum()))
    return reliability(ratio, same, weight).error, cllr(ratio, same, weight)


def least(name: str, vectors: np.ndarray, person: np.ndarray) -> Iterator[tuple]:
    """Two photographs each of more and more people, first those of whom there are two."""
    metric = Mien(embedder=name).metric()
    count = np.bincount(person)
    order = np.argsort(-np.minimum(count, 2), kind="stable")
    first = np.concatenate([np.flatnonzero(person == p)[:2] for p in order[: max(PEOPLE)]])
    yield (
        f"`{name}`",
        *(smallest(vectors[first], person[first], np.isin(person[first], order[:n]), metric) for n in PEOPLE),
    )


def smallest(vectors: np.ndarray, person: np.ndarray, chosen: np.ndarray, metric: str) -> str:
    try:
        found = fit(of_people(vectors, person, chosen, metric), "", metric, 0.3)
    except RateUnsupported:
        return "none"
    return percent(found.calibration.least_fmr)


def drifted(vectors: np.ndarray, photos: tuple[Path, ...], person: np.ndarray) -> Iterator[str]:
    """What the check says of photographs that are spoilt."""
    kit = Mien(detector=DETECTOR, embedder="mobilefacenet")
    side = np.random.default_rng(0).permutation(person.max() + 1) % 2
    other = np.flatnonzero(side[person] == 1)
    chosen = np.isin(person, np.unique(person[other])[: SPOILT // 2])
    images = [degrade(open_image(photos[i]), i) for i in np.flatnonzero(chosen)]
    spoilt = look(kit.analyze, images, COLUMNS).column("embedding")
    numbered = np.unique(person[chosen], return_inverse=True)[1].astype(np.int32)
    learned = of_people(vectors, person, side[person] == 0, kit.metric())
    calibration = fit(learned, "mobilefacenet", kit.metric(), 1e-2).calibration
    usual = everybody(vectors[chosen], numbered, kit.metric())
    plain = check_drift(calibration, usual, everyone(usual))
    found = check_drift(calibration, everybody(spoilt, numbered, kit.metric()), ~np.isnan(spoilt).any(axis=1))
    yield (
        f"The check of `mobilefacenet` at 1 %, on {int(chosen.sum()):,} photographs of "
        f"{len(np.unique(numbered)):,} "
        f"people of the other half: **{plain.verdict}** as they are, **{found.verdict}** when they are "
        "spoilt in ten "
        f"ways (benchmarks/degradations.py): {'; '.join(found.reasons)}."
    )


if __name__ == "__main__":
    main()
