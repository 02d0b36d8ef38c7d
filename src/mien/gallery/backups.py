"""Copies of a store that can be put back.

A copy is a store itself, in one SQLite file, whatever the store is kept in: the rows as they are, sealed as
they are, of one moment, while others go on writing. The store remembers where its copies lie, and forgetting
somebody forgets in them too.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mien.errors import BadRequest, StoreCorrupt, StoreFull
from mien.gallery.checking import check
from mien.gallery.forgetting import one_file
from mien.gallery.opening import exists
from mien.gallery.sql.engine import connect, refusing, shown
from mien.gallery.sql.migrating import migrate, revision
from mien.gallery.sql.schema import BACKUP, COLLECTION, FORGOTTEN, METADATA, PERSON
from mien.gallery.store import audit
from mien.gallery.store.dropping import drop_person
from mien.gallery.store.reading import collections, ids_of_people
from mien.gallery.store.store import Store
from mien.gallery.vault.master import MasterKey
from mien.gallery.vault.sealing import new_key
from mien.packs import disk

_PORTION = 2_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back.

    Attributes:
        people: How many are there now.
        forgotten: How many the copy still had who were forgotten since.
    """

    people: int
    forgotten: int


def back_up(store: Store, file: Path) -> None:
    """Copy a store into a file while it is in use.

    Raises:
        BadRequest: The file is there already.
        GalleryError: The store cannot be read, or the file not be written.
    """
    target = file.absolute()
    if target.exists():
        raise BadRequest(f"{file} is there already.", hint="Give another name; copies are never overwritten.")
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    with _tidied(unfinished), disk.writing(file, StoreFull):
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = connect(str(unfinished))
        try:
            with store.reading() as snapshot:
                _copy(snapshot.connection, copy)
            with refusing(str(file)):
                one_file(copy)
        finally:
            copy.dispose()
        os.link(unfinished, target)  # unlike a renaming, this never replaces a file
        disk.sync_folder(target.parent)
    remember(store, target)


@contextmanager
def _tidied(unfinished: Path) -> Iterator[None]:
    """Leave no unfinished copy, nor a log of it."""
    try:
        yield
    finally:
        for left in unfinished.parent.glob(f"{unfinished.name}*"):
            left.unlink(missing_ok=True)


def remember(store: Store, file: Path, action: str = "backed up") -> None:
    """Note where a copy lies, so that people are forgotten there too."""
    with store.writing() as writing:
        path = str(file.absolute())
        if path not in writing.connection.execute(sa.select(BACKUP.c.path)).scalars().all():
            writing.connection.execute(BACKUP.insert(), {"path": path, "created": audit.now()})
        writing.note(action)


def forgotten_by(store: Store) -> frozenset[str]:
    """Identifiers of everybody whom a store has forgotten."""
    with store.reading() as snapshot:
        return frozenset(snapshot.connection.execute(sa.select(FORGOTTEN.c.person_id)).scalars())


def restore(
    file: Path, address: str, master: MasterKey, *, forgotten: frozenset[str] = frozenset()
) -> Restored:
    """Put a copy back, as a new store.

    Args:
        file: The copy; every value in it is opened first.
        address: Where the store is to be; there must be none.
        master: The key of the copy.
        forgotten: Whom the present store has forgotten since: they are forgotten again.

    Raises:
        StoreCorrupt: The copy is damaged; nothing was written.
        KeyWrong: It has another key.
        BadRequest: There is a store already.
        GalleryError: The place cannot be written.
    """
    with Store(str(file), master, read_only=True) as copy:
        if problems := check(copy).problems:
            raise StoreCorrupt(f"{file} is damaged: {problems[0]}", hint="Use an older copy.")
        engine = connect(address)
        try:
            with refusing(shown(engine)):
                with engine.connect() as connection:
                    if revision(connection) is not None:
                        raise BadRequest(f"There is a store at {shown(engine)}.", hint="Move it away first.")
                with copy.reading() as snapshot:
                    _copy(snapshot.connection, engine)
        finally:
            engine.dispose()
    with Store(address, master) as store:
        return _settle(store, forgotten)


def put_back(file: Path, address: str, master: MasterKey) -> tuple[Restored, Path | None]:
    """Restore a copy in the place of a store; the file that is there is moved aside first.

    What is moved aside counts as a copy from then on: who is forgotten is forgotten there too.

    Returns:
        What was restored, and where the file is that was there; None if there was none.

    Raises:
        BadRequest: There is a store on a server, which cannot be moved.
        GalleryError: As `restore`; what was there is back in its place.
    """
    forgotten = frozenset[str]()
    with suppress(StoreCorrupt):  # a store that is damaged is what copies are for
        if exists(address):
            with Store(address, master) as present:
                forgotten = forgotten_by(present)
    here = Path(address)
    if "://" in address or not here.exists():
        return restore(file, address, master, forgotten=forgotten), None
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = here.with_name(f"{here.stem}-before-{moment}{here.suffix}")
    here.rename(aside)
    try:
        done = restore(file, address, master, forgotten=forgotten)
    except BaseException:
        here.unlink(missing_ok=True)
        aside.rename(here)
        raise
    with Store(address, master) as store:
        remember(store, aside, "moved aside")
    return done, aside


def _settle(store: Store, forgotten: frozenset[str]) -> Restored:
    """Forget again, and let no index that was saved before open."""
    with store.writing() as writing:
        again = ids_of_people(writing) & forgotten
        for collection in collections(writing):
            here = ids_of_people(writing, collection.id)
            for person in sorted(here & again):
                drop_person(writing, collection, person)
            key = writing.ring.wrap(new_key(), f"index|{collection.id}")
            writing.connection.execute(
                COLLECTION.update().where(COLLECTION.c.id == collection.id).values(index_key=key)
            )
        known = set(writing.connection.execute(sa.select(FORGOTTEN.c.person_id)).scalars())
        rows = [{"person_id": person, "time": audit.now()} for person in sorted(forgotten - known)]
        if rows:
            writing.connection.execute(FORGOTTEN.insert(), rows)
        left = writing.connection.execute(sa.select(sa.func.count()).select_from(PERSON)).scalar_one()
        writing.note("restored", people=left, forgotten=sorted(again))
    return Restored(left, len(again))


def _copy(source: Connection, target: Engine) -> None:
    """Copy all rows into an empty database, in one transaction."""
    writes = target.connect().execution_options(mien_way="writes")
    with refusing(shown(target)), writes as connection, connection.begin():
        migrate(connection)
        for table in METADATA.sorted_tables:
            rows = source.execution_options(yield_per=_PORTION).execute(sa.select(table))
            for portion in rows.mappings().partitions(_PORTION):
                connection.execute(table.insert(), [dict(row) for row in portion])
