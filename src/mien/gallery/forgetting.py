"""Forget people: their keys are destroyed, what they sealed is deleted and overwritten, backups are scrubbed.

What a deleted key sealed cannot be read by anybody, wherever a copy of the ciphertext may linger
(crypto-shredding, NIST SP 800-88 rev. 1). SQLite overwrites deleted bytes with zeros and its write-ahead log
is emptied at once. PostgreSQL rewrites the tables that held keys; what these sealed stays in the files of
other tables, unreadable, until they are vacuumed. Its own log keeps the wrapped key until the server recycles
it, readable only with the master key: exchange that (`mien gallery rotate`) to close this window too.

Backups are of an earlier moment. In them everybody is forgotten who was merged into somebody who is, and
every face that came to be such a person's; also whom an earlier attempt did not reach.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from mien.errors import GalleryError, StoreLocked
from mien.gallery.on_server import forget_on_server
from mien.gallery.sql.engine import is_sqlite, one_file, refusing
from mien.gallery.sql.schema import BACKUP, COLLECTION, PERSON, STORE
from mien.gallery.store.dropping import drop_person
from mien.gallery.store.forgotten import forget_again, forgotten_ids, made_of, remember_forgotten
from mien.gallery.store.reading import collection_named, collections, expired, ids_of_faces
from mien.gallery.store.records import Collection
from mien.gallery.store.store import Store

_PATIENCE_S = 30.0
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten.

    Attributes:
        people: Identifiers.
        faces: How many faces they had.
        backups: Backups in which they were forgotten too.
        unreached: Backups that are known and could not be opened: they still hold these people.
    """

    people: tuple[str, ...]
    faces: int
    backups: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()


def forget_everywhere(
    store: Store, collection: Collection, people: Sequence[str], *, action: str = "forgot"
) -> Forgotten:
    """Forget people in a store and in its backups, by identifier; see above. Saved indexes no longer open.

    Raises:
        StoreLocked: They are forgotten, but another process reads the store without end, so that traces of
            what was sealed still lie in its log. Forgetting anybody, or closing the store, empties it.
    """
    people = tuple(dict.fromkeys(people))
    faces = _forget(store, collection, people, action)
    if not is_sqlite(store.engine):
        forget_on_server(store, collection, people)
    reached, unreached = [], []
    for path in backups_of(store):
        try:
            forget_in_copy(path, store)
        except GalleryError:
            unreached.append(path)
        else:
            reached.append(path)
    scrub(store)  # last: somebody may make it fail, and backups must not wait
    return Forgotten(people, faces, tuple(reached), tuple(unreached))


def _forget(store: Store, collection: Collection, people: Sequence[str], action: str) -> int:
    """Forget people in a store; how many faces they had."""
    with store.writing() as writing:
        faces = [face for person in people for face in ids_of_faces(writing, collection.id, person=person)]
        remember_forgotten(writing, {*people, *made_of(writing, people), *faces})
        for person in people:
            drop_person(writing, collection, person)
        writing.note(action, collection.id, people=list(people), faces=len(faces))
    return len(faces)


def forget_in_copy(path: str, store: Store) -> None:
    """Forget in a copy everybody whom a store has forgotten.

    Raises:
        GalleryError: It cannot be opened or written.
    """
    with store.reading() as snapshot:
        ids = forgotten_ids(snapshot)
    with opened_copy(path, store) as copy:
        with copy.writing() as writing:
            people, faces = forget_again(writing, ids)
            remember_forgotten(writing, ids)
            if people or faces:
                writing.note("forgot", people=list(people), faces=faces)
        scrub(copy)


def sweep(store: Store, collection: str | None = None, today: date | None = None) -> Forgotten:
    """Forget everybody whose consent has run out, in one collection or in all.

    Args:
        store: Where they are kept.
        collection: Its name; None: all of them.
        today: Consent lasts through its last day; None: today, in UTC.

    Raises:
        CollectionUnknown: There is none of that name.
        StoreLocked: As `forget_everywhere`.
    """
    with store.reading() as snapshot:
        wanted = collections(snapshot) if collection is None else (collection_named(snapshot, collection),)
        lapsed = {one.id: expired(snapshot, today or datetime.now(UTC).date(), one.id) for one in wanted}
    done = [
        forget_everywhere(store, one, [person for _, person in lapsed[one.id]], action="swept")
        for one in wanted
        if lapsed[one.id]
    ]
    return Forgotten(
        tuple(person for one in done for person in one.people),
        sum(one.faces for one in done),
        tuple(sorted({path for one in done for path in one.backups})),
        tuple(sorted({path for one in done for path in one.unreached})),
    )


@contextmanager
def opened_copy(path: str, store: Store) -> Iterator[Store]:
    """Open a copy of a store to change it, and leave it as one file again, without a log beside it.

    Raises:
        GalleryError: It cannot be opened.
    """
    with Store(path, store.master, actor=store.actor) as copy:
        yield copy
        with refusing(copy.name):
            one_file(copy.engine)


def backups_of(store: Store) -> tuple[str, ...]:
    """Backups that were made of a store and are still there."""
    with store.reading() as snapshot:
        paths = snapshot.connection.execute(sa.select(BACKUP.c.path).order_by(BACKUP.c.created)).scalars()
        return tuple(path for path in paths if Path(path).exists())


def scrub(store: Store) -> None:
    """Leave no trace of deleted keys: empty the log of SQLite, rewrite PostgreSQL's tables that hold them.

    Raises:
        StoreLocked: Another process kept reading for half a minute.
    """
    with refusing(store.name):
        if not is_sqlite(store.engine):
            with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for table in (PERSON, COLLECTION, STORE):
                    connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
            return
        if store.file is None:
            return  # memory has no log
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            with store.engine.connect().execution_options(mien_way="outside") as connection:
                busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            if not busy:
                return
            time.sleep(_PAUSE_S)
    raise StoreLocked(f"Another process keeps reading {store.name}: its log could not be emptied.")
