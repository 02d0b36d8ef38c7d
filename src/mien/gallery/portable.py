"""Export people to files that any program can read, and import them again, on whatever back end.

    collection.json   name, embedding space, embedder
    people.jsonl      one person a line
    faces.jsonl       one face a line, in the order of the rows of vectors.npy
    vectors.npy       (n, d) float32
    crops/ID.jpg      pictures of faces, if they were kept

Documents such as jobs and cases, API keys and the audit log are no part of it; a backup has them.

Nothing in there is encrypted: whoever has the folder has the biometric data.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest, SpaceMismatch
from mien.gallery.gallery import Gallery
from mien.gallery.index.checks import LARGEST
from mien.gallery.sql.engine import refusing_disk
from mien.gallery.store import reading
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.forgotten import forgotten_ids
from mien.gallery.store.identifiers import is_identifier
from mien.gallery.store.records import NewFace, Provenance, about

FORMAT = 1
_PORTION = 1_000


class CollectionLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What collection.json holds."""

    format: int
    name: str
    space: str
    embedder: str


class PersonLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line of people.jsonl."""

    id: str
    name: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}  # msgspec copies it
    consent_note: str = ""
    consent_until: date | None = None


class FaceLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line of faces.jsonl."""

    id: str
    person_id: str
    provenance: Provenance
    crop: bool = False


Line = TypeVar("Line", PersonLine, FaceLine)


@dataclass(frozen=True, slots=True)
class Moved:
    """What was exported or imported.

    Attributes:
        people: How many.
        faces: How many.
        repeated: Faces that were there already, and were not imported again.
        forgotten: People who were not imported, because they were forgotten here.
    """

    people: int
    faces: int
    repeated: int = 0
    forgotten: int = 0


def export(gallery: Gallery, folder: Path) -> Moved:
    """Write everybody of a gallery into a new folder; faces without a template in its space are left out.

    Raises:
        BadRequest: The folder is there already.
        GalleryError: It cannot be written, or the store not be read.
    """
    if folder.exists():
        raise BadRequest(f"{folder} is there already.", hint="Give a new folder.")
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    here = gallery.collection
    # Noted before anything leaves.
    with gallery.store.writing() as noting:
        noting.note("exported", here.id)
    with gallery.store.reading() as snapshot, refusing_disk(folder), _gone_unless_whole(unfinished):
        unfinished.mkdir(parents=True, mode=0o700)
        everybody = reading.people(snapshot, here.id)
        found = reading.templates(snapshot, here)
        row = {face.decode(): i for i, face in enumerate(found.face)}
        faces = [face for face in reading.faces(snapshot, here.id) if face.id in row]
        order = [row[face.id] for face in faces]
        head = CollectionLine(FORMAT, here.name, here.space, here.embedder)
        (unfinished / "collection.json").write_bytes(msgspec.json.encode(head) + b"\n")
        told = (
            PersonLine(one.id, **msgspec.structs.asdict(one.about), consent_until=one.consent_until)
            for one in everybody
        )
        _write_lines(unfinished / "people.jsonl", told)
        lines = (FaceLine(one.id, one.person_id, one.provenance, one.has_crop) for one in faces)
        _write_lines(unfinished / "faces.jsonl", lines)
        np.save(unfinished / "vectors.npy", found.vectors[order], allow_pickle=False)
        (unfinished / "crops").mkdir()
        for face in faces:
            if face.has_crop and (content := reading.crop(snapshot, here.id, face.id)):
                (unfinished / "crops" / f"{face.id}.jpg").write_bytes(content)
        unfinished.rename(folder)
    return Moved(len(everybody), len(faces))


@contextmanager
def _gone_unless_whole(unfinished: Path) -> Iterator[None]:
    """Leave nothing that is not encrypted behind when writing fails."""
    try:
        yield
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def import_into(gallery: Gallery, folder: Path) -> Moved:
    """Enrol everybody of an exported folder; who has a name that is known here gets the faces.

    Everything is read and checked before anything is kept. Importing again adds nothing: faces
    keep their identifiers. People and faces that were forgotten here stay forgotten.

    Raises:
        BadRequest: A file is missing, damaged or does not fit the others.
        SpaceMismatch: The embeddings are of another embedder.
    """
    head = _read(folder / "collection.json", CollectionLine)
    if head.space != gallery.rule.space:
        raise SpaceMismatch(f"{folder} holds embeddings of {head.space}, not of {gallery.rule.space}.")
    everybody = list(_read_lines(folder / "people.jsonl", PersonLine))
    faces = list(_read_lines(folder / "faces.jsonl", FaceLine))
    vectors = _read_vectors(folder / "vectors.npy", len(faces))
    _check_identifiers(folder / "people.jsonl", [person.id for person in everybody])
    _check_identifiers(folder / "faces.jsonl", [face.id for face in faces])
    if strangers := {face.person_id for face in faces} - {person.id for person in everybody}:
        raise BadRequest(f"{folder}: faces.jsonl names {min(strangers)!r}, whom people.jsonl does not.")
    with gallery.store.reading() as snapshot:
        forgotten = forgotten_ids(snapshot)
    owned: dict[str, list[NewFace]] = {person.id: [] for person in everybody}
    for face, vector in zip(faces, vectors, strict=True):
        if face.id not in forgotten:
            crop = _crop(folder / "crops" / f"{face.id}.jpg") if face.crop else None
            owned[face.person_id].append(NewFace(vector, face.provenance, crop, face.id))
    wanted = [
        Newcomer(
            about(person.name, person.tags, person.metadata, person.consent_note),
            owned[person.id],
            person.consent_until,
            id=person.id,
        )
        for person in everybody
        if person.id not in forgotten
    ]
    done = [one for part in _portions(wanted) for one in gallery.enroll_many(part, head.space, told=False)]
    kept, repeated = sum(len(one.faces) for one in done), sum(one.repeated for one in done)
    return Moved(len(done), kept, repeated, len(everybody) - len(wanted))


def _check_identifiers(file: Path, ids: Sequence[str]) -> None:
    if odd := [one for one in ids if not is_identifier(one)]:
        raise BadRequest(f"{file}: {odd[0][:40]!r} is no identifier.")
    if len(set(ids)) < len(ids):
        raise BadRequest(f"{file}: an identifier is given twice.")


def _portions(newcomers: Sequence[Newcomer]) -> Iterator[Sequence[Newcomer]]:
    return (newcomers[i : i + _PORTION] for i in range(0, len(newcomers), _PORTION))


def _write_lines(file: Path, lines: Iterator[PersonLine] | Iterator[FaceLine]) -> None:
    with file.open("wb") as stream:
        for line in lines:
            stream.write(msgspec.json.encode(line) + b"\n")


def _crop(file: Path) -> bytes:
    if file.is_symlink() or not file.is_file():
        raise BadRequest(f"{file} is no picture.")
    return _content(file)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadRequest(f"{file} cannot be read: {error.strerror or error}.") from error


def _read(file: Path, kind: type[CollectionLine]) -> CollectionLine:
    try:
        found = msgspec.json.decode(_content(file), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"{file} is not as it was exported: {error}.") from error
    if found.format != FORMAT:
        raise BadRequest(f"{file} is of format {found.format}; this version reads {FORMAT}.")
    return found


def _read_lines(file: Path, kind: type[Line]) -> Iterator[Line]:
    for number, line in enumerate(_content(file).splitlines(), 1):
        try:
            yield msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"{file}, line {number}: {error}.") from error


def _read_vectors(file: Path, rows: int) -> NDArray[np.float32]:
    try:
        with file.open("rb") as stream:
            np.lib.format.read_magic(stream)  # an archive has another
        # Mapped first: unlike plain reading, this compares what the header claims with the file.
        found = np.load(file, mmap_mode="r" if rows else None, allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, MemoryError) as error:
        raise BadRequest(f"{file} is no array: {error}.") from error
    if found.ndim != 2 or len(found) != rows or found.dtype != np.float32:
        raise BadRequest(
            f"{file} wants {rows} rows of float32, one for each line of faces.jsonl; got {found.shape}."
        )
    if not all((np.abs(found[i : i + _PORTION]) <= LARGEST).all() for i in range(0, rows, _PORTION)):
        raise BadRequest(f"{file} holds numbers that are not finite, or beyond {LARGEST:,}.")
    return np.array(found, np.float32)
