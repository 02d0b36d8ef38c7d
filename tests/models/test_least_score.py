"""Every detector keeps the least score that the operator sets."""

import numpy as np
import pytest

from mien import Mien, load_settings

DETECTORS = (
    "yunet", "scrfd-500m", "retinaface", "ultraface", "blazeface", "mtcnn", "mmod",
)  # fmt: skip


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_lower_score_finds_more_and_a_higher_one_less(modern_home, shared, detector):
    photo = next(shared("data/faces_wild/varied").rglob("t1.jpg"))

    def found(least):
        kit = Mien(load_settings(environ={}, home=modern_home, detector=detector, least_score=least))
        return kit.detect(photo)

    usual, low, high = found(None), found(0.03), found(0.97)
    assert len(low) >= len(usual) >= len(high)
    if detector != "mmod":  # whose own threshold is the lowest score there is
        assert len(low) > len(usual)
        assert low.score.min() < usual.score.min(initial=1)
    assert low.score.min() >= 0.03 - 1e-6
    assert (high.score >= 0.97 - 1e-6).all()
    # Those that were found before are found still.
    for box in usual.box:
        assert np.abs(low.box - box).max(1).min() < 2
