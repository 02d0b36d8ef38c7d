import numpy as np
import pytest

from mien.evaluate.measures.comparisons import Comparisons, everybody
from mien.evaluate.measures.intervals import Draws, clustered_rate
from mien.evaluate.measures.operating import rates_at


def test_rates_at_a_threshold_are_counts_with_intervals_over_people(rng):
    person = np.repeat(np.arange(30), 3)
    made = everybody(rng.normal(size=(30, 6))[person] + 0.6 * rng.normal(size=(90, 6)), person, "cosine")
    # Some comparisons could not be made: errors of one person, of no account between two.
    distance = np.where(rng.random(len(made)) < 0.05, np.inf, made.distance)
    compared = Comparisons(distance, made.a, made.b, person)
    draws = Draws(30)
    fmr, fnmr = rates_at(compared, 0.4, draws)
    same, seen = person[made.a] == person[made.b], np.isfinite(distance)
    assert (fmr.count, fmr.of) == ((~same & (distance <= 0.4)).sum(), (~same & seen).sum())
    assert (fnmr.count, fnmr.of) == ((same & ~(distance <= 0.4)).sum(), same.sum())
    for rate, chosen in ((fmr, ~same & seen), (fnmr, same)):
        wrong = (distance <= 0.4) == (rate is fmr)
        people = (person[made.a[chosen]], person[made.b[chosen]])
        assert rate == clustered_rate(wrong[chosen], *people, draws)
        assert rate.value == pytest.approx(rate.count / rate.of)
