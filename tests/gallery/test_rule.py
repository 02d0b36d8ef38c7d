import msgspec
import numpy as np
import pytest

from mien.errors import CalibrationError, CalibrationInvalid, ManifestInvalid, RateUnsupported, SpaceMismatch
from mien.gallery.calibration import Behind, Calibration, Interval
from mien.gallery.gallery import memory_gallery
from mien.gallery.rule import calibration_file, decide_by, load_calibration, metric_of, save_calibration
from mien.packs.builtin import builtin_manifests

MANIFEST = builtin_manifests()["dlib-resnet29"]
SPACE = "dlib-resnet29:0123"


@pytest.fixture
def calibration():
    return Calibration(
        space=SPACE,
        metric="euclidean",
        made="2026-11-21",
        requested_fmr=1e-3,
        threshold=0.5,
        fmr=Interval(1e-3, 1e-3, 1e-3),
        fnmr=Interval(0, 0, 0),
        distances=[0.4, 0.6],
        rates=[1e-4, 1e-2],
        evidence_distances=[0.4, 0.6],
        evidence=[2.0, -2.0],
        method="logistic",
        cllr=0.1,
        behind=Behind(1, 2, 3, 4, 5),
        detector="yunet",
    )


def test_without_a_calibration_the_manifest_decides():
    rule = decide_by(MANIFEST, SPACE, None, None)
    assert (rule.distance, rule.fmr, rule.source) == (
        MANIFEST.threshold.distance,
        MANIFEST.threshold.fmr,
        "manifest",
    )
    assert rule.probability(np.array([0.3])) is None
    assert decide_by(MANIFEST, SPACE, None, MANIFEST.threshold.fmr).distance == rule.distance
    with pytest.raises(RateUnsupported, match="No threshold is known"):
        decide_by(MANIFEST, SPACE, None, 1e-5)


def test_a_calibration_decides_and_knows_probabilities(calibration):
    rule = decide_by(MANIFEST, SPACE, calibration, None)
    assert (rule.distance, rule.fmr, rule.source) == (0.5, 1e-3, "calibration")
    assert rule.probability(np.array([0.5])) == pytest.approx([0.5])
    strict = decide_by(MANIFEST, SPACE, calibration, 1e-4)
    assert (strict.distance, strict.fmr) == (pytest.approx(0.4), 1e-4)
    with pytest.raises(RateUnsupported):
        decide_by(MANIFEST, SPACE, calibration, 1e-6)


def test_an_embedder_without_a_threshold_needs_a_calibration(calibration):
    bare = builtin_manifests()["yunet"]
    with pytest.raises(ManifestInvalid, match="states no threshold") as error:
        decide_by(bare, SPACE, None, None)
    assert "calibrate" in error.value.hint
    assert decide_by(bare, SPACE, calibration, None).distance == 0.5
    assert metric_of(bare) == "cosine"
    assert metric_of(MANIFEST) == "euclidean"


def test_matches_carry_probabilities(calibration):
    vectors = np.array([[0.0, 0.0], [0.45, 0.0], [0.0, 0.55]], np.float32)
    gallery = memory_gallery(decide_by(MANIFEST, SPACE, calibration, None))
    gallery.enroll("ada", vectors[1:2], SPACE)
    gallery.enroll("bob", vectors[2:], SPACE)
    (first, second) = gallery.identify(vectors[:1], SPACE, k=2)[0]
    assert (first.person, first.accepted, second.accepted) == ("ada", True, False)
    assert first.probability == pytest.approx(10 / 11)
    assert second.probability == pytest.approx(1 / 11)
    plain = memory_gallery(decide_by(MANIFEST, SPACE, None, None))
    plain.enroll("ada", vectors[1:2], SPACE)
    assert plain.identify(vectors[:1], SPACE)[0][0].probability is None


def test_a_calibration_is_saved_and_loaded(calibration, tmp_path):
    file = calibration_file(tmp_path / "calibrations", SPACE)
    save_calibration(calibration, file)
    assert file.name == "dlib-resnet29-0123.json"
    assert load_calibration(file, SPACE).threshold == 0.5
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    with pytest.raises(SpaceMismatch):
        load_calibration(file, "other:0123")
    with pytest.raises(CalibrationInvalid):
        load_calibration(tmp_path / "none.json", SPACE)


def test_a_file_that_cannot_be_written_leaves_the_old_one(calibration, tmp_path, monkeypatch):
    file = tmp_path / "c.json"
    save_calibration(calibration, file)
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mien.gallery.rule.write_synced", full)
    with pytest.raises(CalibrationError, match="full"):
        save_calibration(msgspec.structs.replace(calibration, threshold=0.1), file)
    assert file.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
