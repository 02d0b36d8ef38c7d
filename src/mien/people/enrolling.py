"""From photographs to faces that a gallery keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Face, Faces
from mien.core.image import Image
from mien.core.results import Enrolment
from mien.errors import BadRequest, InputError, MienError
from mien.gallery.gallery import Enrolled, Gallery
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, Provenance, about
from mien.media.expanding import Source
from mien.media.taken import day_taken
from mien.media.thumbnails import jpeg, portrait
from mien.people.gates import let_pass
from mien.pipeline.choosing import Choice, choose
from mien.settings import Gate

# Enough for every embedder and for an eye, little enough for a million people.
_CROP_PX = 320
_CHUNK = 1024 * 1024
# Begins the origin of a photograph that was sent: whatever its sender calls it, no file here is meant.
SENT = "upload:"

Analyze = Callable[[Iterable[Source], Sequence[str]], Iterator[Analysis | Failure]]


@dataclass(frozen=True, slots=True)
class Keeping:
    """How faces are kept.

    Attributes:
        columns: What to compute of each photograph.
        packs: Detector and embedder, `name@digest`.
        gate: How good a face has to be.
        crops: Whether a picture of each face is kept.
        face: Which face of a photograph with several.
    """

    columns: tuple[str, ...]
    packs: tuple[str, ...] = ()
    gate: Gate = "off"
    crops: bool = False
    face: Choice = "only"


@dataclass(frozen=True, slots=True)
class Told:
    """What is said about somebody who is enrolled.

    Attributes:
        name: Who.
        tags: Words to filter by.
        metadata: Anything else that is JSON.
        consent_note: On what the consent, or another ground, rests.
        consent_until: Its last day.
    """

    name: str = field(repr=False)
    tags: tuple[str, ...] = field(default=(), repr=False)
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    consent_note: str = field(default="", repr=False)
    consent_until: date | None = None


def enroll(
    gallery: Gallery, told: Told, photographs: Iterable[Analysis | Failure], keeping: Keeping, space: str
) -> Enrolment:
    """Enrol somebody by photographs that were analysed; those that give no face are told of.

    Raises:
        MienError: No photograph gave a face; the error of the first.
        BadRequest: There is no photograph.
    """
    return keep(gallery, told, *new_faces(photographs, keeping), space)


def keep(
    gallery: Gallery, told: Told, faces: Sequence[NewFace], failures: Sequence[Failure], space: str
) -> Enrolment:
    """Enrol somebody by faces, beside which there were photographs that gave none.

    Raises:
        MienError: There is no face; the error of the first photograph.
        BadRequest: There is no photograph.
    """
    if not faces:
        raise failures[0].error if failures else BadRequest(f"No picture was given for {told.name!r}.")
    newcomer = Newcomer(
        about(told.name, told.tags, told.metadata, told.consent_note), faces, told.consent_until
    )
    return as_enrolment(told.name, gallery.enroll_many([newcomer], space, warn=True)[0], failures)


def enroll_all(
    gallery: Gallery, people: Iterable[tuple[Told, Sequence[Source]]], analyze: Analyze, keeping: Keeping
) -> Iterator[tuple[str, Enrolment | MienError]]:
    """Enrol many people; each is acknowledged when it is yielded, and nobody's photographs stop the others.

    Yields:
        The name, and what came of it or why nothing did.
    """
    for told, sources in people:
        try:
            photographs = analyze(sources, keeping.columns)
            yield told.name, enroll(gallery, told, photographs, keeping, gallery.rule.space)
        except InputError as error:
            yield told.name, error


def as_enrolment(name: str, done: Enrolled, failures: Sequence[Failure]) -> Enrolment:
    """What the kit answers."""
    return Enrolment(
        name, len(done.faces), tuple(failures), done.person_id, done.faces, done.repeated, done.resembles
    )


def new_faces(
    photographs: Iterable[Analysis | Failure], keeping: Keeping
) -> tuple[list[NewFace], list[Failure]]:
    """The one face of each photograph that is meant, and the photographs that give none."""
    faces: list[NewFace] = []
    failures: list[Failure] = []
    for photograph in photographs:
        if isinstance(photograph, Failure):
            failures.append(photograph)
            continue
        try:
            found = choose(photograph, keeping.face)
            let_pass(found[0], keeping.gate, photograph.source)
        except MienError as error:
            failures.append(Failure(photograph.source, error))
        else:
            faces.append(new_face(photograph.image, found, keeping))
    return faces, failures


def new_face(image: Image, found: Faces, keeping: Keeping, digest: str | None = None) -> NewFace:
    """A face as a gallery keeps it.

    Args:
        image: The photograph.
        found: One face of it, embedded.
        keeping: How it is kept.
        digest: Of the photograph, if it is known already; see `photograph_digest`.
    """
    face = found[0]
    assert face.embedding is not None  # noqa: S101 - the embedder was among the stages
    provenance = Provenance(
        source=_lasting(image.source or ""),
        digest=photograph_digest(image) if digest is None else digest,
        box=tuple(float(edge) for edge in face.box),
        size_wh=found.size_wh,
        quality=face.quality,
        packs=keeping.packs,
        taken=_taken(image),
    )
    return NewFace(face.embedding, provenance, face_crop(image, face) if keeping.crops else None)


def _taken(image: Image) -> str:
    if image.taken is not None or not image.source:
        return image.taken or ""
    return day_taken(image.source)


def _lasting(source: str) -> str:
    """Where a photograph is, whatever folder somebody works in later; what is no file keeps its name."""
    if source.startswith(SENT):
        return source
    try:
        there = bool(source) and Path(source).is_file()
    except (OSError, ValueError):
        there = False
    return str(Path(source).absolute()) if there else source


def face_crop(image: Image, face: Face) -> bytes:
    """A small picture of a face with some room around it, as JPEG."""
    # Boxes are in pixels of the original; the picture may be a smaller copy.
    shrunk = image.width / image.original_wh[0]
    return jpeg(portrait(image, replace(face, box=face.box * shrunk)), _CROP_PX)


def photograph_digest(image: Image) -> str:
    """SHA-256 of the file a picture came from, or of its pixels if it came from none that is known."""
    if image.digest is not None:
        return image.digest
    digest = hashlib.sha256()
    try:
        with Path(image.source or "").open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):
        digest.update(f"{image.size_wh}".encode())
        digest.update(image.rgb.tobytes())
    return digest.hexdigest()
