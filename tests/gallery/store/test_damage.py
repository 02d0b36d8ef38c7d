"""Stores that cannot be opened, or are not what they were, are refused and left as they are."""

import hashlib
import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from gallery.known import (
    KEY,
    OTHER_KEY,
    contents,
    refused,
    vectors,
)
from mien.errors import (
    KeyWrong,
    StoreCorrupt,
    StoreNewer,
)
from mien.gallery.checking import check
from mien.gallery.sql.engine import connect
from mien.gallery.store import reading
from mien.gallery.store.store import Store

TESTS = Path(__file__).resolve().parents[2]


def test_another_key_is_refused_at_once_and_changes_nothing(lasting):
    gallery = lasting.gallery()
    gallery.enroll("Ada", vectors([1, 0]), "s")
    if lasting.kind == "sqlite":
        gallery.close()
        before = contents(Path(lasting.address).parent)
    error = refused(lasting.store, OTHER_KEY)
    assert isinstance(error, KeyWrong)
    assert OTHER_KEY.id in error.message
    assert error.hint
    if lasting.kind == "sqlite":
        assert contents(Path(lasting.address).parent) == before
    assert [one.name for one in lasting.gallery().people()] == ["Ada"]


def test_a_store_of_a_newer_version_is_left_alone(lasting):
    lasting.gallery().enroll("Ada", vectors([1, 0]), "s")
    engine = connect(lasting.address)
    with engine.connect().execution_options(mien_way="writes") as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("ALTER TABLE store RENAME COLUMN wrapped TO wrapped_otherwise")
        connection.exec_driver_sql("ALTER TABLE person RENAME TO people")
    engine.dispose()
    lasting.close()
    folder = Path(lasting.address).parent
    before = contents(folder) if lasting.kind == "sqlite" else {}
    for options in ({}, {"read_only": True}):
        error = refused(lasting.store, **options)
        assert type(error) is StoreNewer
        assert "9999" in error.message
        # Who only reads cannot tidy away an empty log.
        assert before.items() <= contents(folder).items() if before else True


@pytest.mark.parametrize(
    "content", [b"not a database at all\n" * 50, os.urandom(9000), b"SQLite format 3\0" * 300]
)
def test_a_file_that_is_no_database_is_left_alone(tmp_path, content):
    path = tmp_path / "people.db"
    path.write_bytes(content)
    for options in ({}, {"read_only": True}):
        error = refused(Store, str(path), KEY, **options)
        assert type(error) is StoreCorrupt
        assert "restore" in error.hint
    assert contents(tmp_path) == {"people.db": hashlib.sha256(content).hexdigest()}


def test_a_database_of_somebody_else_is_left_alone(tmp_path, lasting):
    if lasting.kind == "sqlite":
        path = tmp_path / "cookies.db"
        with sqlite3.connect(path) as raw:
            raw.execute("CREATE TABLE cookies (x)")
        raw.close()
        before = contents(tmp_path)
        assert type(refused(Store, str(path), KEY)) is StoreCorrupt
        assert contents(tmp_path) == before
    else:
        engine = connect(lasting.address)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE cookies (x integer)")
        assert type(refused(lasting.store)) is StoreCorrupt
        with engine.connect() as connection:
            assert sa.inspect(connection).get_table_names() == ["cookies"]
        engine.dispose()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_store_is_found_damaged(closed, share):
    content = closed.read_bytes()
    closed.write_bytes(content[: int(len(content) * share)])
    before = contents(closed.parent)
    assert is_damaged(closed)
    assert before.items() <= contents(closed.parent).items()


def is_damaged(path):
    """Whether it is refused, or found to be damaged when it is looked at."""
    try:
        with Store(str(path), KEY, read_only=True) as store:
            return check(store).problems != ()
    except StoreCorrupt:
        return True


def test_garbage_in_any_page_is_found(closed, rng):
    content = closed.read_bytes()
    everybody = known(closed)
    pages = len(content) // 4096
    used = sum(any(content[page * 4096 + 100 : page * 4096 + 4000]) for page in range(pages))
    found = 0
    for page in range(pages):
        damaged = bytearray(content)
        damaged[page * 4096 + 100 : page * 4096 + 4000] = rng.bytes(3900)
        closed.write_bytes(damaged)
        if is_damaged(closed):
            found += 1
        else:
            assert known(closed) == everybody, "it hit nothing but room that is not used"
    assert found > used / 2
    closed.write_bytes(content)
    assert not is_damaged(closed)


def known(path):
    with Store(str(path), KEY, read_only=True) as store, store.reading() as snapshot:
        collection = reading.collection_named(snapshot, "default")
        return [(one.id, one.name, one.faces) for one in reading.people(snapshot, collection.id)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE person SET sealed = (SELECT sealed FROM person ORDER BY id DESC LIMIT 1)",
        "UPDATE person SET key = zeroblob(61)",
        "UPDATE person SET name_mac = randomblob(32)",
        "UPDATE template SET sealed = (SELECT sealed FROM template LIMIT 1)",
        "UPDATE template SET sealed = x'01' || randomblob(2076)",
        "UPDATE template SET sealed = x''",
        "UPDATE template SET space = 't'",
        "UPDATE face SET sealed = zeroblob(30)",
        "UPDATE face SET crop = zeroblob(30)",
        "UPDATE face SET person_id = (SELECT id FROM person LIMIT 1)",
        "DELETE FROM template WHERE face_id = (SELECT face_id FROM template LIMIT 1)",
        "DELETE FROM person WHERE id = (SELECT id FROM person LIMIT 1)",
    ],
)
def test_values_that_were_exchanged_or_changed_are_found(closed, change):
    with sqlite3.connect(closed) as raw:
        raw.execute(change)
    raw.close()
    assert is_damaged(closed)


@pytest.mark.parametrize("table", ["store", "person", "face", "template", "audit", "collection"])
def test_a_store_without_a_table_is_damaged(closed, table):
    with sqlite3.connect(closed) as raw:
        raw.execute(f"DROP TABLE {table}")
    raw.close()
    assert is_damaged(closed)


def test_a_store_without_its_first_row_is_damaged(lasting):
    with lasting.store() as store, store.writing() as writing:
        writing.connection.exec_driver_sql("DELETE FROM store")
    assert type(refused(lasting.store)) is StoreCorrupt
