"""What the kit answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mien.core.analysis import Failure
from mien.core.faces import Face, Faces
from mien.core.image import Image
from mien.core.matches import Match, Matches


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Whether two faces are one person's.

    Attributes:
        verified: The distance is within the threshold.
        similarity: Cosine of the angle between the embeddings, -1..1, higher is more alike.
        distance: Distance in the embedder's metric, lower is more alike.
        threshold: Largest distance of one person.
        fmr: False-match rate at that threshold: the share of comparisons of two different people
            that it would accept; None when nobody measured it.
        metric: `cosine` or `euclidean`.
        space: Embedding space of both faces.
        face_a: The face used of the first picture.
        face_b: The face used of the second picture.
        probability: That both are one person's, if that and two people's were equally probable before; None
            without a calibration (`mien calibrate`).
        source: Who says where the threshold is: the embedder's `manifest`, or a `calibration`.
    """

    verified: bool
    similarity: float
    distance: float
    threshold: float
    fmr: float | None
    metric: str
    space: str
    face_a: Face
    face_b: Face
    probability: float | None = None
    source: str = "manifest"


@dataclass(frozen=True, slots=True, eq=False)
class Enrolment:
    """What came of enrolling a person.

    Attributes:
        person: The name.
        faces: How many faces were added.
        failures: Pictures that gave none, and why.
        person_id: Identifier of the person, which stays when the name changes.
        face_ids: Identifiers of the faces that were added.
        repeated: How many faces were not added, because they were enrolled from the same photographs before.
        resembles: Other people whom the faces come so near that they may be the same person.
    """

    person: str
    faces: int
    failures: tuple[Failure, ...]
    person_id: str = ""
    face_ids: tuple[str, ...] = ()
    repeated: int = 0
    resembles: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """Who may be in one picture. Iterating gives each face with its accepted match, or None.

    Attributes:
        image: The picture.
        faces: All faces found in it.
        matches: The nearest people for each of them.
    """

    image: Image
    faces: Faces
    matches: Matches

    def __iter__(self) -> Iterator[tuple[Face, Match | None]]:
        return ((face, self.matches.best(i)) for i, face in enumerate(self.faces))

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def names(self) -> list[str | None]:
        """The accepted name of each face, None for unknown."""
        return [match.person if match else None for _, match in self]
