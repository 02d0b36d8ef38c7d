from pathlib import Path

import numpy as np
import pytest

from mien.compare.choice import some
from mien.evaluate.reading.pairs import Pairs


def make(rng, folds=10, each=30):
    """Pairs as LFW has them: in each fold so many of one kind, then of the other."""
    same = np.tile(np.repeat([True, False], each), folds)
    n = len(same)
    return Pairs(
        photos=tuple(Path(f"{i}.jpg") for i in range(n)),
        person=np.arange(n, dtype=np.int32) // 2,
        pairs=rng.integers(0, n, (n, 2)).astype(np.int32),
        same=same,
        fold=np.repeat(np.arange(folds, dtype=np.int32), 2 * each),
    )


@pytest.mark.parametrize("limit", [1, 19, 20, 21, 100, 599, 600, 601])
def test_evenly_over_folds_and_kinds(rng, limit):
    pairs = make(rng)
    kept = some(pairs, limit)
    assert len(kept.same) == min(limit, 600)
    counts = [((kept.fold == f) & (kept.same == s)).sum() for f in range(10) for s in (True, False)]
    assert max(counts) - min(counts) <= 1


def test_pairs_stay_what_they_were(rng):
    pairs = make(rng)
    kept = some(pairs, 40)
    old = {
        (pairs.photos[a], pairs.photos[b], bool(s), int(f))
        for (a, b), s, f in zip(pairs.pairs, pairs.same, pairs.fold, strict=True)
    }
    new = [
        (kept.photos[a], kept.photos[b], bool(s), int(f))
        for (a, b), s, f in zip(kept.pairs, kept.same, kept.fold, strict=True)
    ]
    assert set(new) <= old
    assert set(range(len(kept.photos))) == set(kept.pairs.ravel().tolist())
    assert [pairs.person[pairs.photos.index(photo)] for photo in kept.photos] == kept.person.tolist()


def test_the_first_of_each_are_taken(rng):
    pairs = make(rng, folds=2, each=5)
    kept = some(pairs, 4)
    taken = [[kept.photos[i] for i in pair] for pair in kept.pairs]
    assert taken == [[pairs.photos[i] for i in pairs.pairs[n]] for n in (0, 5, 10, 15)]


def test_without_folds_kinds_are_even(rng):
    pairs = make(rng)
    kept = some(Pairs(pairs.photos, pairs.person, pairs.pairs, pairs.same, None), 40)
    assert kept.fold is None
    assert kept.same.sum() == 20
