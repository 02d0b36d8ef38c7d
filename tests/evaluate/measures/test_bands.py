import numpy as np
import pytest

from mien.evaluate.measures.bands import resample
from mien.evaluate.measures.comparisons import everybody
from mien.evaluate.measures.intervals import Draws
from mien.evaluate.measures.rates import equal_error_rate, error_curve

RATES = [0.02, 0.1, 0.3]


@pytest.fixture
def compared(rng):
    person = np.repeat(np.arange(25), 4)
    centres = rng.normal(size=(25, 6))
    return everybody(centres[person] + 0.7 * rng.normal(size=(100, 6)), person, "cosine")


def slow(compared, times):
    """Repeat every comparison as often as its people were drawn, and count."""
    a, b = compared.person[compared.a], compared.person[compared.b]
    count = np.where(a == b, times[a], times[a] * times[b]).astype(int)
    genuine = np.sort(np.repeat(compared.distance[a == b], count[a == b]))
    impostor = np.sort(np.repeat(compared.distance[a != b], count[a != b]))
    fnmr = []
    for rate in RATES:
        # The nearest of two people that would be one too many.
        place = np.searchsorted(np.arange(1, len(impostor) + 1) / len(impostor), rate, side="right")
        fnmr.append((genuine >= impostor[place]).mean())
    return equal_error_rate(error_curve(genuine, impostor))[0], fnmr


def test_replicates_are_what_repeated_comparisons_give(compared):
    draws = Draws(25, replicates=30)
    found = resample(compared, RATES, 0.2, draws)
    for i, times in enumerate(draws.times):
        eer, fnmr = slow(compared, times)
        assert found.fnmr[i] == pytest.approx(fnmr, abs=1e-9)
        # Between two steps the curve is a line there, and here the middle of the step.
        assert found.eer[i] == pytest.approx(eer, abs=0.01)


def test_drawing_everybody_once_gives_the_rates_themselves(compared):
    draws = Draws(25, replicates=1)
    draws.times[:] = 1
    found = resample(compared, RATES, 0.2, draws)
    curve = error_curve(compared.distance[compared.genuine], compared.distance[~compared.genuine])
    for rate, fnmr in zip(RATES, found.fnmr[0], strict=True):
        assert fnmr == pytest.approx(
            curve.fnmr[np.searchsorted(curve.fmr, rate, side="right") - 1], abs=0.007
        )


def test_where_nobody_who_matters_was_drawn_there_is_no_rate(compared):
    draws = Draws(25, replicates=2)
    draws.times[0] = 0
    found = resample(compared, RATES, 0.2, draws)
    assert np.isnan(found.eer[0])
    assert np.isnan(found.fnmr[0]).all()
    assert np.isfinite(found.eer[1])
