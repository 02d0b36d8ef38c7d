import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mien.core.faces import Faces
from mien.core.image import Image
from mien.ops.draw import draw_faces
from mien.ops.marks import pose_axes


@pytest.mark.parametrize(
    "pose", [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 45), (25, -15, 10), (-60, 30, -20)]
)
def test_axes_are_a_rotation_seen_from_the_front(pose):
    """x right, y down, z away from the viewer; a face that looks at the viewer has its nose at -z."""
    yaw, pitch, roll = pose
    # Nose to the right is a turn about the downward axis that takes -z to +x; nose up takes -z to -y.
    turned = Rotation.from_euler("z", roll, degrees=True) * Rotation.from_euler("y", -yaw, degrees=True)
    turned = turned * Rotation.from_euler("x", -pitch, degrees=True)
    expected = turned.apply(np.array([[1, 0, 0], [0, 1, 0], [0, 0, -1]]))[:, :2]
    np.testing.assert_allclose(pose_axes(np.array(pose)), expected, atol=1e-9)


def test_the_nose_points_where_the_head_is_turned():
    assert pose_axes(np.array([40, 0, 0]))[2][0] > 0.6, "yaw +: to the right of the picture"
    assert pose_axes(np.array([0, 40, 0]))[2][1] < -0.6, "pitch +: up"
    assert pose_axes(np.array([0, 0, 40]))[0][1] > 0.6, "roll +: clockwise, the right side goes down"


def test_landmarks_and_axes_are_drawn(rng):
    picture = Image(np.zeros((200, 200, 3), np.uint8))
    plain = Faces((200, 200), [[50, 50, 150, 150]], [0.9])
    drawn = draw_faces(picture, plain)
    cloud = 60 + 80 * rng.random((1, 68, 2))
    for more in ({"landmarks": cloud}, {"pose": [[20.0, 10.0, 5.0]]}, {"mesh": np.zeros((1, 478, 3)) + 90}):
        other = draw_faces(picture, plain.with_(**more))
        assert (other.rgb != drawn.rgb).any()
