"""Forget people: their keys are destroyed, what they sealed is deleted and overwritten, backups are scrubbed.

What a deleted key sealed cannot be read by anybody, wherever a copy of the ciphertext may linger
(crypto-shredding, NIST SP 800-88 rev. 1). SQLite overwrites deleted bytes with zeros, its file is rewritten
and its write-ahead log is emptied at once. PostgreSQL rewrites the tables that held keys; what these sealed
stays in the files of other tables, unreadable, until they are vacuumed. Its own log keeps the wrapped key
until the server recycles it, readable only with the master key: exchange that (`mien gallery rotate`) to
close this window too.

Photographs and pictures of somebody that are attached to documents are sealed by the key of the document,
which stays. They are deleted and overwritten likewise; on PostgreSQL all tables with anything of the kind are
rewritten, and its log keeps them until it is recycled, readable only with the master key.

Backups are of an earlier moment. In them everybody is forgotten who was merged into somebody who is, and
every face that came to be such a person's; also whom an earlier attempt did not reach.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from mien.errors import BadRequest, CollectionUnknown, GalleryError, StoreCorrupt, StoreLocked
from mien.gallery.on_server import drop_on_server, forget_on_server
from mien.gallery.sql.engine import is_sqlite, one_file, refusing
from mien.gallery.sql.schema import ANSWER, ATTACHMENT, BACKUP, COLLECTION, DOCUMENT, PERSON, STORE
from mien.gallery.store import answered, audit, documents
from mien.gallery.store.attachments import detach_people
from mien.gallery.store.dropping import drop_collection_row, drop_person
from mien.gallery.store.forgotten import forget_again, forgotten_ids, made_of, remember_forgotten
from mien.gallery.store.reading import (
    collection_named,
    collections,
    expired,
    ids_of_faces,
    ids_of_people,
)
from mien.gallery.store.records import Collection
from mien.gallery.store.store import Store, Writing

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
    store: Store,
    collection: Collection,
    choose: Callable[[Writing], Sequence[str]],
    *,
    action: str = "forgot",
) -> Forgotten:
    """Forget people in a store and in its backups; see above. Saved indexes no longer open.

    Args:
        store: Where they are kept.
        collection: Whose people.
        choose: Says whom, by identifier, within the transaction that forgets them: nobody can be merged, and
            no consent be renewed, in between.
        action: What the audit log calls it.

    Raises:
        StoreLocked: They are forgotten, but another process reads the store without end, so that traces of
            what was sealed still lie in its log. Forgetting anybody, or closing the store, empties it.
    """
    with store.writing() as writing:
        chosen = choose(writing)
        faces = _forget(writing, collection, chosen, action) if chosen else 0
    return forgotten_elsewhere(store, collection, chosen, faces) if chosen else Forgotten((), 0)


def forgotten_elsewhere(store: Store, collection: Collection, people: Sequence[str], faces: int) -> Forgotten:
    """Wipe what is left of people who were forgotten: in the server's index, in copies, in the log."""
    if not is_sqlite(store.engine):
        forget_on_server(store, collection, people)
    return _wiped(store, people, faces)


def drop_collection(store: Store, collection: Collection) -> Forgotten:
    """Forget everybody in a collection as `forget_everywhere` does, and delete it with its documents.

    Somebody who was in it when a backup was made and is in another collection now stays in that backup.

    Raises:
        CollectionUnknown: It is not there any more.
        StoreLocked: As `forget_everywhere`.
    """
    with store.writing() as writing:
        if collection_named(writing, collection.name).id != collection.id:
            raise CollectionUnknown(f"The collection {collection.name!r} is another now.")
        people = sorted(ids_of_people(writing, collection.id))
        faces = _forget(writing, collection, people, "forgot") if people else 0
        remember_forgotten(writing, [collection.id, *documents.ids_about(writing, collection.id)])
        drop_collection_row(writing, collection)
        writing.note("dropped collection", collection.id)
    if not is_sqlite(store.engine):
        drop_on_server(store, collection)
    return _wiped(store, people, faces)


def forget_documents(store: Store, ids: Sequence[str], *, action: str = "deleted") -> Forgotten:
    """Delete documents for good, with their keys and all that is attached to them, here and in backups.

    It takes as long as forgetting somebody: many documents at once are better than one after the other.

    Args:
        store: Where they are kept.
        ids: Which; those that are not there are left out.
        action: What the audit log calls it.

    Raises:
        StoreLocked: As `forget_everywhere`.
    """
    with store.writing(counted=False) as writing:
        gone = documents.delete(writing, ids)
        remember_forgotten(writing, gone)
        if gone:
            writing.note(action, documents=gone)
    if not gone:
        return Forgotten((), 0)
    return _wiped(store, (), 0)


def _wiped(store: Store, people: Sequence[str], faces: int) -> Forgotten:
    """What was forgotten in a store, after it was forgotten in copies too and its traces were wiped."""
    reached, unreached = [], []
    for path in backups_of(store):
        try:
            forget_in_copy(path, store)
        except GalleryError:
            unreached.append(path)
        else:
            reached.append(path)
    scrub(store)  # last: somebody may make it fail, and backups must not wait
    return Forgotten(tuple(people), faces, tuple(reached), tuple(unreached))


def _forget(writing: Writing, collection: Collection, people: Sequence[str], action: str) -> int:
    """Forget people in a store; how many faces they had."""
    faces = [face for person in people for face in ids_of_faces(writing, collection.id, person=person)]
    everybody = {*people, *made_of(writing, people)}
    remember_forgotten(writing, {*everybody, *faces})
    detach_people(writing, everybody)
    answered.wipe(writing)
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
    day = today or audit.today()
    done = [forget_everywhere(store, one, lapsed_on(day, one), action="swept") for one in wanted]
    return Forgotten(
        tuple(person for one in done for person in one.people),
        sum(one.faces for one in done),
        tuple(sorted({path for one in done for path in one.backups})),
        tuple(sorted({path for one in done for path in one.unreached})),
    )


def lapsed_on(day: date, collection: Collection) -> Callable[[Writing], Sequence[str]]:
    """Says whose consent has run out on a day; for `forget_everywhere`."""
    return lambda writing: [person for _, person in expired(writing, day, collection.id)]


@contextmanager
def opened_copy(path: str, store: Store) -> Iterator[Store]:
    """Open a copy of a store to change it, and leave it as one file again, without a log beside it.

    Raises:
        GalleryError: It cannot be opened.
    """
    if not Path(path).exists():
        raise StoreCorrupt(f"{path} is not there.")  # opening it would make a new one
    with Store(path, store.master, actor=store.actor) as copy:
        yield copy
        with refusing(copy.name):
            one_file(copy.engine)


def backups_of(store: Store) -> tuple[str, ...]:
    """Where copies of a store lie, as far as it knows; some may be on a disk that is not there now."""
    with store.reading() as snapshot:
        query = sa.select(BACKUP.c.path).order_by(BACKUP.c.created)
        return tuple(snapshot.connection.execute(query).scalars())


def disown(store: Store, path: str) -> None:
    """Take a copy off the list, because it was deleted.

    Raises:
        BadRequest: The store knows of no such copy, or it is still there.
    """
    if Path(path).exists():
        raise BadRequest(f"{path} is still there.", hint="Delete it first.")
    with store.writing() as writing:
        gone = writing.connection.execute(BACKUP.delete().where(BACKUP.c.path == path))
        if not gone.rowcount:
            raise BadRequest(f"No backup at {path} is known.", hint="Known ones: mien gallery info")
        writing.note("disowned a backup")


def scrub(store: Store) -> None:
    """Leave no trace of deleted keys: rewrite the file of SQLite and empty its log, or PostgreSQL's tables.

    That takes as long as reading the store and writing it again.

    Raises:
        StoreLocked: Another process kept reading for half a minute.
    """
    with refusing(store.name):
        if not is_sqlite(store.engine):
            with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                # The first waits for everybody who still reads the store as it was: readers begin there.
                for table in (STORE, PERSON, COLLECTION, DOCUMENT, ATTACHMENT, ANSWER):
                    connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
            return
        if store.file is None:
            return  # memory has no log
        with store.engine.connect().execution_options(mien_way="outside") as connection:
            # Pages whose rows were moved keep copies of them between the rows, which nothing else overwrites.
            # On the disk, not in memory, for the new file is as large as the old one; sealed either way.
            for statement in ("PRAGMA temp_store=FILE", "VACUUM", "PRAGMA temp_store=MEMORY"):
                connection.exec_driver_sql(statement)
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            with store.engine.connect().execution_options(mien_way="outside") as connection:
                busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            if not busy:
                return
            time.sleep(_PAUSE_S)
    raise StoreLocked(f"Another process keeps reading {store.name}: its log could not be emptied.")
