"""Embeddings of people who do not exist, by the million.

What is known of real ones: within people and between them, embeddings of `mobilefacenet` on LFW vary by
direction about as exp(-2.3 i / d), i counting directions from the widest: they fill 0.7 d directions. Two
faces of one person have cosines from 0.5 to 0.8 here, two people 0.00 with a deviation of 0.05.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DIM = 512
# Half of the faces are of people with so many, the other half of people with one.
FACES = 20
BLOCK = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """n faces, probes of people who are among them, and probes of strangers.

    Attributes:
        vectors: `(n, 512)` float32 of length one.
        person: `(n,)` number of the person on each.
        known: `(q, 512)` other faces of people with several.
        strangers: `(q, 512)` faces of nobody else.
    """

    vectors: np.ndarray
    person: np.ndarray
    known: np.ndarray
    strangers: np.ndarray


def crowd(count: int, probes: int, seed: int = 0) -> Crowd:
    rng = np.random.default_rng(seed)
    people = count // 2 // FACES
    several = np.repeat(np.arange(people), FACES)
    person = rng.permutation(np.concatenate([several, np.arange(people, people + count - len(several))]))
    centre = _unit(_spread(rng, people))
    vectors = np.empty((count, DIM), np.float32)
    for start in range(0, count, BLOCK):
        who = person[start : start + BLOCK]
        centres = np.empty((len(who), DIM), np.float32)
        centres[who < people] = centre[who[who < people]]
        centres[who >= people] = _unit(_spread(rng, int((who >= people).sum())))
        vectors[start : start + BLOCK] = _face(rng, centres)
    known = _face(rng, centre[rng.integers(0, people, probes)])
    return Crowd(vectors, person, known, _face(rng, _unit(_spread(rng, probes))))


def _spread(rng: np.random.Generator, count: int) -> np.ndarray:
    scale = np.exp(-1.15 * np.arange(DIM, dtype=np.float32) / DIM)
    return rng.standard_normal((count, DIM), dtype=np.float32) * (scale / np.linalg.norm(scale))


def _face(rng: np.random.Generator, centres: np.ndarray) -> np.ndarray:
    """One face of each: the cosine of two with the same deviation s is 1 / (1 + s²)."""
    deviation = np.sqrt(np.exp(rng.uniform(np.log(0.25), 0, (len(centres), 1)))).astype(np.float32)
    return _unit(centres + deviation * _spread(rng, len(centres)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
