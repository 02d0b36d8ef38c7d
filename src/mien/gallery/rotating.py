"""Exchange the keys of a store, without enrolling anybody again.

Everything that the keys of people and documents sealed stays as it is; these keys are wrapped anew, by a new
key of the store, which the new master key wraps. What the key of the store sealed itself is sealed anew. API
keys stay valid. Copies of the store that are known get the same new keys.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from mien.errors import GalleryError, StoreLocked
from mien.gallery.forgetting import backups_of, opened_copy, scrub
from mien.gallery.sql.schema import ANSWER, API_KEY, COLLECTION, DOCUMENT, PERSON, STORE
from mien.gallery.store.sealed import (
    new_index_key,
    open_about,
    open_answer,
    open_key_name,
    person_key,
    rewrap_document_key,
    seal_answer,
    seal_key_name,
)
from mien.gallery.store.store import Store, Writing
from mien.gallery.vault.keyring import KeyRing, make_ring
from mien.gallery.vault.master import MasterKey

_PORTION = 5_000


@dataclass(frozen=True, slots=True)
class Rotated:
    """What has the new key.

    Attributes:
        people: How many keys were wrapped anew.
        backups: Copies that were.
        unreached: Copies that are known and could not be opened: they need the old key.
        wiped: Whether no trace of the old wrapping is left; if not, another process was reading without end,
            and the next exchange or forgetting wipes it.
    """

    people: int
    backups: tuple[str, ...]
    unreached: tuple[str, ...]
    wiped: bool = True


def rotate(store: Store, new: MasterKey) -> Rotated:
    """Exchange the master key and the key of the copies, then of the store, each in one transaction.

    Raises:
        GalleryError: The store cannot be written: the old key still opens it; copies may have the new one.
    """
    reached, unreached = [], []
    # First the copies, while this store still has the key that opens them.
    for path in backups_of(store):
        try:
            with opened_copy(path, store) as copy:
                _rotate(copy, new)
        except GalleryError:
            unreached.append(path)
        else:
            reached.append(path)
    people, wiped = _rotate(store, new)
    return Rotated(people, tuple(reached), tuple(unreached), wiped)


def _rotate(store: Store, new: MasterKey) -> tuple[int, bool]:
    """How many people there are, and whether the old wrapping was wiped."""
    with store.writing() as writing:
        ring, sealed = make_ring(new, store.id, audit_key=writing.ring.audit_key)
        people = _wrap_people(writing, ring)
        _wrap_documents(writing, ring)
        _seal_rest(writing, ring)
        for identifier in writing.connection.execute(sa.select(COLLECTION.c.id)).scalars().all():
            key = new_index_key(ring, identifier)
            writing.connection.execute(
                COLLECTION.update().where(COLLECTION.c.id == identifier).values(index_key=key)
            )
        writing.connection.execute(
            STORE.update().values(master_id=sealed.master_id, wrapped=sealed.wrapped, secrets=sealed.secrets)
        )
        writing.note("rotated", people=people, key=sealed.master_id)
    store.exchange(new, sealed, ring)
    try:
        scrub(store)  # the old wrapping must not linger
    except StoreLocked:
        return people, False  # the new key counts already: this must not look like a failure
    return people, True


def _wrap_people(writing: Writing, ring: KeyRing) -> int:
    """Wrap everybody's key by the new key of the store, and find names by the new key of names."""
    count, last = 0, ""
    update = (
        PERSON.update()
        .where(PERSON.c.id == sa.bindparam("who"))
        .values(key=sa.bindparam("wrapped"), name_mac=sa.bindparam("mac"))
    )
    while True:
        query = sa.select(PERSON).where(PERSON.c.id > last).order_by(PERSON.c.id).limit(_PORTION)
        rows = writing.connection.execute(query).all()
        if not rows:
            return count
        changed = []
        for row in rows:
            key = writing.ring.unwrap(row.key, row.id)
            name = open_about(person_key(writing.ring, row.id, row.key), row.id, row.sealed).name
            mac = None if name is None else ring.name_mac(row.collection_id, name)
            changed.append({"who": row.id, "wrapped": ring.wrap(key, row.id), "mac": mac})
        writing.connection.execute(update, changed)
        count, last = count + len(rows), rows[-1].id


def _wrap_documents(writing: Writing, ring: KeyRing) -> None:
    here = writing.connection
    for row in here.execute(sa.select(DOCUMENT.c.id, DOCUMENT.c.key)).all():
        key = rewrap_document_key(writing.ring, ring, row.id, row.key)
        here.execute(DOCUMENT.update().where(DOCUMENT.c.id == row.id).values(key=key))


def _seal_rest(writing: Writing, ring: KeyRing) -> None:
    """Seal anew the names of API keys and what was answered lately; by what these are found stays."""
    here = writing.connection
    for row in here.execute(sa.select(API_KEY.c.id, API_KEY.c.sealed)).all():
        name = seal_key_name(ring, row.id, open_key_name(writing.ring, row.id, row.sealed))
        here.execute(API_KEY.update().where(API_KEY.c.id == row.id).values(sealed=name))
    answered = sa.select(ANSWER.c.mac, ANSWER.c.sealed).where(ANSWER.c.sealed.is_not(None))
    for row in here.execute(answered).all():
        answer = seal_answer(ring, row.mac, open_answer(writing.ring, row.mac, row.sealed))
        here.execute(ANSWER.update().where(ANSWER.c.mac == row.mac).values(sealed=answer))
