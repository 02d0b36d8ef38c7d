import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mien.models.turns import OUR_ORDER, pose_of, rotation

AHEAD = np.array([0, 0, -1])  # where a face looks that looks at the viewer
MIRROR = np.diag([-1, 1, 1])

angles = st.tuples(
    st.floats(-175, 175),
    st.floats(-85, 85),
    st.floats(-175, 175),
).map(lambda pose: np.array([pose]))


def test_a_face_without_turn_looks_at_the_viewer():
    np.testing.assert_allclose(rotation(np.zeros((1, 3)))[0], np.eye(3))


@pytest.mark.parametrize(
    ("pose", "looks"), [((30, 0, 0), (0.5, 0, None)), ((0, 30, 0), (0, -0.5, None)), ((0, 0, 30), (0, 0, -1))]
)
def test_signs(pose, looks):
    """Yaw + looks to image right, pitch + up, and roll changes nothing about it."""
    seen = rotation(np.array([pose], float))[0] @ AHEAD
    for got, wanted in zip(seen, looks, strict=True):
        assert wanted is None or got == pytest.approx(wanted)
    assert seen[2] < 0


def test_roll_leans_clockwise():
    """The viewer's-right eye goes down."""
    eyes = rotation(np.array([[0, 0, 30.0]]))[0] @ np.array([1, 0, 0])
    assert eyes == pytest.approx([np.cos(np.pi / 6), 0.5, 0])


@given(angles)
def test_angles_come_back(pose):
    np.testing.assert_allclose(pose_of(rotation(pose)), _one_of_both(pose), atol=1e-6)


@given(angles)
def test_rotations_are_those_of_scipy(pose):
    yaw, pitch, roll = pose[0]
    # About z, y, x in the frame that each turn leaves; about y and x the signs are the opposite of ours.
    expected = Rotation.from_euler("ZYX", [roll, -yaw, -pitch], degrees=True).as_matrix()
    np.testing.assert_allclose(rotation(pose, OUR_ORDER)[0], expected, atol=1e-12)


@given(angles, st.floats(-180, 180))
def test_turning_the_picture_adds_to_roll_only(pose, turn):
    spun = pose_of(rotation(np.array([[0, 0, turn]])) @ rotation(pose))
    wanted = _one_of_both(pose + np.array([0, 0, turn]))
    np.testing.assert_allclose((spun - wanted + 180) % 360 - 180, 0, atol=1e-6)


@given(angles)
def test_the_mirror_negates_yaw_and_roll(pose):
    np.testing.assert_allclose(MIRROR @ rotation(pose) @ MIRROR, rotation(pose * [-1, 1, -1]), atol=1e-12)


def test_eyes_are_level_when_roll_is_0():
    poses = np.stack(np.meshgrid([-60, 0, 45], [-40, 0, 30], [0]), -1).reshape(-1, 3)
    eyes = rotation(poses) @ np.array([1, 0, 0])
    np.testing.assert_allclose(eyes[:, 1], 0, atol=1e-12)


def _one_of_both(pose):
    """The same pose with roll in -180..180."""
    return np.concatenate([pose[:, :2], (pose[:, 2:] + 180) % 360 - 180], 1)
