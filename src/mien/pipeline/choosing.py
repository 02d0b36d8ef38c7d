"""Which face of a picture is meant."""

from __future__ import annotations

from typing import Literal

from mien.core.analysis import Analysis
from mien.core.faces import Faces
from mien.errors import BadRequest, ManyFaces, NoFace

Choice = Literal["only", "largest"] | int


def choose(analysis: Analysis, face: Choice) -> Faces:
    """Take one face of a picture.

    Raises:
        NoFace: There is none.
        ManyFaces: There are several and `face` is `only`.
        BadRequest: There is no face of that number.
    """
    faces = analysis.faces
    if len(faces) == 0:
        raise NoFace(f"No face was found in {analysis.source}.")
    if face == "largest":
        return faces.largest()
    if face == "only":
        if len(faces) > 1:
            raise ManyFaces(f"{len(faces)} faces were found in {analysis.source}: {_places(faces)}.")
        return faces
    if not isinstance(face, int):
        raise BadRequest(f"face must be 'only', 'largest' or a number, got {face!r}.")
    if not 0 <= face < len(faces):
        raise BadRequest(
            f"There is no face {face} in {analysis.source}; it has {len(faces)}, counted from 0."
        )
    return faces[[face]]


def _places(faces: Faces) -> str:
    return ", ".join(
        f"{i} at x {box[0]:.0f}-{box[2]:.0f}, y {box[1]:.0f}-{box[3]:.0f}" for i, box in enumerate(faces.box)
    )
