"""All faces of one picture, as one structure of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from mien.core.columns import BY_NAME, COLUMNS, Column, decide
from mien.core.image import describe
from mien.errors import BadRequest

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face: a row of `Faces`. Fields and frames are those of `mien.core.columns`."""

    box: FloatArray
    score: float
    points: FloatArray | None = None
    corners: FloatArray | None = None
    landmarks: FloatArray | None = None
    landmarks_106: FloatArray | None = None
    mesh: FloatArray | None = None
    blendshapes: FloatArray | None = None
    eyes_open: FloatArray | None = None
    mouth_open: float | None = None
    pose: FloatArray | None = None
    age: float | None = None
    gender: FloatArray | None = None
    expression: FloatArray | None = None
    mask: float | None = None
    live: float | None = None
    quality: float | None = None
    quality_parts: FloatArray | None = None
    embedding: FloatArray | None = None
    space: str | None = None

    def __repr__(self) -> str:
        """Box and score; points and templates are nobody's business in a log."""
        box = ", ".join(f"{edge:.0f}" for edge in self.box)
        return f"Face(box=({box}), score={self.score:.3f})"

    def label(self, column: str) -> str | None:
        """What a column of probabilities decides, such as "happy" or "uncertain"; None if not computed.

        Raises:
            BadRequest: The column decides nothing.
        """
        described = BY_NAME.get(column)
        if described is None or described.least is None:
            decisive = ", ".join(column.name for column in COLUMNS if column.least is not None)
            raise BadRequest(f"{column!r} has no labels to decide between.", hint=f"Columns: {decisive}.")
        value = getattr(self, column)
        return None if value is None else decide(described, value)

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return float(self.box[3] - self.box[1])


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """All faces of one picture.

    A column that is None was computed by no stage; a column of length 0 means that no face was
    found. Arrays are validated against `mien.core.columns`, which says what each means, converted to their
    dtype, and read-only.
    Coordinates are pixels of the upright original, `(0, 0)` the centre of the top-left pixel.

    Attributes:
        size_wh: Width and height of the picture in pixels.
        box: `(n, 4)` float32, xyxy.
        score: `(n,)` float32 in 0..1.
        points: `(n, 5, 2)` float32: eyes, nose, mouth corners.
        embedding: `(n, d)` float32 template, comparable only within `space`.
        space: Identifies embedder and preprocessing.

    Raises:
        BadRequest: A column has the wrong shape, length or type, or holds NaN.
    """

    size_wh: tuple[int, int]
    box: FloatArray
    score: FloatArray
    points: FloatArray | None = None
    corners: FloatArray | None = None
    landmarks: FloatArray | None = None
    landmarks_106: FloatArray | None = None
    mesh: FloatArray | None = None
    blendshapes: FloatArray | None = None
    eyes_open: FloatArray | None = None
    mouth_open: FloatArray | None = None
    pose: FloatArray | None = None
    age: FloatArray | None = None
    gender: FloatArray | None = None
    expression: FloatArray | None = None
    mask: FloatArray | None = None
    live: FloatArray | None = None
    quality: FloatArray | None = None
    quality_parts: FloatArray | None = None
    embedding: FloatArray | None = None
    space: str | None = None

    def __post_init__(self) -> None:
        if self.score is None:
            raise BadRequest("Faces.score is always there; without faces it has length 0.")
        try:
            n = len(self.box)
        except TypeError as error:
            raise BadRequest(f"Faces.box wants shape (n, 4), got {describe(self.box)}.") from error
        for column in COLUMNS:
            value = getattr(self, column.name)
            if value is not None:
                object.__setattr__(self, column.name, _checked(column, value, n))
        if (self.embedding is None) != (self.space is None):
            raise BadRequest("Faces.embedding and Faces.space come together.")

    @classmethod
    def empty(cls, size_wh: tuple[int, int]) -> Self:
        """No face found in a picture of this size; nothing else computed."""
        return cls(size_wh, np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def __repr__(self) -> str:
        """Number and columns, no contents: templates are nobody's business in a log."""
        width, height = self.size_wh
        return f"Faces({len(self)} in {width} x {height}, columns: {', '.join(self.columns())})"

    def __len__(self) -> int:
        return len(self.box)

    def __iter__(self) -> Iterator[Face]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, key: int) -> Face: ...
    @overload
    def __getitem__(self, key: slice | NDArray[Any] | list[int]) -> Faces: ...
    def __getitem__(self, key: int | slice | NDArray[Any] | list[int]) -> Face | Faces:
        """An integer gives a `Face`; a slice, mask or list of integers gives `Faces`."""
        if isinstance(key, (int, np.integer)):
            row = {name: value[key] for name, value in self.columns().items()}
            row = {name: float(value) if value.ndim == 0 else value for name, value in row.items()}
            return Face(**row, space=self.space)
        # A bare [] would index as floats.
        index: Any = key if isinstance(key, slice) else np.asarray(key, None if len(key) else np.intp)
        return replace(self, **{name: value[index] for name, value in self.columns().items()})

    def columns(self) -> dict[str, FloatArray]:
        """The columns that some stage computed, by name."""
        present = {f.name: getattr(self, f.name) for f in fields(self) if f.name in BY_NAME}
        return {name: value for name, value in present.items() if value is not None}

    def with_(self, **columns: Any) -> Self:  # noqa: ANN401 - mirrors dataclasses.replace
        """Return a copy with these columns added or replaced."""
        return replace(self, **columns)

    def resized(self, size_wh: tuple[int, int]) -> Self:
        """The same faces in a larger or smaller copy of the picture: everything in pixels is scaled."""
        if size_wh == self.size_wh:
            return self
        factor = np.array(size_wh, np.float64) / self.size_wh
        # Depth is on the scale of x. Boxes are edges; pixel centres of points are at integers.
        scale, centre = np.array([*factor, factor[0]]), np.array([0.5, 0.5, 0.0])
        moved: dict[str, FloatArray] = {}
        for name, value in self.columns().items():
            if BY_NAME[name].unit == "px":
                if name == "box":
                    moved[name] = value * np.tile(factor, 2)
                else:
                    axes = value.shape[-1]
                    moved[name] = (value + centre[:axes]) * scale[:axes] - centre[:axes]
        return self.with_(size_wh=size_wh, **moved)

    def central(self) -> Faces:
        """The face nearest to the centre of the picture, as `Faces` of length one (or zero)."""
        if not len(self):
            return self
        away = (self.box[:, :2] + self.box[:, 2:]) / 2 - np.array(self.size_wh) / 2
        return self[[int((away**2).sum(1).argmin())]]

    def largest(self) -> Faces:
        """The face with the largest box, as `Faces` of length one (or zero)."""
        if len(self) < 2:
            return self
        sides = self.box[:, 2:] - self.box[:, :2]
        return self[[int(np.argmax(sides[:, 0] * sides[:, 1]))]]


def _checked(column: Column, value: object, n: int) -> FloatArray:
    try:
        array = np.array(value, dtype=column.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadRequest(f"Faces.{column.name} wants numbers, got {describe(value)}.") from error
    shape = (n, *column.shape)
    fits = array.ndim == len(shape) and all(
        isinstance(want, str) or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(str(side) for side in shape)
        raise BadRequest(f"Faces.{column.name} wants shape ({wanted}), got {array.shape}.")
    if not np.isfinite(array).all():
        raise BadRequest(f"Faces.{column.name} holds NaN or infinity.")
    array.setflags(write=False)
    return array
