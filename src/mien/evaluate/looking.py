"""Photographs to arrays: the one face of each that is meant, and what was computed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.errors import BadRequest

# `Mien.analyze`, or what stands in for it.
Analyze = Callable[[Any, Sequence[str]], Iterator[Analysis | Failure]]
Which = Literal["central", "largest"]
COLUMNS = ("box", "score", "points", "embedding")


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What was seen on each of n photographs.

    Attributes:
        photos: The n paths.
        faces: For each the one face that counts, as `Faces` of length one; of length zero where none was
            found or the photograph could not be used.
        failures: Photographs that could not be used, and why.
    """

    photos: tuple[Path, ...]
    faces: tuple[Faces, ...]
    failures: tuple[Failure, ...]

    @property
    def found(self) -> NDArray[np.bool_]:
        """`(n,)` whether there is a face."""
        return np.array([len(faces) == 1 for faces in self.faces], dtype=bool)

    @property
    def space(self) -> str:
        """The embedding space of the vectors.

        Raises:
            BadRequest: Nothing was embedded.
        """
        named = {faces.space for faces in self.faces if len(faces) and faces.space is not None}
        if len(named) != 1:
            raise BadRequest(
                "No face was found on any of the photographs."
                if not named
                else "Embeddings are of several spaces.",
                hint="Look at one of them: mien analyze PHOTO --out DIR",
            )
        return named.pop()

    def column(self, name: str) -> NDArray[Any]:
        """One column for all photographs, `(n, ...)` float32; NaN where there is no face.

        Raises:
            BadRequest: No photograph has it.
        """
        rows = {i: getattr(faces, name)[0] for i, faces in enumerate(self.faces) if len(faces)}
        if not rows:
            raise BadRequest(
                "No face was found on any of the photographs.",
                hint="Look at one of them: mien analyze PHOTO --out DIR",
            )
        values = np.full((len(self.faces), *np.shape(next(iter(rows.values())))), np.nan, np.float32)
        for i, row in rows.items():
            values[i] = row
        return values


def look(
    analyze: Analyze,
    photos: Sequence[Path],
    columns: Sequence[str] = COLUMNS,
    which: Which = "central",
    done: Callable[[int], None] = lambda _: None,
) -> Looked:
    """Analyse photographs and keep the face of each that is meant.

    Args:
        analyze: `Mien.analyze`.
        photos: Paths of photographs.
        columns: What to compute.
        which: Which face counts where there are several: the one nearest to the centre, or the largest.
        done: Told how many photographs are done.

    Raises:
        BadRequest: One of the paths is a folder.
    """
    faces: list[Faces] = []
    failures: list[Failure] = []
    for result in analyze(list(photos), tuple(columns)):
        if isinstance(result, Failure):
            failures.append(result)
            faces.append(Faces.empty((1, 1)))
        else:
            faces.append(result.faces.central() if which == "central" else result.faces.largest())
        done(len(faces))
    if len(faces) != len(photos):  # labels would be those of other photographs
        raise BadRequest(
            f"{len(photos)} photographs were named and {len(faces)} were found.",
            hint="Name photographs, not folders of them.",
        )
    return Looked(tuple(photos), tuple(faces), tuple(failures))
