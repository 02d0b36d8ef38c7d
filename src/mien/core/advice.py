"""What a person in front of the camera can do about a face that is hard to recognise.

From whichever columns were computed: `quality_parts`, `pose`, `eyes_open`, `mask`, `quality`. What no column
tells is not advised. Thresholds were set by hand on LFW, as it is and degraded: of `quality_parts` alone, 2 %
of its photographs have a reason, and pairs with one fail 4.6 times as often. Light from one side was seen to
matter little; expression and background are demands on portraits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from mien.core.columns import BY_NAME
from mien.core.faces import Face


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a face is hard to recognise, and what to do.

    Attributes:
        code: Never changes between versions; for programs and translations.
        text: For the person in front of the camera.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """A reason that applies if what was measured is less than this; a measure of None says nothing."""

    code: str
    text: str
    measure: Callable[[Face], float | None]
    less_than: float


def reasons(face: Face) -> tuple[Reason, ...]:
    """Everything that speaks against a face, what helps most first; empty if nothing does.

    The face needs none of the columns: those that were not computed give no reasons. A low `quality` that
    nothing else explains, as of noise or compression, is a reason of its own.
    """
    found = []
    for rule in _RULES:
        measured = rule.measure(face)
        if measured is not None and measured < rule.less_than:
            found.append(Reason(rule.code, rule.text))
    if not found and face.quality is not None and face.quality < _POOR:
        found.append(Reason("unclear", "take another picture"))
    return tuple(found)


def advice(face: Face) -> tuple[str, ...]:
    """The texts of `reasons`."""
    return tuple(reason.text for reason in reasons(face))


def _parts(face: Face, *names: str) -> list[float] | None:
    """Components of `quality_parts`, 0..1; None if they were not computed."""
    if face.quality_parts is None:
        return None
    labels = BY_NAME["quality_parts"].labels
    return [float(face.quality_parts[labels.index(name)]) for name in names]


def _least(*names: str) -> Callable[[Face], float | None]:
    """Measure that is the least of these components."""
    return lambda face: min(_parts(face, *names) or (), default=None)


def _sharpness(face: Face) -> float | None:
    """Of a face that is large enough: a small one is soft for want of pixels; holding still is no help."""
    parts = _parts(face, "inter_eye_distance", "sharpness")
    return None if parts is None or parts[0] < _FAR else parts[1]


def _darkness(face: Face) -> float | None:
    """The better of two: dark skin in good light is dark but of many shades."""
    return max(_parts(face, "under_exposure_prevention", "dynamic_range") or (), default=None)


def _frontal(face: Face) -> float | None:
    """Squared cosine of the larger turn, by a network for poses if there was one, else by the five points."""
    if face.pose is None:
        return _least("head_pose_yaw")(face)
    return min(_squared_cosine(face.pose[0]), _squared_cosine(face.pose[1]))


def _upright(face: Face) -> float | None:
    return _least("head_pose_roll")(face) if face.pose is None else _squared_cosine(face.pose[2])


def _squared_cosine(angle_deg: float) -> float:
    return max(math.cos(math.radians(angle_deg)), 0.0) ** 2


def _eyes(face: Face) -> float | None:
    """Of the eye that is more open: the other may be hidden."""
    return None if face.eyes_open is None else float(max(face.eyes_open))


def _bare(face: Face) -> float | None:
    return None if face.mask is None else 1 - face.mask


# Half of such faces are not recognised.
_POOR = 0.5
# OFIQ's value for 24 pixels between the eyes.
_FAR = 0.09
# What helps most comes first.
_RULES = (
    _Rule("masked", "take off the mask", _bare, 0.5),
    _Rule("too_far", "come closer", _least("inter_eye_distance"), _FAR),
    _Rule("cut_off", "move away from the edge", _least("leftward_crop", "rightward_crop"), 0.05),
    _Rule("cut_off_above", "show forehead and chin", _least("margin_above", "margin_below"), 0.001),
    _Rule("turned", "turn to the camera", _frontal, 0.6),
    _Rule("tilted", "hold the head upright", _upright, 0.75),
    _Rule("blurred", "blurred: hold still", _sharpness, 0.5),
    _Rule("too_dark", "too dark: more light", _darkness, 0.5),
    _Rule("too_bright", "too bright: less light", _least("over_exposure_prevention"), 0.05),
    _Rule("eyes_closed", "open the eyes", _eyes, 0.3),
)
