"""Attachments: photographs, pictures and results that belong to a document, sealed by its key.

Their names and places are not sealed, so that they can be asked for; a name must say nothing of anybody. What
somebody called a file belongs into what the document says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from mien.errors import BadRequest, PersonUnknown, VersionStale
from mien.gallery.sql.schema import ATTACHMENT, DOCUMENT, FORGOTTEN
from mien.gallery.store.audit import now
from mien.gallery.store.identifiers import is_identifier
from mien.gallery.store.reading import Snapshot, in_portions
from mien.gallery.store.sealed import document_key, open_attachment, seal_attachment
from mien.gallery.store.store import Writing
from mien.gallery.vault.sealing import Seal

# Begins the names of pictures of enrolled faces.
FACE: Final = "face-"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that belongs to a document.

    Attributes:
        name: Unique within the document.
        seq: Its place among the others, from 1, in the order in which they came.
        person_id: Whom it is about, so that it goes when this person is forgotten; None: nobody known.
        created: ISO 8601, UTC.
        content: The bytes.
    """

    name: str
    seq: int
    person_id: str | None
    created: str
    content: bytes = field(repr=False)


def attach(
    writing: Writing, document_id: str, name: str, content: bytes, *, person_id: str | None = None
) -> int:
    """Attach something to a document; what has the name already is replaced in its place.

    Args:
        writing: The transaction.
        document_id: To which.
        name: Lower-case letters, digits and `._-`, at most 100; it is not sealed, so it must name nobody.
        content: Anything.
        person_id: Whom it is about; it goes when this person is forgotten.

    Returns:
        Its place.

    Raises:
        VersionStale: The document was deleted meanwhile.
        PersonUnknown: The person was forgotten meanwhile.
        BadRequest: It is no such name.
    """
    if not _NAME.fullmatch(name):
        raise BadRequest("The name of an attachment has lower-case letters, digits and ._- only.")
    if person_id is not None and _is_forgotten(writing, person_id):
        raise PersonUnknown(f"{person_id} was forgotten meanwhile.")
    seal = _seal_of(writing, document_id)
    if seal is None:
        raise VersionStale(f"There is no document {document_id!r} any more.")
    here = ATTACHMENT.c.document_id == document_id
    values: dict[str, Any] = {
        "person_id": person_id,
        "created": now(),
        "sealed": seal_attachment(seal, document_id, name, content),
    }
    connection = writing.connection
    place: int | None
    place = connection.execute(sa.select(ATTACHMENT.c.seq).where(here, ATTACHMENT.c.name == name)).scalar()
    if place is None:
        last: int | None = connection.execute(sa.select(sa.func.max(ATTACHMENT.c.seq)).where(here)).scalar()
        place = (last or 0) + 1
        connection.execute(
            ATTACHMENT.insert(), {"document_id": document_id, "name": name, "seq": place} | values
        )
    else:
        connection.execute(ATTACHMENT.update().where(here, ATTACHMENT.c.name == name).values(values))
    return place


def read(snapshot: Snapshot, document_id: str, name: str) -> Attachment | None:
    """One attachment; None if there is none of that name."""
    if not _NAME.fullmatch(name):
        return None
    found = _attachments(snapshot, document_id, ATTACHMENT.c.name == name)
    return found[0] if found else None


def page(
    snapshot: Snapshot, document_id: str, *, beginning: str = "", after: int = 0, limit: int = 100
) -> tuple[Attachment, ...]:
    """Attachments in the order in which they came.

    Args:
        snapshot: Of the store.
        document_id: Whose.
        beginning: Only those whose name begins so.
        after: Place (`seq`) of the last attachment of the page before.
        limit: At most so many.
    """
    named = ATTACHMENT.c.name.startswith(beginning, autoescape=True)
    return _attachments(snapshot, document_id, named, ATTACHMENT.c.seq > after, limit=limit)


def names(snapshot: Snapshot, document_id: str, *, beginning: str = "") -> tuple[str, ...]:
    """The names of what is attached to a document, in the order in which it came; nothing is opened."""
    named = ATTACHMENT.c.name.startswith(beginning, autoescape=True)
    query = sa.select(ATTACHMENT.c.name).where(ATTACHMENT.c.document_id == document_id, named)
    return tuple(snapshot.connection.execute(query.order_by(ATTACHMENT.c.seq)).scalars())


def detach(writing: Writing, document_id: str, names: Sequence[str]) -> int:
    """Delete attachments by name; how many there were."""
    here = ATTACHMENT.c.document_id == document_id
    return sum(
        writing.connection.execute(ATTACHMENT.delete().where(here, ATTACHMENT.c.name.in_(part))).rowcount
        for part in in_portions(list(names))
    )


def detach_people(writing: Writing, people: Iterable[str]) -> int:
    """Delete what is attached to any document and about any of these people; how many there were."""
    return sum(
        writing.connection.execute(ATTACHMENT.delete().where(ATTACHMENT.c.person_id.in_(part))).rowcount
        for part in in_portions(sorted(set(people)))
    )


def face_name(face_id: str) -> str:
    """What a picture of an enrolled face is called, wherever it is attached; it goes when the face goes."""
    return f"{FACE}{face_id}.jpg"


def detach_faces(writing: Writing, faces: Iterable[str]) -> int:
    """Delete the pictures of faces from all documents, whosever the faces were when they came there."""
    return sum(
        writing.connection.execute(ATTACHMENT.delete().where(ATTACHMENT.c.name.in_(part))).rowcount
        for part in in_portions([face_name(one) for one in faces])
    )


def _attachments(
    snapshot: Snapshot, document_id: str, *which: sa.ColumnElement[bool], limit: int = 1
) -> tuple[Attachment, ...]:
    seal = _seal_of(snapshot, document_id)
    if seal is None:
        return ()
    query = sa.select(ATTACHMENT).where(ATTACHMENT.c.document_id == document_id, *which)
    rows = snapshot.connection.execute(query.order_by(ATTACHMENT.c.seq).limit(limit)).all()
    return tuple(
        Attachment(
            row.name,
            row.seq,
            row.person_id,
            row.created,
            open_attachment(seal, document_id, row.name, row.sealed),
        )
        for row in rows
    )


def _seal_of(snapshot: Snapshot, document_id: str) -> Seal | None:
    if not is_identifier(document_id):
        return None
    query = sa.select(DOCUMENT.c.key).where(DOCUMENT.c.id == document_id)
    key = snapshot.connection.execute(query).scalar()
    return None if key is None else document_key(snapshot.ring, document_id, key)


def _is_forgotten(snapshot: Snapshot, person_id: str) -> bool:
    query = sa.select(FORGOTTEN.c.id).where(FORGOTTEN.c.id == person_id)
    return snapshot.connection.execute(query).first() is not None
