import numpy as np
import pytest

from mien.core.advice import advice, reasons
from mien.core.columns import BY_NAME
from mien.core.faces import Face

LABELS = BY_NAME["quality_parts"].labels


def face(parts=None, **columns):
    """A face that nothing speaks against but what is given."""
    if parts is not None:
        columns["quality_parts"] = np.array([parts.get(label, 1.0) for label in LABELS], np.float32)
    return Face(np.array([0, 0, 100, 100], np.float32), 1.0, **columns)


def codes(found):
    return [reason.code for reason in reasons(found)]


def test_nothing_computed_is_nothing_said():
    assert reasons(face()) == ()


def test_a_good_face_needs_no_advice():
    good = face({}, pose=np.array([5, -5, 2]), eyes_open=np.array([0.9, 0.8]), mask=0.01, quality=0.97)
    assert reasons(good) == ()


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"inter_eye_distance": 0.05}, "too_far"),
        ({"leftward_crop": 0.01}, "cut_off"),
        ({"rightward_crop": 0.01}, "cut_off"),
        ({"margin_above": 0}, "cut_off_above"),
        ({"margin_below": 0}, "cut_off_above"),
        ({"head_pose_yaw": 0.3}, "turned"),
        ({"head_pose_roll": 0.5}, "tilted"),
        ({"sharpness": 0.1}, "blurred"),
        ({"under_exposure_prevention": 0, "dynamic_range": 0.3}, "too_dark"),
        ({"over_exposure_prevention": 0.02}, "too_bright"),
    ],
)
def test_each_part_has_its_reason(parts, code):
    assert codes(face(parts)) == [code]


def test_what_matters_for_portraits_only_is_not_advised_on():
    assert (
        reasons(face({"illumination_uniformity": 0, "background_uniformity": 0, "natural_colour": 0})) == ()
    )


def test_dark_skin_of_many_shades_is_not_too_dark():
    assert reasons(face({"under_exposure_prevention": 0, "dynamic_range": 0.6})) == ()


def test_a_small_face_is_told_to_come_closer_not_to_hold_still():
    assert codes(face({"inter_eye_distance": 0.05, "sharpness": 0})) == ["too_far"]


@pytest.mark.parametrize(
    ("pose", "found"),
    [
        ((0, 0, 0), []),
        ((45, 0, 0), ["turned"]),
        ((-45, 0, 0), ["turned"]),
        ((0, 50, 0), ["turned"]),
        ((170, 0, 0), ["turned"]),
        ((0, 0, -40), ["tilted"]),
        ((30, 30, 25), []),
    ],
)
def test_a_pose_network_is_believed_before_the_points(pose, found):
    assert codes(face({"head_pose_yaw": 0, "head_pose_roll": 0}, pose=np.array(pose, np.float32))) == found


def test_eyes_and_mask():
    assert advice(face(eyes_open=np.array([0.1, 0.05]))) == ("open the eyes",)
    assert advice(face(eyes_open=np.array([0.1, 0.9]))) == ()
    assert advice(face(mask=0.9)) == ("take off the mask",)


def test_poor_quality_is_a_reason_only_where_no_other_is():
    assert codes(face(quality=0.2)) == ["unclear"]
    assert codes(face({"sharpness": 0.1}, quality=0.2)) == ["blurred"]


def test_several_reasons_come_in_order_with_different_codes():
    worst = face(dict.fromkeys(LABELS, 0.0), eyes_open=np.zeros(2), mask=1.0, quality=0.0)
    found = codes(worst)
    assert found[:2] == ["masked", "too_far"]
    assert len(found) == len(set(found)) == 9
    assert advice(worst) == tuple(reason.text for reason in reasons(worst))
