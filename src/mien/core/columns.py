"""The table of everything a face can have.

Validation of `Faces`, the CSV header, the JSON schema and the table in `docs/concepts.md` all
derive from `COLUMNS`; to add a column, add one line here and one field to `Faces`.

Shapes are per face: `(5, 2)` means that a picture with n faces holds `(n, 5, 2)`. A letter
stands for a length that the network decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One thing known about each face of a picture.

    Attributes:
        name: Field of `Faces`.
        shape: Shape per face; a letter is a free length.
        dtype: NumPy dtype name.
        unit: Unit or range.
        meaning: One line for the reader of the docs.
        export: Written to CSV and JSON. Embeddings are biometric templates and are not.
        labels: Names of the entries along the last axis, where each means something of its own.
        least: Of a column of probabilities that exclude each other, the least that the best must reach to
            decide; below it the answer is "uncertain". None for all other columns.
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: str
    unit: str
    meaning: str
    export: bool = True
    labels: tuple[str, ...] = ()
    least: float | None = None


# https://developers.google.com/mediapipe/solutions/vision/face_landmarker, in the order of its network.
BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft",
    "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
    "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip

COLUMNS: tuple[Column, ...] = (
    Column("box", (4,), "float32", "px", "x1, y1, x2, y2 of the face in the upright original"),
    Column("score", (), "float32", "0..1", "confidence of the detector"),
    Column(
        "points",
        (5, 2),
        "float32",
        "px",
        "viewer's-left eye, viewer's-right eye, nose tip, viewer's-left and -right mouth corner",
    ),
    Column(
        "corners",
        (5, 2),
        "float32",
        "px",
        "outer and inner corner of the viewer's-right eye, then of the -left eye, base of the nose",
    ),
    Column("landmarks", (68, 2), "float32", "px", "68 points in the order of iBUG 300-W"),
    Column("landmarks_106", (106, 2), "float32", "px", "106 points in the order of JD-landmark"),
    Column(
        "mesh",
        (478, 3),
        "float32",
        "px",
        "MediaPipe's face mesh with irises: x, y, and depth on the scale of x, smaller is nearer",
    ),
    Column(
        "blendshapes", (52,), "float32", "0..1", "how far each of ARKit's movements goes", labels=BLENDSHAPES
    ),
    Column(
        "eyes_open",
        (2,),
        "float32",
        "0..1",
        "how far the eyes are open",
        labels=("viewer_left", "viewer_right"),
    ),
    Column("mouth_open", (), "float32", "0..1", "how far the mouth is open"),
    Column("pose", (3,), "float32", "degrees", "where the head is turned", labels=("yaw", "pitch", "roll")),
    Column("age", (), "float32", "years", "apparent age"),
    Column("gender", (2,), "float32", "0..1", "apparent gender", labels=("female", "male"), least=0.8),
    Column(
        "expression",
        (7,),
        "float32",
        "0..1",
        "expression shown, which need not be what is felt",
        labels=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
        least=0.5,
    ),
    Column("mask", (), "float32", "0..1", "probability that a mask covers mouth or nose"),
    Column("live", (), "float32", "0..1", "probability of a live face, not a photograph or screen of one"),
    Column("quality", (), "float32", "0..1", "how well the face can be recognised"),
    Column(
        "quality_parts",
        (16,),
        "float32",
        "0..1",
        "what the quality consists of, after OFIQ (ISO/IEC 29794-5); 1 is best",
        labels=(
            "sharpness",
            "illumination_uniformity",
            "luminance_mean",
            "luminance_variance",
            "under_exposure_prevention",
            "over_exposure_prevention",
            "dynamic_range",
            "natural_colour",
            "background_uniformity",
            "inter_eye_distance",
            "leftward_crop",
            "rightward_crop",
            "margin_above",
            "margin_below",
            "head_pose_yaw",
            "head_pose_roll",
        ),
    ),
    Column("embedding", ("d",), "float32", "-", "template of the face; compare only within one space", False),
)

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}


UNCERTAIN = "uncertain"


def decide(column: Column, probability: Sequence[float]) -> str:
    """The label of the most probable entry, or `UNCERTAIN` if it does not reach the column's `least`."""
    best = max(range(len(column.labels)), key=lambda i: probability[i])
    return column.labels[best] if probability[best] >= (column.least or 0) else UNCERTAIN
