import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import CalibrationInvalid, RateUnsupported
from mien.gallery.calibration import Behind, Calibration, Interval, read_calibration, write_calibration

CALIBRATION = Calibration(
    space="net:0123",
    metric="cosine",
    made="2026-11-21",
    requested_fmr=1e-3,
    threshold=0.42,
    fmr=Interval(0.00099, 0.0008, 0.0012),
    fnmr=Interval(0.02, 0.01, 0.03),
    distances=[0.3, 0.5, 0.7, 0.9],
    rates=[1e-4, 1e-2, 0.1, 0.5],
    evidence_distances=[0.2, 0.6, 1.0],
    evidence=[4.0, 0.0, -2.0],
    method="logistic",
    cllr=0.05,
    behind=Behind(200, 600, 1, 600, 178_200),
    detector="yunet",
)


def test_rates_are_interpolated_on_a_logarithmic_scale():
    assert CALIBRATION.threshold_at(1e-3) == 0.42  # what was asked for is known exactly
    assert CALIBRATION.threshold_at(2e-3) == pytest.approx(0.3 + 0.2 * np.log10(20) / 2)
    assert CALIBRATION.threshold_at(0.1) == pytest.approx(0.7)


def test_below_the_least_rate_nothing_is_promised():
    assert CALIBRATION.least_fmr == 1e-4
    for rate in (9e-5, 0.6, 0.0, 1.0):
        with pytest.raises(RateUnsupported):
            CALIBRATION.threshold_at(rate)


def test_probabilities_follow_from_the_evidence():
    assert CALIBRATION.probability(np.array(0.6)) == pytest.approx(0.5)
    assert CALIBRATION.probability(np.array([0.0, 0.2, 0.4])) == pytest.approx(
        [1e4 / 10001, 1e4 / 10001, 100 / 101]
    )
    assert CALIBRATION.probability(np.array([[1.0, 2.0]])) == pytest.approx(np.full((1, 2), 0.01 / 1.01))


def test_a_file_is_read_as_it_was_written():
    content = write_calibration(CALIBRATION)
    found = read_calibration(content, "file")
    assert msgspec.structs.replace(found, digest="") == CALIBRATION
    assert len(content) < 4096


@given(st.data())
def test_any_edit_is_noticed(data):
    content = bytearray(write_calibration(CALIBRATION))
    digits = [i for i, byte in enumerate(content) if chr(byte).isdigit()]
    place = data.draw(st.sampled_from(digits))
    other = data.draw(st.sampled_from([d for d in b"0123456789" if d != content[place]]))
    content[place] = other
    try:
        value = json.loads(content)
    except json.JSONDecodeError:
        value = None
    # A change that means the same number, such as of the exponent of zero, would be no edit.
    if value != json.loads(write_calibration(CALIBRATION)):
        with pytest.raises(CalibrationInvalid):
            read_calibration(bytes(content), "file")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"format": 1}'])
def test_what_is_no_calibration_is_refused(content):
    with pytest.raises(CalibrationInvalid, match="my file"):
        read_calibration(content, "my file")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"rates": [1e-4, 1e-2, 0.1]},
        {"rates": [1e-2, 1e-4, 0.1, 0.5]},
        {"rates": [0.0, 1e-4, 0.1, 0.5]},
        {"distances": [0.3, 0.3, 0.7, 0.9]},
        {"evidence": [1.0, 2.0, 3.0]},
    ],
)
def test_curves_that_are_none_are_refused_though_signed(change):
    forged = write_calibration(msgspec.structs.replace(CALIBRATION, **change))
    with pytest.raises(CalibrationInvalid):
        read_calibration(forged, "file")


@given(st.binary(max_size=300))
def test_rubbish_is_refused_in_words(content):
    with pytest.raises(CalibrationInvalid):
        read_calibration(content, "file")
