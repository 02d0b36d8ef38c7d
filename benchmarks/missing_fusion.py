"""How photographs of one person are fused into one search; part of benchmarks/missing.py."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mien.evaluate.measures.evidence import cllr
from mien.evaluate.reading.pairs import Pairs
from mien.evaluate.showing import percent
from mien.gallery.calibration import Calibration
from mien.gallery.rule import DecisionRule
from mien.ops.vectors import DISTANCES

PROBES = 3
LEAST_PHOTOS = 5
ENROLLED = 2
STRANGERS = 50
PLACES = (1, 10, 50)


@dataclass(frozen=True)
class Trials:
    """People who are looked for: `(t,)` numbers of people, `(t, PROBES)` numbers of their photographs."""

    who: np.ndarray
    photos: np.ndarray


def smallest(known: Calibration, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    score = distance.min(axis=0)
    return score, known.log10_likelihood_ratio(score)


def mean(known: Calibration, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    score = distance.mean(axis=0)
    return score, known.log10_likelihood_ratio(score)


def total(known: Calibration, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ratio = known.log10_likelihood_ratio(distance).sum(axis=0)
    return -ratio, ratio


# By distances `(p, people)` to the nearest faces: scores, less is nearer, and log10 likelihood ratios.
FUSIONS = {"smallest distance": smallest, "mean of the nearest": mean, "sum of log likelihood ratios": total}
Near = dict[str, list[np.ndarray]]


def chosen(pairs: Pairs) -> Trials:
    rng = np.random.default_rng(3)
    count = np.bincount(pairs.person)
    who = np.flatnonzero(count >= LEAST_PHOTOS)
    photos = [rng.permutation(np.flatnonzero(pairs.person == one))[:PROBES] for one in who]
    return Trials(who, np.array(photos))


def distances(
    rule: DecisionRule, vectors: np.ndarray, probes: np.ndarray, pairs: Pairs, trials: Trials
) -> list[np.ndarray]:
    """For each person who is looked for `(p, people)` distances to everybody; inf to who is not enrolled."""
    rng = np.random.default_rng(0)
    free = np.isfinite(vectors).all(axis=1)
    free[trials.photos.ravel()] = False
    order = rng.permutation(np.flatnonzero(free))
    seen = np.zeros(len(pairs.names), int)
    kept = []
    for photo in order:
        if seen[pairs.person[photo]] < ENROLLED:
            seen[pairs.person[photo]] += 1
            kept.append(photo)
    owner = pairs.person[kept]
    found = []
    for one in probes.reshape(len(trials.who), PROBES, -1):
        near = DISTANCES[rule.metric](one, vectors[kept])
        best = np.full((PROBES, len(pairs.names)), np.inf)
        for row, distance in zip(best, near, strict=True):
            np.minimum.at(row, owner, np.where(np.isnan(distance), np.inf, distance))
        found.append(best)
    return found


def fusion_rows(name: str, rule: DecisionRule, near: Near, trials: Trials) -> Iterator[tuple]:
    for kind, found in near.items():
        for many in range(1, PROBES + 1):
            for fusion, fuse in FUSIONS.items() if many > 1 else [("one", smallest)]:
                tried = zip(found, trials.who, strict=True)
                places = [
                    rank(fuse, rule, best[:many], who) for best, who in tried if seen(best[:many], who).any()
                ]
                rates = (percent(float((np.array(places) > place).mean())) for place in PLACES)
                yield (f"`{name}`", kind, many, fusion, len(places), *rates)


def seen(best: np.ndarray, who: int) -> np.ndarray:
    """Which probes show a face: all have a distance to the right person then."""
    return np.isfinite(best[:, who])


def rank(fuse, rule: DecisionRule, best: np.ndarray, who: int) -> float:
    """Place of the right person; of equals the mean."""
    best = best[seen(best, who)]
    score, _ = fuse(rule.calibration, best)
    score[~np.isfinite(best[0])] = np.inf
    return 1 + (score < score[who]).sum() + 0.5 * ((score == score[who]).sum() - 1)


def trust_row(name: str, rule: DecisionRule, near: Near, trials: Trials) -> tuple:
    """Cllr of the likelihood ratios of all probes together."""
    rng = np.random.default_rng(1)
    cells = []
    for found, fuse in itertools.product(near.values(), FUSIONS.values()):
        ratios, same = [], []
        for best, who in zip(found, trials.who, strict=True):
            if seen(best, who).any():
                shown = best[seen(best, who)]
                others = np.flatnonzero(np.isfinite(shown[0]) & (np.arange(shown.shape[1]) != who))
                compared = shown[:, [who, *rng.choice(others, STRANGERS, replace=False)]]
                ratios += fuse(rule.calibration, compared)[1].tolist()
                same += [True, *[False] * STRANGERS]
        cells.append(f"{cllr(np.array(ratios), np.array(same), np.ones(len(same))):.3f}")
    return (f"`{name}`", *cells)
