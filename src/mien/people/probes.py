"""Photographs of a person who is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.core.analysis import Analysis, Failure
from mien.errors import BadRequest
from mien.media.taken import day_taken
from mien.people.cases import Probe, TakenBy, year_of
from mien.people.enrolling import Analyze, face_crop, photograph_digest
from mien.pipeline.choosing import Choice, choose
from mien.pipeline.stages import DETECTION

MOST_PROBES = 100


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a photograph shows of the person.

    Attributes:
        vector: `(d,)` float32, the embedding of the face.
        space: Of the embedding.
        digest: SHA-256 of the photograph, hexadecimal.
        picture: Of the face, as JPEG.
    """

    vector: NDArray[np.float32]
    space: str
    digest: str
    picture: bytes

    def __repr__(self) -> str:
        """Templates are nobody's business in a log."""
        return f"Looked({len(self.vector)} numbers)"


def look(paths: Sequence[Path], faces: Sequence[Choice], analyze: Analyze) -> list[Looked]:
    """Find and embed the face of each photograph that is meant.

    Args:
        paths: Of the photographs, `MOST_PROBES` at most.
        faces: Which face of each.
        analyze: As `Mien.analyze`.

    Raises:
        BadRequest: There are no photographs or too many, or one is a folder.
        InputError: One cannot be read, or does not show the face that is meant.
    """
    if not 0 < len(paths) <= MOST_PROBES:
        raise BadRequest(f"A case has 1 to {MOST_PROBES} photographs, not {len(paths)}.")
    if folders := [path for path in paths if path.is_dir()]:
        raise BadRequest(f"{folders[0]} is a folder.", hint="Name the photographs that show the person.")
    found = analyze([str(path) for path in paths], (*DETECTION, "embedding"))
    return [looked_at(one, face) for one, face in zip(found, faces, strict=True)]


def make_probe(folder: Path, path: Path, face: Choice, taken: str, digest: str) -> Probe:
    """Write down a photograph for a case in a folder.

    Args:
        folder: Of the case.
        path: Of the photograph.
        face: Which face of it.
        taken: Year or day, as the user says; empty: as the photograph says, if it does.
        digest: Of the photograph.

    Raises:
        BadRequest: `taken` is neither a year nor a day.
    """
    # Found from elsewhere too; and from a folder that was taken along with its photographs.
    whole, inside = path.absolute(), folder.absolute()
    lasting = whole.relative_to(inside) if whole.is_relative_to(inside) else whole
    return probe_of(str(lasting), digest, face, taken, "" if taken else day_taken(path))


def probe_of(photograph: str, digest: str, face: Choice, taken: str, by_camera: str) -> Probe:
    """Write down a photograph, wherever it is kept.

    Args:
        photograph: What it is called.
        digest: Of the photograph.
        face: Which face of it.
        taken: Year or day, as the user says; may be empty.
        by_camera: Year or day, as the photograph says; may be empty.

    Raises:
        BadRequest: `taken` is neither a year nor a day.
    """
    if taken and year_of(taken) is None:
        raise BadRequest(
            f"{taken!r} is no year or day.",
            hint="Write 1998, or 1998-05-17; on the command line photo.jpg=1998.",
        )
    known = taken or by_camera
    by: TakenBy = "user" if taken else "photograph" if known else ""
    return Probe(photograph, digest, face, known, by)


def check_different(photographs: Sequence[object], digests: Sequence[str]) -> None:
    """Raise BadRequest if a photograph, by its digest, is given twice; the first that is, is named."""
    if twice := [one for i, one in enumerate(photographs) if digests[i] in digests[:i]]:
        raise BadRequest(f"{twice[0]} is given twice.", hint="One photograph twice proves nothing more.")


def looked_at(found: Analysis | Failure, face: Choice) -> Looked:
    """The face of a photograph that is meant, cut out.

    Args:
        found: What looking at the photograph gave, with embeddings.
        face: Which face.

    Raises:
        InputError: The photograph could not be read, or does not show the face that is meant.
    """
    if isinstance(found, Failure):
        raise found.error
    faces = choose(found, face)
    assert faces.embedding is not None  # noqa: S101 - it was asked for
    assert faces.space is not None  # noqa: S101 - it comes with embeddings
    picture = face_crop(found.image, faces[0])
    return Looked(faces.embedding[0], faces.space, photograph_digest(found.image), picture)
