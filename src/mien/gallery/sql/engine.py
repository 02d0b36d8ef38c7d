"""Connections to SQLite and PostgreSQL, set up so that what is acknowledged is on the disk.

SQLite: write-ahead log, `synchronous=FULL` (each commit is synced: it survives a power failure), deleted
bytes overwritten with zeros (`secure_delete`), foreign keys held. PostgreSQL: its default
`synchronous_commit=on`. Only notes about searches are written more lightly; they survive the end of the
process, and the last of them may be lost when the power fails.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from mien.errors import (
    BadRequest,
    ExtraMissing,
    GalleryError,
    MienError,
    StoreCorrupt,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)

MEMORY = "memory"
# How long a writer waits for its turn.
WAIT_S = 30.0
_PRAGMAS = (
    "synchronous=FULL",
    "secure_delete=ON",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "temp_store=MEMORY",
)
# Who is going to write says so at once: a reader that turns writer could not wait for its turn.
_BEGIN = {
    "outside": (),
    "reads": ("BEGIN",),
    "writes": ("PRAGMA synchronous=FULL", "BEGIN IMMEDIATE"),
    "light": ("PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE"),
}
# What SQLite and PostgreSQL call what happened: result code or SQLSTATE (by their beginnings).
_SQLITE: dict[str, type[GalleryError]] = {
    "SQLITE_FULL": StoreFull,
    "SQLITE_READONLY": StoreReadOnly,
    "SQLITE_CANTOPEN": StoreReadOnly,
    "SQLITE_PERM": StoreReadOnly,
    "SQLITE_BUSY": StoreLocked,
    "SQLITE_LOCKED": StoreLocked,
    "SQLITE_CORRUPT": StoreCorrupt,
    "SQLITE_NOTADB": StoreCorrupt,
    "SQLITE_ERROR": StoreCorrupt,  # our statements never change: it lacks a table, or a column
    "SQLITE_IOERR_READ": StoreCorrupt,
    "SQLITE_IOERR_SHORT_READ": StoreCorrupt,
    "SQLITE_IOERR_CORRUPTFS": StoreCorrupt,
    "SQLITE_IOERR": StoreFull,
}
_POSTGRES: dict[str, type[GalleryError]] = {
    "53": StoreFull,
    "58": StoreFull,
    "25006": StoreReadOnly,
    "42501": StoreReadOnly,
    "55P03": StoreLocked,
    "57014": StoreLocked,
    "40": StoreLocked,
    "XX": StoreCorrupt,
    "42P01": StoreCorrupt,
    "42703": StoreCorrupt,
    "28": StoreUnreachable,
    "3D000": StoreUnreachable,
    "08": StoreUnreachable,
    "57P": StoreUnreachable,
}


def connect(address: str, *, read_only: bool = False, wait_s: float = WAIT_S) -> Engine:
    """Make the engine of a store; nothing is opened yet.

    Args:
        address: The path of a SQLite file, `memory`, or `postgresql://user:password@host/database`.
        read_only: Refuse every write.
        wait_s: How long a writer waits for its turn.

    Raises:
        BadRequest: It is no such address.
        ExtraMissing: PostgreSQL needs the extra `mien[postgres]`.
    """
    if address == MEMORY:
        return _sqlite("sqlite://", wait_s, poolclass=StaticPool)
    if "://" not in address:
        if read_only and not Path(address).exists():
            raise StoreCorrupt(f"{address} is not there.", hint="Check the path.")
        mode = "ro" if read_only else "rwc"
        url = URL.create("sqlite", database=f"file:{_quoted(address)}", query={"mode": mode, "uri": "true"})
        return _sqlite(url, wait_s)
    return _postgres(address, wait_s, read_only=read_only)


def _quoted(path: str) -> str:
    return str(Path(path).absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _sqlite(url: str | URL, wait_s: float, **options: Any) -> Engine:  # noqa: ANN401 - as create_engine
    engine = sa.create_engine(
        url, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": wait_s}, **options
    )

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, so that reading has a snapshot too
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    for statement in _BEGIN[connection.get_execution_options().get("mien_way", "reads")]:
        connection.exec_driver_sql(statement)


def _postgres(address: str, wait_s: float, *, read_only: bool) -> Engine:
    try:
        url = sa.make_url(address)
    except (SQLAlchemyError, ValueError):
        # What SQLAlchemy says may quote the password.
        raise BadRequest("The address of the store is none.", hint=_EXAMPLE) from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise BadRequest(f"A store cannot be at {url.get_backend_name()}://.", hint=_EXAMPLE)
    options = f"-c lock_timeout={wait_s * 1000:.0f}"
    if read_only:
        options += " -c default_transaction_read_only=on"
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            max_overflow=50,
            hide_parameters=True,  # an error must not quote a template
            connect_args={"options": options, "connect_timeout": 10},
        )
    except ModuleNotFoundError as error:
        raise ExtraMissing.of("postgres", "A store on PostgreSQL needs psycopg.") from error


_EXAMPLE = "A file such as people.db, or postgresql://user@host/database."


def keep_log(engine: Engine) -> None:
    """Give a SQLite file its write-ahead log; for good, so that it is done only to a file that is ours."""
    with engine.connect().execution_options(mien_way="outside") as connection:
        if connection.exec_driver_sql("PRAGMA journal_mode").scalar() in {"wal", "memory"}:
            return
        with suppress(OperationalError):  # somebody uses it, without a log; there is a next time
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def one_file(engine: Engine) -> None:
    """Tidy the log of a SQLite file away for good. Raises OperationalError if others have it open."""
    with engine.connect().execution_options(mien_way="outside") as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")


def is_sqlite(engine: Engine) -> bool:
    """Whether the store is a file, or memory, of this process."""
    return engine.dialect.name == "sqlite"


def shown(engine: Engine) -> str:
    """How messages call the store: without a password."""
    if not is_sqlite(engine):
        return engine.url.render_as_string(hide_password=True).replace("+psycopg", "")
    return (engine.url.database or MEMORY).removeprefix("file:")


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Turn what a database raises into errors of the gallery; the transaction has been rolled back.

    Raises:
        GalleryError: As the database says: full, locked, damaged, read-only, unreachable.
    """
    try:
        yield
    except MienError:
        raise
    except sa.exc.TimeoutError as error:
        raise StoreLocked(f"The store {name} is used by too many threads at once.") from error
    except (OperationalError, DatabaseError) as error:
        kind, said = _kind(error)
        raise kind(f"The store {name}: {said}.") from error


@contextmanager
def refusing_disk(path: Path) -> Iterator[None]:
    """Turn what a disk refuses while files are written into errors of the gallery.

    Raises:
        StoreFull: There is no room.
        StoreReadOnly: It cannot be written for another reason.
    """
    try:
        yield
    except OSError as error:
        kind = StoreFull if error.errno in {errno.ENOSPC, errno.EDQUOT} else StoreReadOnly
        raise kind(f"{path} cannot be written: {error.strerror or error}.") from error


def _kind(error: DBAPIError) -> tuple[type[GalleryError], str]:
    origin = error.orig
    # The first line only: the rest may quote values.
    said = (str(origin).strip().splitlines() or ["no reason given"])[0].rstrip(".")
    if name := getattr(origin, "sqlite_errorname", None):
        return _first(_SQLITE, name), said
    if state := getattr(origin, "sqlstate", None):
        return _first(_POSTGRES, state), said
    if isinstance(origin, sqlite3.OperationalError):
        # Python's own: what should be text is none. It quotes the value.
        return StoreCorrupt, "a value is not of the kind that it was"
    return StoreUnreachable, said


def _first(table: dict[str, type[GalleryError]], code: str) -> type[GalleryError]:
    return next((kind for beginning, kind in table.items() if code.startswith(beginning)), GalleryError)
