"""The table of everything a face can have.

Validation of `Faces`, the CSV header, the JSON schema and the table in `docs/concepts.md` all
derive from `COLUMNS`; to add a column, add one line here and one field to `Faces`.

Shapes are per face: `(5, 2)` means that a picture with n faces holds `(n, 5, 2)`. A letter
stands for a length that the network decides.
"""

from __future__ import annotations

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
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: str
    unit: str
    meaning: str
    export: bool = True


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
    Column("embedding", ("d",), "float32", "-", "template of the face; compare only within one space", False),
)

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}
