"""Copies of a store that can be put back.

A copy is a store itself, in one SQLite file, whatever the store is kept in: the rows as they are, sealed as
they are, of one moment, while others go on writing. The store remembers where its copies lie, and forgetting
somebody forgets in them too. Documents and API keys are part of a copy; what was answered to requests
lately is not.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mien.errors import BadRequest, MienError, StoreCorrupt, StoreLocked
from mien.gallery.checking import check
from mien.gallery.forgetting import backups_of, disown, forget_in_copy
from mien.gallery.opening import exists
from mien.gallery.sql.engine import MEMORY, connect, is_sqlite, one_file, refusing, refusing_disk, shown
from mien.gallery.sql.migrating import SCHEMA, known_revision, migrate, revision
from mien.gallery.sql.schema import ANSWER, ATTACHMENT, BACKUP, COLLECTION, METADATA, STORE
from mien.gallery.store import audit
from mien.gallery.store.forgotten import forget_again, forgotten_ids, remember_forgotten
from mien.gallery.store.reading import ids_of_people
from mien.gallery.store.sealed import new_index_key
from mien.gallery.store.store import Reading, Store, Writing, make_file
from mien.gallery.vault.master import MasterKey
from mien.packs.disk import sync_folder

# Rows that are read at a time; photographs are larger than all else.
_PORTION, _PHOTOGRAPHS = 2_000, 8


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
        raise _there(file)
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    with _tidied(unfinished), refusing_disk(file):
        target.parent.mkdir(parents=True, exist_ok=True)
        make_file(unfinished)
        copy = connect(str(unfinished))
        try:
            with store.reading() as snapshot, _filling(copy) as connection:
                before = forgotten_ids(snapshot)
                _copy(snapshot, connection)
        finally:
            copy.dispose()
        remember(store, [target])  # before it is there: no copy is ever unknown
        try:
            _name(unfinished, target)
        except BaseException:
            with suppress(MienError):
                disown(store, str(target))
            raise
        sync_folder(target.parent)
    with store.reading() as snapshot:
        after = forgotten_ids(snapshot)
    if after - before:  # meanwhile, when nobody knew of the copy yet
        forget_in_copy(str(target), store)


def _name(unfinished: Path, target: Path) -> None:
    try:
        os.link(unfinished, target)  # unlike a renaming, this never replaces a file
    except FileExistsError as error:
        raise _there(target) from error
    except OSError as error:  # disks of cameras and other systems have no links
        if target.exists():
            raise _there(target) from error
        unfinished.rename(target)


def _there(file: Path) -> BadRequest:
    return BadRequest(f"{file} is there already.", hint="Give another name; copies are never overwritten.")


@contextmanager
def _tidied(unfinished: Path) -> Iterator[None]:
    """Leave no unfinished copy, nor a log of it."""
    try:
        yield
    finally:
        for left in _with_logs(unfinished):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _with_logs(file: Path) -> list[Path]:
    """A SQLite file and what may lie beside it."""
    return [file.with_name(file.name + end) for end in ("", "-wal", "-shm", "-journal")]


def remember(store: Store, files: Iterable[Path], action: str = "backed up") -> None:
    """Note where copies lie, so that people are forgotten there too."""
    with store.writing() as writing:
        known = set(writing.connection.execute(sa.select(BACKUP.c.path)).scalars())
        new = sorted({str(file.absolute()) for file in files} - known)
        if new:
            moment = audit.now()
            writing.connection.execute(BACKUP.insert(), [{"path": one, "created": moment} for one in new])
        writing.note(action)


def restore(
    file: Path, address: str, master: MasterKey, *, forgotten: frozenset[str] = frozenset()
) -> Restored:
    """Put a copy back, as a new store, in one transaction.

    API keys are as they were then: secrets that were exchanged since are valid again.

    Args:
        file: The copy; every value in it is opened first.
        address: Where the store is to be; there must be none.
        master: The key of the copy.
        forgotten: Whom the present store has forgotten since: they are forgotten again; see
            `mien.gallery.store.forgotten.forgotten_ids`.

    Raises:
        StoreCorrupt: The copy is damaged; nothing was written.
        KeyWrong: It has another key.
        BadRequest: There is a store already.
        GalleryError: The place cannot be written.
    """
    if address == MEMORY:
        raise BadRequest("A copy is restored into a file or a database.")
    with _opened(file, master) as copy:
        if problems := check(copy).problems:
            raise StoreCorrupt(f"{file} is damaged: {problems[0]}", hint="Use an older copy.")
        engine = connect(address)
        if is_sqlite(engine):
            make_file(Path(address))
        try:
            with copy.reading() as snapshot, _filling(engine) as connection:
                if revision(connection) is not None:
                    raise BadRequest(f"There is a store at {shown(engine)}.", hint="Move it away first.")
                _copy(snapshot, connection)
                row = connection.execute(sa.select(STORE)).one()
                end = audit.End(row.audit_seq, row.audit_mac)
                writing = Writing(connection, snapshot.ring, row.change + 1, end, copy.actor)
                done = _settle(writing, forgotten)
                writing.finish()
        finally:
            engine.dispose()
    return done


@contextmanager
def _opened(file: Path, master: MasterKey) -> Iterator[Store]:
    """Open a copy without changing it; of one that an older version made, another is migrated."""
    engine = connect(str(file), read_only=True)
    try:
        with refusing(shown(engine)), engine.connect() as connection:
            present = known_revision(connection)
    finally:
        engine.dispose()
    if present is None:
        raise StoreCorrupt(f"{file} is empty.", hint="Use another copy.")
    if present == SCHEMA:
        with Store(str(file), master, read_only=True) as copy:
            yield copy
        return
    with tempfile.TemporaryDirectory() as folder, refusing_disk(file):
        newer = Path(folder) / "copy.db"
        shutil.copyfile(file, newer)
        with Store(str(newer), master) as copy:
            yield copy


def put_back(file: Path, address: str, master: MasterKey) -> tuple[Restored, Path | None]:
    """Restore a copy in the place of a store; the file that is there is moved aside first.

    What is moved aside counts as a copy from then on: who is forgotten is forgotten there too.

    Returns:
        What was restored, and where the file is that was there; None if there was none.

    Raises:
        BadRequest: There is a store on a server, which cannot be moved.
        StoreLocked: Another process has the store open.
        GalleryError: As `restore`; what was there is where it was.
    """
    forgotten, copies, change = frozenset[str](), tuple[str, ...](), None
    with suppress(StoreCorrupt):  # a store that is damaged is what copies are for
        if exists(address):
            with Store(address, master) as present:
                with present.reading() as snapshot:
                    forgotten, change = forgotten_ids(snapshot), snapshot.change
                copies = backups_of(present)
                if present.file is not None:
                    with refusing(present.name):
                        one_file(present.engine)
    here = Path(address)
    if "://" in address or not here.exists():
        return restore(file, address, master, forgotten=forgotten), None
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = here.with_name(f"{here.stem}-before-{moment}{here.suffix}")
    unfinished = here.with_name(f".{here.name}.{uuid.uuid4().hex}")
    # The new one is whole before the old one goes: there is never none, which would be made anew.
    with _tidied(unfinished), refusing_disk(here):
        done = restore(file, str(unfinished), master, forgotten=forgotten)
        _move(here, aside)
        if change is not None and not _unchanged(aside, master, change):
            _move(aside, here)
            raise StoreLocked(f"Another process changed {here} meanwhile.", hint="Stop it, then repeat.")
        unfinished.rename(here)
        sync_folder(here.parent)
    with Store(address, master) as store:
        remember(store, [aside, *map(Path, copies)], "moved aside")
    return done, aside


def _unchanged(file: Path, master: MasterKey, change: int) -> bool:
    with Store(str(file), master) as aside:
        same = aside.change == change
        with refusing(aside.name):
            one_file(aside.engine)
    return same


def _move(file: Path, to: Path) -> None:
    """Move a SQLite file and its log, without which it would not be what it was."""
    for old, new in zip(_with_logs(file), _with_logs(to), strict=True):
        if old.exists():
            old.rename(new)


def _settle(writing: Writing, forgotten: frozenset[str]) -> Restored:
    """Forget again."""
    again, _ = forget_again(writing, forgotten)
    remember_forgotten(writing, forgotten)
    left = len(ids_of_people(writing))
    writing.note("restored", people=left, forgotten=list(again))
    return Restored(left, len(again))


@contextmanager
def _filling(engine: Engine) -> Iterator[Connection]:
    """One transaction that fills a database."""
    with refusing(shown(engine)), engine.connect() as plain:
        connection = plain.execution_options(mien_way="writes")
        with connection.begin():
            yield connection


def _copy(snapshot: Reading, target: Connection) -> None:
    """Copy all rows into an empty database; only keys of saved indexes are new, for these are not copied."""
    migrate(target)
    for table in METADATA.sorted_tables:
        if table is ANSWER:
            continue  # of a day, and nobody repeats a request to a copy
        size = _PHOTOGRAPHS if table is ATTACHMENT else _PORTION
        rows = snapshot.connection.execute(sa.select(table).execution_options(yield_per=size))
        for portion in rows.mappings().partitions(size):
            new = [dict(row) for row in portion]
            if table is COLLECTION:
                new = [row | {"index_key": new_index_key(snapshot.ring, row["id"])} for row in new]
            target.execute(table.insert(), new)
