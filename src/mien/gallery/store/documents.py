"""Documents: work that outlives the request that asked for it, such as a job or a case.

A document has a key of its own, as a person has: it seals what the document says and whatever is attached to
it (`mien.gallery.store.attachments`). Kind, owner, state and times are not sealed, so that they can be asked
for; they must say nothing of anybody.

Changes happen within the transaction of a `Writing`. Those take turns over all processes, so that two never
claim the same document. A `Writing` that changes nothing but documents need not be counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from mien.errors import BadRequest, VersionStale
from mien.gallery.sql.schema import ATTACHMENT, DOCUMENT
from mien.gallery.store.audit import now
from mien.gallery.store.identifiers import fresh, is_identifier
from mien.gallery.store.reading import Snapshot, in_portions
from mien.gallery.store.sealed import (
    Row,
    document_key,
    open_document,
    seal_document,
    wrap_document_key,
)
from mien.gallery.store.store import Writing
from mien.gallery.vault.sealing import Seal, new_key


@dataclass(frozen=True, slots=True)
class Document:
    """A document without what is attached to it.

    Attributes:
        id: Its identifier; sorts by the time it was made.
        kind: Such as `job` or `case`.
        collection_id: Whose people it is about; None: nobody's.
        owner: Who made it, as the audit log calls him.
        state: How far it is, in the words of its kind.
        version: Rises with each change.
        created: ISO 8601, UTC.
        changed: ISO 8601, UTC.
        value: What it says, in the encoding of its kind.
    """

    id: str
    kind: str
    collection_id: str | None
    owner: str
    state: str
    version: int
    created: str
    changed: str
    value: bytes = field(repr=False)


def make(
    writing: Writing,
    kind: str,
    value: bytes,
    *,
    owner: str,
    state: str = "",
    collection_id: str | None = None,
) -> Document:
    """Make a document, of version 1; its kind, owner and state are not sealed."""
    identifier, key, moment = fresh()[0], new_key(), now()
    row = {
        "id": identifier,
        "kind": kind,
        "collection_id": collection_id,
        "owner": owner,
        "state": state,
        "key": wrap_document_key(writing.ring, identifier, key),
        "sealed": seal_document(Seal(key), identifier, value),
        "version": 1,
        "created": moment,
        "changed": moment,
    }
    writing.connection.execute(DOCUMENT.insert(), row)
    return Document(identifier, kind, collection_id, owner, state, 1, moment, moment, value)


def read(snapshot: Snapshot, kind: str, document_id: str) -> Document | None:
    """A document of a kind, by identifier; None if there is none."""
    if not is_identifier(document_id):  # not every text can be put to a database
        return None
    query = sa.select(DOCUMENT).where(DOCUMENT.c.id == document_id, DOCUMENT.c.kind == kind)
    row = snapshot.connection.execute(query).first()
    return None if row is None else _document(snapshot, row)


def listed(
    snapshot: Snapshot,
    kind: str,
    *,
    owner: str | None = None,
    collection_id: str | None = None,
    states: tuple[str, ...] | None = None,
    after: str | None = None,
    newest_first: bool = False,
    limit: int = 100,
) -> tuple[Document, ...]:
    """Documents of a kind, by the time they were made.

    Args:
        snapshot: Of the store.
        kind: Which.
        owner: Only those of this owner.
        collection_id: Only those about people of this collection.
        states: Only those in one of these states.
        after: Identifier of the last document of the page before.
        newest_first: The other way round.
        limit: At most so many.

    Raises:
        BadRequest: `after` is no identifier.
    """
    if after is not None and not is_identifier(after):
        raise BadRequest(f"There is no page after {after[:20]!r}.")
    query = sa.select(DOCUMENT).where(DOCUMENT.c.kind == kind)
    if owner is not None:
        query = query.where(DOCUMENT.c.owner == owner)
    if collection_id is not None:
        query = query.where(DOCUMENT.c.collection_id == collection_id)
    if states is not None:
        query = query.where(DOCUMENT.c.state.in_(states))
    if after is not None:
        query = query.where(DOCUMENT.c.id < after if newest_first else DOCUMENT.c.id > after)
    order = DOCUMENT.c.id.desc() if newest_first else DOCUMENT.c.id
    rows = snapshot.connection.execute(query.order_by(order).limit(limit)).all()
    return tuple(_document(snapshot, row) for row in rows)


def count(snapshot: Snapshot, kind: str, states: tuple[str, ...], *, owner: str | None = None) -> int:
    """How many documents of a kind are in one of some states."""
    query = sa.select(sa.func.count()).where(DOCUMENT.c.kind == kind, DOCUMENT.c.state.in_(states))
    if owner is not None:
        query = query.where(DOCUMENT.c.owner == owner)
    number: int = snapshot.connection.execute(query).scalar_one()
    return number


def ids_about(snapshot: Snapshot, collection_id: str) -> tuple[str, ...]:
    """Identifiers of the documents about people of a collection, of whatever kind."""
    query = sa.select(DOCUMENT.c.id).where(DOCUMENT.c.collection_id == collection_id)
    return tuple(snapshot.connection.execute(query.order_by(DOCUMENT.c.id)).scalars())


def change(
    writing: Writing,
    document_id: str,
    *,
    value: bytes | None = None,
    state: str | None = None,
    version: int | None = None,
    was: tuple[str, ...] | None = None,
) -> Document:
    """Change what a document says, its state, or both; what is not given stays.

    Args:
        writing: The transaction.
        document_id: Which.
        value: What it says from now on.
        state: How far it is from now on.
        version: Refuse if the document is not of this version any more.
        was: Refuse if it is in none of these states any more.

    Raises:
        VersionStale: It was changed meanwhile, or deleted.
    """
    row = writing.connection.execute(sa.select(DOCUMENT).where(DOCUMENT.c.id == document_id)).first()
    if row is None:
        raise _deleted(document_id)
    if version is not None and row.version != version:
        raise VersionStale(f"{row.kind} {row.id} is of version {row.version} now, not {version}.")
    if was is not None and row.state not in was:
        raise VersionStale(f"{row.kind} {row.id} is {row.state or 'without state'} now.")
    before = _document(writing, row)
    values: dict[str, Any] = {"version": row.version + 1, "changed": now()}
    if state is not None:
        values["state"] = state
    if value is not None:
        seal = document_key(writing.ring, row.id, row.key)
        values["sealed"] = seal_document(seal, row.id, value)
    same = (DOCUMENT.c.id == row.id, DOCUMENT.c.version == row.version)
    if not writing.connection.execute(DOCUMENT.update().where(*same).values(values)).rowcount:
        raise _deleted(document_id)
    new = {name: content for name, content in values.items() if name != "sealed"}
    return replace(before, **new, value=before.value if value is None else value)


def claim(
    writing: Writing, kind: str, *, was: str, state: str, unchanged_since: str | None = None
) -> Document | None:
    """Take the oldest document that is in a state and put it into another; None if none is.

    Args:
        writing: The transaction.
        kind: Of document.
        was: The state it has to be in.
        state: The state it is in from now on; may be the same.
        unchanged_since: Only one that nobody has changed since this moment (ISO 8601, UTC), such as a job
            whose process has ended.
    """
    query = sa.select(DOCUMENT.c.id).where(DOCUMENT.c.kind == kind, DOCUMENT.c.state == was)
    if unchanged_since is not None:
        query = query.where(DOCUMENT.c.changed < unchanged_since)
    found = writing.connection.execute(query.order_by(DOCUMENT.c.id).limit(1)).scalar()
    return None if found is None else change(writing, found, state=state, was=(was,))


def delete(writing: Writing, ids: Iterable[str]) -> tuple[str, ...]:
    """Delete documents with their keys and all that is attached to them.

    Copies of the store keep them: `mien.gallery.forgetting.forget_documents` reaches these too.

    Returns:
        Identifiers of those that there were.
    """
    gone: list[str] = []
    for portion in in_portions(sorted(filter(is_identifier, ids))):
        query = sa.select(DOCUMENT.c.id).where(DOCUMENT.c.id.in_(portion))
        gone += writing.connection.execute(query).scalars()
        writing.connection.execute(ATTACHMENT.delete().where(ATTACHMENT.c.document_id.in_(portion)))
        writing.connection.execute(DOCUMENT.delete().where(DOCUMENT.c.id.in_(portion)))
    return tuple(gone)


def _document(snapshot: Snapshot, row: Row) -> Document:
    value = open_document(document_key(snapshot.ring, row.id, row.key), row.id, row.sealed)
    return Document(
        row.id,
        row.kind,
        row.collection_id,
        row.owner,
        row.state,
        row.version,
        row.created,
        row.changed,
        value,
    )


def _deleted(document_id: str) -> VersionStale:
    return VersionStale(f"There is no document {document_id} any more.")
