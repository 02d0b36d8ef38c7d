"""How a head is turned: angles and rotations, in one convention.

The camera's frame has x to the right, y down and z away from the viewer. A face with all angles 0 looks
straight at the viewer, along -z, its eyes level. `pose` is (yaw, pitch, roll) in degrees: yaw + looks
towards image right, pitch + up, roll + leans clockwise. Read from right to left, the head first nods
(pitch), then turns (yaw), then the whole picture is turned (roll):

    rotation = R_roll @ R_yaw @ R_pitch

So turning a picture clockwise adds to roll and changes nothing else, mirroring it negates yaw and roll,
and eyes are level exactly when roll is 0. Networks that were trained with another order are translated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Angle = Literal["yaw", "pitch", "roll"]

OUR_ORDER: tuple[Angle, Angle, Angle] = ("roll", "yaw", "pitch")

# Each angle's place in `pose`, and the axes x, y, z of which it turns the first towards the second.
_PLANES: dict[Angle, tuple[int, int, int]] = {"yaw": (0, 0, 2), "pitch": (1, 2, 1), "roll": (2, 0, 1)}


def rotation(pose: FloatArray, order: Sequence[Angle] = OUR_ORDER) -> FloatArray:
    """Rotations `(n, 3, 3)`, face to camera, of angles `(n, 3)` that are applied from last to first."""
    result: FloatArray = np.tile(np.eye(3), (len(pose), 1, 1))
    for name in order:
        place, first, second = _PLANES[name]
        angle = np.radians(pose[:, place].astype(np.float64))
        turn = np.tile(np.eye(3), (len(pose), 1, 1))
        turn[:, first, first] = turn[:, second, second] = np.cos(angle)
        turn[:, second, first] = np.sin(angle)
        turn[:, first, second] = -np.sin(angle)
        result = result @ turn
    return result


def pose_of(rotations: FloatArray) -> FloatArray:
    """The angles `(n, 3)` of rotations `(n, 3, 3)`: the inverse of `rotation` in our order.

    Pitch lies in -90..90, yaw and roll in -180..180.
    """
    # Of the two triples that make a rotation, the one without a head that looks over its back.
    sign = np.where(rotations[:, 2, 2] < 0, -1, 1)
    pitch = np.arctan2(-rotations[:, 2, 1] * sign, rotations[:, 2, 2] * sign)
    yaw = np.arctan2(rotations[:, 2, 0], sign * np.hypot(rotations[:, 2, 1], rotations[:, 2, 2]))
    roll = np.arctan2(rotations[:, 1, 0] * sign, rotations[:, 0, 0] * sign)
    pose: FloatArray = np.degrees(np.stack([yaw, pitch, roll], 1))
    return pose
