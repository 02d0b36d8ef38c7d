"""An index that PostgreSQL keeps, by its extension pgvector: nothing has to fit into memory here.

A server must see numbers to compare them. It is given templates that were turned by a secret rotation, one
for each collection, which keeps all distances and is sealed like every other key: what lies in the index is
no template of the network and opens no other store. It is weaker than encryption: who steals it sees who
resembles whom, and who also knows as many templates as they have numbers could undo it. Who does not want
that searches in memory, which is the default.

The tables are not logged (UNLOGGED): nothing of them reaches the log of the server, its copies or its
backups, and after a crash of the server they are empty and are filled again from the store.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from mien.errors import BadRequest, StoreCorrupt, StoreUnreachable
from mien.gallery.centroids import centroids
from mien.gallery.choices import IndexChoices, IndexOverview
from mien.gallery.index import Candidates
from mien.gallery.sql.engine import is_sqlite, refusing
from mien.gallery.store.reading import Templates, changed_people, dropped, templates
from mien.gallery.store.records import Collection
from mien.gallery.store.store import Reading, Store
from mien.gallery.vault.sealing import new_key
from mien.ops.vectors import Metric

Vectors = NDArray[np.float32]

# How pgvector writes the distance, and what its index calls it.
_DISTANCE: dict[Metric, tuple[str, str]] = {
    "cosine": ("<=>", "halfvec_cosine_ops"),
    "euclidean": ("<->", "halfvec_l2_ops"),
}
# Candidates that the graph keeps in view: recall is preferred to speed. pgvector takes at most 1,000.
_LEAST_IN_VIEW, _MOST_IN_VIEW = 400, 1_000
# Rows asked for, for each person that is wanted, and how many times more if they are of too few people.
_ROWS_A_PERSON = 8
_WIDEN = 4
_STATE = "nearby"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Rotation:
    """How the rows of an index are turned: sealed as the server keeps it, and opened `(d, d)`."""

    sealed: bytes
    matrix: Vectors


class ServerNearby:
    """Finds the nearest people of one collection with pgvector; threads and processes may share it.

    Args:
        store: The truth, on PostgreSQL.
        collection: Whose index.
        metric: What distance means in its space.
        choices: How it is searched.

    Raises:
        BadRequest: The store is not on PostgreSQL.
    """

    def __init__(self, store: Store, collection: Collection, metric: Metric, choices: IndexChoices) -> None:
        if is_sqlite(store.engine):
            raise BadRequest("Only PostgreSQL searches with pgvector.", hint="Set MIEN_INDEX=auto.")
        self._store, self._collection, self._metric, self._choices = store, collection, metric, choices
        # Of the embedding space too: after an upgrade nothing of the old one is searched.
        space = hashlib.blake2b(collection.space.encode(), digest_size=4).hexdigest()
        self._kind = f"{_STATE}_{collection.id}_{choices.policy}_"
        self._table = self._kind + space
        self._rotation = _Rotation(b"", np.zeros((0, 0), np.float32))
        self._lock = threading.RLock()

    def nearest(self, probes: Vectors, k: int, owners: NDArray[np.bytes_] | None = None) -> Candidates:
        """The k nearest people for each probe `(q, d)`; see `mien.gallery.index.Index.nearest`."""
        return self._search(probes, k, owners, people=True)

    def faces(self, probes: Vectors, k: int, owners: NDArray[np.bytes_] | None = None) -> Candidates:
        """The k nearest faces for each probe `(q, d)`; see `mien.gallery.index.Index.faces`."""
        return self._search(probes, k, owners, people=False)

    def described(self) -> IndexOverview:
        """How it searches, after it was brought up to date."""
        if self._up_to_date() is None:
            return IndexOverview("exact", 0, 1.0, 0)
        with refusing(self._store.name), self._store.engine.connect() as connection:
            rows, graph = self._rows_and_graph(connection)
        return IndexOverview("hnsw", rows, None, 0) if graph else IndexOverview("exact", rows, 1.0, 0)

    def save(self) -> bool:
        """The server keeps it; there is nothing to save."""
        return False

    def follow(self) -> None:
        """Bring it up to date, if it is in use."""
        with refusing(self._store.name), self._store.engine.connect() as connection:
            there = _is_there(connection, self._table)
        if there:
            self._up_to_date()

    def purge(self) -> None:
        """Bring it up to date; `forget_on_server` has wiped its files."""
        self.follow()

    def _search(
        self, probes: Vectors, k: int, owners: NDArray[np.bytes_] | None, *, people: bool
    ) -> Candidates:
        found = Candidates.none(len(probes), k)
        allowed = None if owners is None else [owner.decode() for owner in owners]
        while True:
            rotation = self._up_to_date()
            if rotation is None or not len(probes):
                return found
            if probes.shape[1] != len(rotation.matrix):
                raise BadRequest(f"Probes want {len(rotation.matrix)} numbers, got {probes.shape[1]}.")
            with refusing(self._store.name), self._store.engine.begin() as connection:
                # Another process may have filled it anew, turned otherwise, since we looked.
                if not self._holds(connection, rotation):
                    continue
                connection.exec_driver_sql("SET LOCAL hnsw.iterative_scan = strict_order")
                for i, probe in enumerate(probes @ rotation.matrix):
                    rows = self._nearest_rows(connection, probe, k, allowed, people=people)
                    for place, (face, owner, distance) in enumerate(rows):
                        found.face[i, place], found.owner[i, place] = face.encode(), owner.encode()
                        found.distance[i, place] = distance
            return found

    def _holds(self, connection: Connection, rotation: _Rotation) -> bool:
        """Keep the table as it is until the transaction ends, if it is the one that was turned so."""
        if not _is_there(connection, self._table):
            return False
        connection.exec_driver_sql(f"LOCK TABLE {self._table} IN ACCESS SHARE MODE")
        known = self._state(connection)
        return known is not None and known[1] == rotation.sealed

    def _nearest_rows(
        self, connection: Connection, probe: Vectors, k: int, allowed: list[str] | None, *, people: bool
    ) -> list[tuple[str, str, float]]:
        """The nearest rows, or the nearest row of each of the nearest people."""
        operator, _ = _DISTANCE[self._metric]
        where = "" if allowed is None else "WHERE owner = ANY(:allowed)"
        distance = f"v {operator} CAST(:probe AS halfvec)"
        query = sa.text(
            f"SELECT id, owner, {distance} AS d FROM {self._table} {where} ORDER BY {distance} LIMIT :n"  # noqa: S608 - names of our own
        )
        wanted = k * _ROWS_A_PERSON if people else k
        while True:
            in_view = min(max(wanted, _LEAST_IN_VIEW), _MOST_IN_VIEW)
            connection.exec_driver_sql(f"SET LOCAL hnsw.ef_search = {in_view}")
            values = {"probe": _text(probe), "n": wanted} | ({} if allowed is None else {"allowed": allowed})
            rows = [(row.id, row.owner, row.d) for row in connection.execute(query, values)]
            best: dict[str, tuple[str, str, float]] = {}
            for row in rows:
                best.setdefault(row[1], row)
            if not people or len(best) >= k or len(rows) < wanted:
                return (list(best.values()) if people else rows)[:k]
            wanted *= _WIDEN

    def _up_to_date(self) -> _Rotation | None:
        """Take in what the store has changed; the rotation, or None while nobody is known."""
        with self._lock:
            change = self._store.change
            with refusing(self._store.name), self._store.engine.connect() as connection:
                known = self._state(connection)
            if known is None or known[0] < change or known[1] != self._rotation.sealed:
                rotation = self._followed()
                if rotation is None:
                    return None
                self._rotation = rotation
            return self._rotation

    def _followed(self) -> _Rotation | None:
        with refusing(self._store.name), self._store.engine.begin() as own:
            # One process at a time; only then comes the snapshot, so that it is not older than the index.
            _take_turn(own, self._table)
            with self._store.reading() as snapshot:
                known = self._state(own)
                matrix = None if known is None else self._opened(snapshot, known[1])
                if known is None or matrix is None:
                    return self._filled(own, snapshot)
                if known[0] < snapshot.change:
                    self._changed(own, snapshot, known[0], matrix)
                return _Rotation(known[1], matrix)

    def _filled(self, own: Connection, snapshot: Reading) -> _Rotation | None:
        """Build it from the store."""
        rows = self._rows(templates(snapshot, self._collection))
        if not len(rows):
            return None
        dimensions = rows.vectors.shape[1]
        rotation = _random_rotation(dimensions)
        try:
            own.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
        except sa.exc.DBAPIError as error:
            raise StoreUnreachable(
                "The server has no extension vector, or the user may not create it.",
                hint="Install pgvector there, or set MIEN_INDEX=auto to search in memory.",
            ) from error
        own.exec_driver_sql(
            f"CREATE UNLOGGED TABLE IF NOT EXISTS {_STATE} "
            "(name text PRIMARY KEY, change bigint NOT NULL, rotation bytea NOT NULL)"
        )
        for table in _tables(own, self._kind):
            own.exec_driver_sql(f"DROP TABLE {table}")
        own.exec_driver_sql(
            f"CREATE UNLOGGED TABLE {self._table} "
            f"(id varchar(13) PRIMARY KEY, owner varchar(13) NOT NULL, v halfvec({dimensions}) NOT NULL)"
        )
        self._insert(own, rows, rotation)
        own.exec_driver_sql(f"CREATE INDEX ON {self._table} (owner)")
        self._make_graph(own)
        own.exec_driver_sql(f"ANALYZE {self._table}")
        sealed = snapshot.ring.seal.close(rotation.tobytes(), self._table)
        statement = sa.text(
            f"INSERT INTO {_STATE} VALUES (:name, :change, :rotation) ON CONFLICT (name) "  # noqa: S608
            "DO UPDATE SET change = excluded.change, rotation = excluded.rotation"
        )
        own.execute(statement, {"name": self._table, "change": snapshot.change, "rotation": sealed})
        return _Rotation(sealed, rotation)

    def _make_graph(self, own: Connection) -> None:
        """Index the vectors, once there are more than are compared one by one."""
        if self._rows_and_graph(own)[0] > self._choices.exact_up_to:
            operators = _DISTANCE[self._metric][1]
            own.exec_driver_sql(
                f"CREATE INDEX {self._table}_graph ON {self._table} USING hnsw (v {operators})"
            )

    def _rows_and_graph(self, connection: Connection) -> tuple[int, bool]:
        """How many rows there are, and whether they have a graph."""
        rows: int = connection.exec_driver_sql(f"SELECT count(*) FROM {self._table}").scalar_one()  # noqa: S608
        return rows, _is_there(connection, f"{self._table}_graph")

    def _changed(self, own: Connection, snapshot: Reading, after: int, rotation: Vectors) -> None:
        lost = dropped(snapshot, self._collection.id, after)
        if self._choices.policy == "centroid":
            people = sorted({*changed_people(snapshot, self._collection.id, after), *lost.people})
            self._delete(own, people)
            rows = self._rows(templates(snapshot, self._collection, person_ids=people))
        else:
            rows = templates(snapshot, self._collection, after=after)
            self._delete(own, [*lost.faces, *(face.decode() for face in rows.face)])
        self._insert(own, rows, rotation)
        if len(rows) and not self._rows_and_graph(own)[1]:
            self._make_graph(own)
        statement = sa.text(f"UPDATE {_STATE} SET change = :change WHERE name = :name")  # noqa: S608
        own.execute(statement, {"change": snapshot.change, "name": self._table})

    def _insert(self, own: Connection, rows: Templates, rotation: Vectors) -> None:
        if not len(rows):
            return
        driver = own.connection.driver_connection
        assert driver is not None  # noqa: S101 - it is connected
        with driver.cursor().copy(f"COPY {self._table} FROM STDIN") as copy:
            for face, owner, vector in zip(rows.face, rows.person, rows.vectors @ rotation, strict=True):
                copy.write_row((face.decode(), owner.decode(), _text(vector)))

    def _delete(self, own: Connection, ids: Iterable[str]) -> None:
        statement = sa.text(f"DELETE FROM {self._table} WHERE id = ANY(:ids)")  # noqa: S608
        own.execute(statement, {"ids": list(ids)})

    def _state(self, connection: Connection) -> tuple[int, bytes] | None:
        """Up to which change it is, and its rotation; None if it is not there, or a crash has emptied it."""
        if not all(_is_there(connection, name) for name in (_STATE, self._table)):
            return None
        statement = sa.text(f"SELECT change, rotation FROM {_STATE} WHERE name = :name")  # noqa: S608
        row = connection.execute(statement, {"name": self._table}).first()
        return None if row is None else (row.change, bytes(row.rotation))

    def _opened(self, snapshot: Reading, sealed: bytes) -> Vectors | None:
        """The rotation; None if keys were exchanged since."""
        try:
            content = snapshot.ring.seal.open(sealed, self._table)
        except StoreCorrupt:
            return None
        side = round((len(content) / 4) ** 0.5)
        return np.frombuffer(content, np.float32).reshape(side, side)

    def _rows(self, found: Templates) -> Templates:
        return centroids(found, self._metric) if self._choices.policy == "centroid" else found


def forget_on_server(store: Store, collection: Collection, people: Sequence[str]) -> None:
    """Leave nothing of forgotten people in the files of a collection's indexes, whoever uses them."""
    with refusing(store.name):
        with store.engine.begin() as connection:
            tables = _tables(connection, f"{_STATE}_{collection.id}_")
            for table in tables:
                # Who follows later sees that they are forgotten.
                _take_turn(connection, table)
                statement = sa.text(f"DELETE FROM {table} WHERE owner = ANY(:people)")  # noqa: S608
                connection.execute(statement, {"people": list(people)})
        engine = store.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for table in tables:
                connection.exec_driver_sql(f"VACUUM (FULL) {table}")


def drop_on_server(store: Store, collection: Collection) -> None:
    """Delete all indexes of a collection that the server keeps."""
    with refusing(store.name), store.engine.begin() as connection:
        for table in _tables(connection, f"{_STATE}_{collection.id}_"):
            _take_turn(connection, table)
            connection.exec_driver_sql(f"DROP TABLE {table}")


def _tables(connection: Connection, beginning: str) -> list[str]:
    query = sa.text("SELECT tablename FROM pg_tables WHERE starts_with(tablename, :beginning)")
    return list(connection.execute(query, {"beginning": beginning}).scalars())


def _take_turn(connection: Connection, table: str) -> None:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(table))))


def _is_there(connection: Connection, table: str) -> bool:
    return connection.execute(sa.select(sa.func.to_regclass(table))).scalar() is not None


def _random_rotation(dimensions: int) -> Vectors:
    """A rotation drawn uniformly (F. Mezzadri: Notices of the AMS 54, 2007)."""
    rng = np.random.default_rng(np.frombuffer(new_key(), np.uint32))
    q, r = np.linalg.qr(rng.standard_normal((dimensions, dimensions)))
    rotation: Vectors = (q * np.sign(np.diag(r))).astype(np.float32)
    return rotation


def _text(vector: Vectors) -> str:
    """How pgvector reads a vector; half precision has four digits."""
    return f"[{','.join(map('%.6g'.__mod__, vector.tolist()))}]"
