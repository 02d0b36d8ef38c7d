import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.calibration.fitting import calibrate
from mien.evaluate.calibration.galleries import calibrate_gallery
from mien.evaluate.measures.comparisons import everybody
from mien.gallery.gallery import memory_gallery
from mien.gallery.rule import DecisionRule


@pytest.fixture
def gallery():
    return memory_gallery(DecisionRule("s", "cosine", 0.5, None))


def test_the_names_are_the_labels(gallery, rng):
    vectors = (rng.normal(size=(100, 1, 16)) + 0.45 * rng.normal(size=(100, 3, 16))).astype(np.float32)
    for number, faces in enumerate(vectors):
        gallery.enroll(f"person {number:03}", faces[:2], "s")
    for number, faces in enumerate(vectors):
        gallery.enroll(f"person {number:03}", faces[2:], "s")
    found = calibrate_gallery(gallery, 0.05).calibration
    compared = everybody(vectors.reshape(300, 16), np.repeat(np.arange(100), 3), "cosine")
    expected = calibrate(
        compared, space="s", metric="cosine", fmr=0.05, acquired=np.ones(300, bool)
    ).calibration
    assert found.threshold == pytest.approx(expected.threshold, abs=1e-6)
    assert found.space == "s"
    assert (found.behind.people, found.behind.photographs) == (100, 300)


def test_few_people_are_too_few(gallery, rng):
    with pytest.raises(BadRequest):
        calibrate_gallery(gallery, 0.05)
    gallery.enroll("ada", rng.normal(size=(3, 16)).astype(np.float32), "s")
    with pytest.raises(BadRequest):
        calibrate_gallery(gallery, 0.05)
