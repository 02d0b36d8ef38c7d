"""Marks of what was found inside a face: landmarks as dots, the head's pose as three axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from mien.core.faces import Face

# Okabe and Ito's vermilion, bluish green and sky blue. https://jfly.uni-koeln.de/color/
_AXES = ((213, 94, 0), (0, 158, 115), (86, 180, 233))
_DOT, _RIM = (255, 255, 255), (0, 0, 0)
_CLOUDS = ("mesh", "landmarks", "landmarks_106", "corners")


def draw_marks(draw: ImageDraw.ImageDraw, face: Face, side_px: float) -> None:
    """Draw the landmarks of a face and where its head is turned, if they were computed."""
    # The densest that there is: several at once hide the face.
    clouds = (getattr(face, column) for column in _CLOUDS)
    cloud = next((one for one in clouds if one is not None), None)
    if cloud is not None:
        _dots(draw, cloud[:, :2], max(0.5, 0.004 * side_px if len(cloud) > 200 else 0.009 * side_px))
    if face.pose is not None:
        centre = face.points[2] if face.points is not None else (face.box[:2] + face.box[2:]) / 2
        _axes(draw, pose_axes(face.pose), centre, 0.5 * side_px)


def pose_axes(pose: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The head's own directions as seen in the picture.

    Args:
        pose: Yaw, pitch and roll in degrees, as in `mien.core.columns`.

    Returns:
        `(3, 2)`: unit vectors to the viewer's right, down, and out of the face, x right and y down.
    """
    yaw, pitch, roll = np.deg2rad(np.asarray(pose, np.float64))
    right = np.array([np.cos(yaw), 0.0])
    down = np.array([np.sin(yaw) * np.sin(pitch), np.cos(pitch)])
    out = np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch)])
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    axes: NDArray[np.float64] = np.stack([right, down, out]) @ turn.T
    return axes


def _dots(draw: ImageDraw.ImageDraw, xy: NDArray[np.floating[Any]], radius: float) -> None:
    for grow, colour in ((radius + 0.5, _RIM), (radius, _DOT)):
        for x, y in xy.astype(float):
            draw.ellipse((x - grow, y - grow, x + grow, y + grow), fill=colour)


def _axes(
    draw: ImageDraw.ImageDraw,
    axes: NDArray[np.float64],
    centre: NDArray[np.floating[Any]],
    length: float,
) -> None:
    width = max(1, round(0.04 * length))
    for axis, colour in zip(axes, _AXES, strict=True):
        end = np.asarray(centre, np.float64) + length * axis
        line = (float(centre[0]), float(centre[1]), float(end[0]), float(end[1]))
        draw.line(line, fill=_RIM, width=width + 2)
        draw.line(line, fill=colour, width=width)
