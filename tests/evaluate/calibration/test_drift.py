import pytest

from mien.evaluate.calibration.drift import check_drift
from mien.evaluate.calibration.fitting import calibrate
from mien.evaluate.calibration.showing import show_drift


@pytest.fixture
def calibration(population, all_found):
    compared = population(200)
    return calibrate(compared, space="s", metric="cosine", fmr=1e-2, acquired=all_found(compared)).calibration


def test_it_holds_for_more_of_the_same(population, calibration):
    found = check_drift(calibration, population(150))
    assert (found.verdict, found.reasons) == ("holds", [])
    assert "Nothing speaks against" in show_drift(found, calibration).headline


def test_people_who_look_alike_are_noticed(population, calibration):
    found = check_drift(calibration, population(150, alike=0.25))
    assert found.verdict == "drifted"
    assert any("false-match rate" in reason for reason in found.reasons)
    assert found.fmr.low > calibration.fmr.high
    assert found.reasons[0] in show_drift(found, calibration).headline


def test_worse_photographs_are_noticed(population, calibration):
    found = check_drift(calibration, population(150, blur=0.8))
    assert found.verdict == "drifted"
    assert any("false non-match rate" in reason for reason in found.reasons)


def test_better_photographs_are_drift_too(population, calibration):
    assert check_drift(calibration, population(150, blur=0.1)).verdict == (
        "drifted" if calibration.fnmr.low > 0.008 else "holds"
    )


def test_few_photographs_cannot_tell(population, calibration):
    found = check_drift(calibration, population(12))
    assert found.verdict == "too few"
    assert "not enough comparisons of two people" in found.reasons[0]
