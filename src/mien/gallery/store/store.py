"""The store: the truth about who is known, on SQLite or PostgreSQL; everything else is derived from it."""

from __future__ import annotations

import getpass
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mien.errors import StoreCorrupt, StoreReadOnly
from mien.gallery.sql.engine import (
    MEMORY,
    WAIT_S,
    connect,
    is_sqlite,
    keep_log,
    refusing,
    refusing_disk,
    shown,
)
from mien.gallery.sql.migrating import SCHEMA, known_revision, migrate, revision
from mien.gallery.sql.schema import STORE
from mien.gallery.store import audit
from mien.gallery.store.identifiers import fresh
from mien.gallery.vault.keyring import KeyRing, SealedRing, make_ring, open_ring
from mien.gallery.vault.master import MasterKey


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot of the store.

    Attributes:
        connection: Sees the store as it was when the snapshot was taken.
        ring: Opens what is sealed.
        change: Number of the last change in it.
    """

    connection: Connection
    ring: KeyRing
    change: int


class Writing:
    """One transaction that changes the store: all of it is kept, or nothing.

    Attributes:
        connection: Writes.
        ring: Seals and opens.
        change: The number of this change.
    """

    def __init__(
        self, connection: Connection, ring: KeyRing, change: int, end: audit.End, actor: str
    ) -> None:
        self.connection = connection
        self.ring = ring
        self.change = change
        self._end = end
        self._actor = actor

    def note(self, action: str, collection_id: str | None = None, **detail: Any) -> None:  # noqa: ANN401 - JSON
        """Add an entry to the audit log, kept together with what it tells of."""
        self._end = audit.append(
            self.connection, self.ring.audit_key, self._end, self._actor, action, collection_id, detail
        )

    def finish(self) -> None:
        """Keep where the audit log ends."""
        self.connection.execute(
            STORE.update().values(audit_seq=self._end.seq, audit_mac=self._end.mac, change=self.change)
        )


class Store:
    """An open store; threads may share it, and other processes may use it at the same time.

    Args:
        address: The path of a SQLite file, which is made if it is missing, `memory`, or the address of a
            PostgreSQL database.
        master: The key that the store was made with.
        actor: Who the audit log says it was; None: the user of the system.
        read_only: Refuse every write, and do not make or migrate anything.
        wait_s: How long a writer waits for its turn.

    Raises:
        KeyWrong: The store was made with another key.
        StoreNewer: A newer version wrote it.
        StoreCorrupt: It is damaged, or no store.
        GalleryError: It cannot be opened: locked, full, read-only, unreachable.
    """

    def __init__(
        self,
        address: str,
        master: MasterKey,
        *,
        actor: str | None = None,
        read_only: bool = False,
        wait_s: float = WAIT_S,
    ) -> None:
        self.address = address
        # One store serves many at once: who acts is known to the thread or task that does.
        self._actor = ContextVar("actor", default=actor or _user())
        self.master = master
        self._engine = connect(address, read_only=read_only, wait_s=wait_s)
        # One connection, one transaction: those of a store in memory take turns.
        self._turn: Any = threading.RLock() if address == MEMORY else nullcontext()
        try:
            self.id, self._sealed, self._ring = self._open(read_only=read_only)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.name!r})"

    @property
    def actor(self) -> str:
        """Who the audit log says it is."""
        return self._actor.get()

    @contextmanager
    def acting(self, actor: str) -> Iterator[None]:
        """Act for somebody else: in this thread or task, and in those that are started with its context.

        Args:
            actor: Who the audit log says it is, such as `key:` and the identifier of an API key.
        """
        before = self._actor.set(actor)
        try:
            yield
        finally:
            self._actor.reset(before)

    @property
    def name(self) -> str:
        """The address as messages give it: without a password."""
        return shown(self._engine)

    @property
    def engine(self) -> Engine:
        """For rooms that copy, check and migrate whole stores."""
        return self._engine

    @property
    def file(self) -> Path | None:
        """The file of the store; None of a store in memory or on a server."""
        return Path(self.address) if is_sqlite(self._engine) and self.address != MEMORY else None

    def close(self) -> None:
        """Let go of all connections; the last one of a file tidies its write-ahead log away."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Look at the store as it is now, whatever others write meanwhile.

        Raises:
            KeyWrong: Somebody has exchanged the master key.
            GalleryError: It cannot be read.
        """
        with self._turn, refusing(self.name), self._transaction("reads") as connection:
            row = connection.execute(sa.select(STORE)).one()
            yield Reading(connection, self._current_ring(row), row.change)

    @contextmanager
    def writing(self, *, light: bool = False, counted: bool = True) -> Iterator[Writing]:
        """Change the store; acknowledged when this ends, undone if an error leaves it.

        Writers take turns, over all processes, so that changes are committed in the order of their numbers
        and the audit log is one chain.

        Args:
            light: What is written may be lost when the power fails, though not when the process ends; for
                notes about searches.
            counted: Whether it takes the next number; not for documents and keys of an API, so that indexes
                need not look what changed.

        Raises:
            GalleryError: It cannot be written.
        """
        way = "light" if light else "writes"
        with self._turn, refusing(self.name), self._transaction(way) as connection:
            row = connection.execute(sa.select(STORE).with_for_update()).one()
            end = audit.End(row.audit_seq, row.audit_mac)
            # A search changes nothing that an index knows.
            change = row.change + 1 if counted and not light else row.change
            writing = Writing(connection, self._current_ring(row), change, end, self.actor)
            yield writing
            writing.finish()

    def exchange(self, master: MasterKey, sealed: SealedRing, ring: KeyRing) -> None:
        """Go on with other keys, after they were written to the store."""
        self.master, self._sealed, self._ring = master, sealed, ring

    @property
    def change(self) -> int:
        """Number of the last change."""
        with self._turn, refusing(self.name), self._engine.connect() as connection:
            number: int = connection.execute(sa.select(STORE.c.change)).scalar_one()
            return number

    @contextmanager
    def _transaction(self, way: str) -> Iterator[Connection]:
        with self._engine.connect() as plain:
            options: dict[str, Any] = {"mien_way": way}
            if not is_sqlite(self._engine):
                options["isolation_level"] = "REPEATABLE READ" if way == "reads" else "READ COMMITTED"
            connection = plain.execution_options(**options)
            with connection.begin():
                if way == "light" and not is_sqlite(self._engine):
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield connection

    def _open(self, *, read_only: bool) -> tuple[str, SealedRing, KeyRing]:
        """Make or migrate the store if need be, and open its keys; nothing is written before they open."""
        if not read_only and self.file is not None:
            make_file(self.file)
        with self._turn, refusing(self.name), self._transaction("reads") as connection:
            present = known_revision(connection)
        if read_only and present != SCHEMA:
            raise StoreReadOnly(f"{self.name} has schema {present}, not {SCHEMA}, and may not be changed.")
        if present != SCHEMA:
            with self._turn, refusing(self.name), self._transaction("writes") as connection:
                if not is_sqlite(self._engine):
                    # Two processes that find an empty database must not both fill it.
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_OURS)))
                if revision(connection) is not None:
                    self._keys(connection)
                migrate(connection)
                if connection.execute(sa.select(STORE.c.one)).first() is None:
                    self._begin(connection)
        with self._turn, refusing(self.name), self._transaction("reads") as connection:
            keys = self._keys(connection)
        if is_sqlite(self._engine) and not read_only:
            with self._turn, refusing(self.name):
                keep_log(self._engine)
        return keys

    def _begin(self, connection: Connection) -> None:
        """Write the one row of a new store."""
        identifier = fresh()[0]
        _, sealed = make_ring(self.master, identifier)
        row = {
            "one": 1,
            "id": identifier,
            "created": audit.now(),
            "master_id": sealed.master_id,
            "wrapped": sealed.wrapped,
            "secrets": sealed.secrets,
            "change": 0,
            "audit_seq": 0,
            "audit_mac": audit.START,
        }
        connection.execute(STORE.insert(), row)

    def _keys(self, connection: Connection) -> tuple[str, SealedRing, KeyRing]:
        row = connection.execute(sa.select(STORE)).one_or_none()
        if row is None:
            raise StoreCorrupt(f"The store {self.name} has lost its first row.")
        sealed = _sealed(row)
        return row.id, sealed, open_ring(self.master, row.id, sealed)

    def _current_ring(self, row: sa.Row[*tuple[Any, ...]]) -> KeyRing:
        """The keys; another process may have exchanged them."""
        if row.wrapped != self._sealed.wrapped:
            sealed = _sealed(row)
            self._sealed, self._ring = sealed, open_ring(self.master, self.id, sealed)
        return self._ring


# An arbitrary number by which processes that make the tables take turns.
_OURS = 0x6D69656E


def make_file(file: Path) -> None:
    """Make an empty file that nobody else may read, if there is none; what SQLite puts beside it is as it is.

    Raises:
        StoreFull: There is no room.
        StoreReadOnly: It cannot be made.
    """
    with refusing_disk(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _sealed(row: sa.Row[*tuple[Any, ...]]) -> SealedRing:
    return SealedRing(row.master_id, row.wrapped, row.secrets)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return "unknown"
