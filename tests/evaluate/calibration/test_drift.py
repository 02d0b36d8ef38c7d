import numpy as np
import pytest

from mien.evaluate.calibration.drift import check_drift
from mien.evaluate.calibration.fitting import calibrate
from mien.evaluate.calibration.showing import show_drift
from mien.evaluate.measures.comparisons import Comparisons


@pytest.fixture
def calibration(population, all_found):
    compared = population(200)
    return calibrate(compared, space="s", metric="cosine", fmr=1e-2, acquired=all_found(compared)).calibration


@pytest.fixture
def check(calibration, all_found):
    return lambda compared: check_drift(calibration, compared, all_found(compared))


def test_it_holds_for_more_of_the_same(population, calibration, check):
    found = check(population(150))
    assert (found.verdict, found.reasons) == ("holds", [])
    assert "Nothing speaks against" in show_drift(found, calibration).headline


def test_people_who_look_alike_are_noticed(population, calibration, check):
    found = check(population(150, alike=0.25))
    assert found.verdict == "drifted"
    assert any("false-match rate" in reason for reason in found.reasons)
    assert found.fmr.low > calibration.fmr.high
    assert found.reasons[0] in show_drift(found, calibration).headline


def test_worse_photographs_are_noticed(population, calibration, check):
    found = check(population(150, blur=0.8))
    assert found.verdict == "drifted"
    assert any("false non-match rate" in reason for reason in found.reasons)


def test_faces_that_are_not_found_are_named_as_the_reason(population, calibration, check):
    compared = population(150)
    acquired = np.arange(len(compared.person)) % 3 > 0
    distance = np.where(acquired[compared.a] & acquired[compared.b], compared.distance, np.inf)
    unseen = Comparisons(distance.astype(np.float32), compared.a, compared.b, compared.person)
    found = check_drift(calibration, unseen, acquired)
    assert found.verdict == "drifted"
    assert found.reasons[-1] == "no face was found on 150 of 450 photographs"
    assert found.failure_to_acquire.value == pytest.approx(1 / 3)


def test_few_photographs_cannot_tell(population, check):
    found = check(population(12))
    assert found.verdict == "too few"
    assert "not enough comparisons of two people" in found.reasons[0]
