"""`Mien` decides by a calibration where there is one."""

import msgspec
import numpy as np
import pytest

from mien import Mien, load_settings
from mien.errors import CalibrationInvalid, RateUnsupported, SpaceMismatch
from mien.gallery.calibration import Behind, Calibration, Interval, write_calibration
from mien.gallery.rule import save_calibration


@pytest.fixture
def home(mien_home, tmp_path):
    """A home with the packs of the starter set, to write calibrations into."""
    (tmp_path / "packs").symlink_to(mien_home / "packs")
    return tmp_path


@pytest.fixture
def made(home):
    """A `Mien` in that home."""
    return lambda **choices: Mien(load_settings(environ={}, home=home, store="memory", **choices))


@pytest.fixture
def calibration(made):
    kit = made()
    return Calibration(
        space=kit.calibration_file().stem.replace("-", ":").replace("dlib:resnet29", "dlib-resnet29"),
        metric="euclidean",
        made="2026-11-21",
        requested_fmr=1e-2,
        threshold=0.55,
        fmr=Interval(0.01, 0.009, 0.011),
        fnmr=Interval(0.02, 0.01, 0.03),
        distances=[0.45, 0.65],
        rates=[1e-4, 1e-1],
        evidence_distances=[0.3, 0.8],
        evidence=[3.0, -2.0],
        method="logistic",
        cllr=0.1,
        behind=Behind(200, 400, 0, 200, 79_600),
        detector="mtcnn",
    )


@pytest.fixture
def pair(photos):
    return sorted((photos / "known" / "Barack Obama").glob("*.jpg"))[:2]


def test_the_calibration_kept_in_the_home_is_used(made, calibration, pair):
    before = made().verify(*pair)
    assert (before.source, before.probability) == ("manifest", None)
    save_calibration(calibration, made().calibration_file())
    after = made().verify(*pair)
    assert (after.source, after.threshold, after.fmr) == ("calibration", 0.55, 0.01)
    assert after.distance == before.distance
    evidence = np.interp(after.distance, [0.3, 0.8], [3, -2])
    assert after.probability == pytest.approx(1 / (1 + 10**-evidence))
    assert after.verified == (after.distance <= 0.55)


def test_matches_say_how_probable_they_are(made, calibration, pair, photos):
    save_calibration(calibration, made().calibration_file())
    kit = made()
    kit.enroll("Barack Obama", pair[0])
    (match,) = kit.identify(pair[1]).matches[0]
    assert match.probability == pytest.approx(kit.verify(*pair).probability, abs=1e-5)


def test_a_calibration_of_another_process_counts_at_once(made, calibration, pair):
    kit = made()
    file = kit.calibration_file()
    before = kit.rule()
    assert kit.gallery().rule is kit.rule() is before
    for threshold in (0.55, 0.5):
        save_calibration(msgspec.structs.replace(calibration, threshold=threshold), file)
        assert kit.gallery().rule is kit.rule()
        assert kit.rule().distance == threshold
    file.write_bytes(b"no calibration")
    for _ in range(2):
        with pytest.raises(CalibrationInvalid):
            kit.rule()
    file.unlink()
    assert kit.rule() == before
    assert kit.verify(*pair).source == "manifest"


def test_another_rate_is_another_threshold(made, calibration, pair):
    save_calibration(calibration, made().calibration_file())
    strict = made(fmr=1e-3).rule()
    assert strict.fmr == 1e-3
    assert strict.distance == pytest.approx(0.45 + 0.2 / 3)
    with pytest.raises(RateUnsupported, match="1e-06"):
        made(fmr=1e-6).verify(*pair)


def test_a_rate_without_a_calibration_is_not_guessed(made):
    with pytest.raises(RateUnsupported) as error:
        made(fmr=1e-6).rule()
    assert "mien calibrate" in error.value.hint


def test_a_file_of_ones_own_wins_over_the_one_in_the_home(made, calibration, tmp_path):
    save_calibration(calibration, made().calibration_file())
    other = tmp_path / "mine.json"
    save_calibration(msgspec.structs.replace(calibration, threshold=0.5), other)
    assert made(calibration=other).rule().distance == 0.5
    assert made(calibration=str(other)).rule().distance == 0.5


def test_damage_and_other_spaces_are_errors_not_silence(made, calibration, tmp_path):
    file = tmp_path / "mine.json"
    file.write_bytes(write_calibration(calibration).replace(b"0.55", b"0.75"))
    with pytest.raises(CalibrationInvalid, match="not as it was written"):
        made(calibration=file).rule()
    save_calibration(msgspec.structs.replace(calibration, space="other:0"), file)
    with pytest.raises(SpaceMismatch):
        made(calibration=file).rule()
    with pytest.raises(CalibrationInvalid, match="cannot be read"):
        made(calibration=tmp_path / "none.json").rule()
