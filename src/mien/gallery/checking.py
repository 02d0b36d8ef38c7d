"""Whether a store is whole: rows fit, sealed values open, the audit log is one chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from mien.errors import AuditBroken, StoreCorrupt
from mien.gallery.sql.engine import is_sqlite
from mien.gallery.sql.schema import ANSWER, API_KEY, ATTACHMENT, DOCUMENT, FACE, PERSON, TEMPLATE
from mien.gallery.store import audit
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.sealed import (
    document_key,
    open_about,
    open_answer,
    open_attachment,
    open_crop,
    open_document,
    open_key_name,
    open_provenance,
    open_vector,
    person_key,
)
from mien.gallery.store.store import Store
from mien.gallery.vault.sealing import Seal

_MOST = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at.

    Attributes:
        people: How many opened.
        faces: How many opened.
        templates: How many opened.
        documents: How many opened.
        attachments: How many opened.
        audit_entries: How many hold each other.
        audit_end: Code of the last entry, hexadecimal; compare it with one that was noted before.
        problems: What is wrong, the first of them; empty: nothing.
    """

    people: int
    faces: int
    templates: int
    documents: int
    attachments: int
    audit_entries: int
    audit_end: str
    problems: tuple[str, ...]


def check(store: Store) -> Checked:
    """Look at every value of a store.

    Raises:
        GalleryError: It cannot be read at all.
    """
    problems: list[str] = []
    with store.reading() as snapshot:
        if is_sqlite(store.engine):
            problems.extend(_file(snapshot))
        seals = _people(snapshot, problems)
        faces = _faces(snapshot, seals, problems)
        templates = _templates(snapshot, seals, problems)
        documents, attachments = _documents(snapshot, problems)
        problems.extend(_rest(snapshot))
        end = audit.End(0, audit.START)
        try:
            end = audit.verify(snapshot.connection, snapshot.ring.audit_key)
        except AuditBroken as error:
            problems.append(str(error))
    found = (len(seals), faces, templates, documents, attachments)
    return Checked(*found, end.seq, end.mac.hex(), tuple(problems[:_MOST]))


def _file(snapshot: Snapshot) -> Iterator[str]:
    """What SQLite itself finds."""
    for (said,) in snapshot.connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if said != "ok":
            yield f"The file is damaged: {said}."
    if snapshot.connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        yield "A row belongs to nothing."


def _people(snapshot: Snapshot, problems: list[str]) -> dict[str, Seal]:
    seals: dict[str, Seal] = {}
    for row in snapshot.connection.execute(sa.select(PERSON)):
        try:
            seal = person_key(snapshot.ring, row.id, row.key)
            name = open_about(seal, row.id, row.sealed).name
        except StoreCorrupt as error:
            problems.append(str(error))
            continue
        mac = None if name is None else snapshot.ring.name_mac(row.collection_id, name)
        if mac != row.name_mac:
            problems.append(f"Person {row.id} cannot be found by name.")
        seals[row.id] = seal
    return seals


def _faces(snapshot: Snapshot, seals: dict[str, Seal], problems: list[str]) -> int:
    """How many faces open, and each has a template in the space of its collection."""
    good = 0
    query = sa.select(FACE.c.id, FACE.c.person_id, FACE.c.sealed, FACE.c.crop)
    for row in snapshot.connection.execute(query.execution_options(yield_per=1000)):
        if row.person_id not in seals:
            continue
        try:
            open_provenance(seals[row.person_id], row.id, row.sealed)
            if row.crop is not None:
                open_crop(seals[row.person_id], row.id, row.crop)
        except StoreCorrupt as error:
            problems.append(str(error))
        else:
            good += 1
    return good


def _templates(snapshot: Snapshot, seals: dict[str, Seal], problems: list[str]) -> int:
    good = 0
    query = sa.select(FACE.c.id, FACE.c.person_id, TEMPLATE.c.space, TEMPLATE.c.sealed).outerjoin(
        TEMPLATE, TEMPLATE.c.face_id == FACE.c.id
    )
    for row in snapshot.connection.execute(query.execution_options(yield_per=1000)):
        if row.sealed is None:
            problems.append(f"Face {row.id} has no template.")
        elif row.person_id in seals:
            try:
                vector = open_vector(seals[row.person_id], row.id, row.space, row.sealed)
            except (StoreCorrupt, ValueError) as error:
                problems.append(str(error))
                continue
            if not np.isfinite(vector).all():
                problems.append(f"The template of face {row.id} is not finite.")
            good += 1
    return good


def _documents(snapshot: Snapshot, problems: list[str]) -> tuple[int, int]:
    """How many documents and attachments open."""
    seals: dict[str, Seal] = {}
    for row in snapshot.connection.execute(sa.select(DOCUMENT).execution_options(yield_per=100)):
        try:
            seals[row.id] = document_key(snapshot.ring, row.id, row.key)
            open_document(seals[row.id], row.id, row.sealed)
        except StoreCorrupt as error:
            problems.append(str(error))
    attachments = 0
    # Photographs: a few at a time.
    for row in snapshot.connection.execute(sa.select(ATTACHMENT).execution_options(yield_per=8)):
        if row.document_id in seals:
            try:
                open_attachment(seals[row.document_id], row.document_id, row.name, row.sealed)
                attachments += 1
            except StoreCorrupt as error:
                problems.append(str(error))
    return len(seals), attachments


def _rest(snapshot: Snapshot) -> Iterator[str]:
    """What of API keys and of answers does not open."""
    for row in snapshot.connection.execute(sa.select(API_KEY.c.id, API_KEY.c.sealed)):
        try:
            open_key_name(snapshot.ring, row.id, row.sealed)
        except StoreCorrupt as error:
            yield str(error)
    for row in snapshot.connection.execute(sa.select(ANSWER).where(ANSWER.c.sealed.is_not(None))):
        try:
            open_answer(snapshot.ring, row.mac, row.sealed)
        except StoreCorrupt as error:
            yield str(error)
