"""Disks that are full or may not be written, files that others hold, and what is asked of a disk."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from gallery.known import (
    KEY,
    RULE,
    contents,
    newcomer,
    refused,
    sized,
    spread,
    vectors,
)
from mien.errors import (
    StoreCorrupt,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
)
from mien.gallery.checking import check
from mien.gallery.gallery import Gallery
from mien.gallery.store.store import Store

TESTS = Path(__file__).resolve().parents[2]


CHILD = """
import resource, signal, sys
sys.path.insert(0, {tests!r})
import numpy as np
from gallery.known import KEY, RULE, newcomer, spread
from mien.errors import StoreFull
from mien.gallery.gallery import Gallery
from mien.gallery.store import reading
from mien.gallery.store.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
gallery = Gallery(Store({address!r}, KEY), RULE)
rows = spread(np.random.default_rng(1), 500)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
for i, row in enumerate(rows):
    try:
        gallery.enroll_many([newcomer(f"n{{i}}", row, note="n" * 5000)], "s")
    except StoreFull as error:
        print("full", bool(error.hint), flush=True)
        break
    print(f"n{{i}}", flush=True)
"""


def test_a_full_disk_keeps_what_was_acknowledged(closed):
    limit = max(closed.stat().st_size, 400_000) + 100_000
    child = CHILD.format(tests=str(TESTS), address=str(closed), limit=limit)
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    *kept, last = done.stdout.split("\n")[:-1]
    assert last == "full True"
    assert len(kept) > 5
    with Store(str(closed), KEY) as store:
        assert check(store).problems == ()
        assert {one.name for one in Gallery(store, RULE).people()} == {*kept, *(f"p{i}" for i in range(50))}


def test_a_full_disk_on_an_open_store(file_place, rng):
    gallery = file_place.gallery()
    gallery.enroll_many(sized(spread(rng, 20)), "s")
    event = sa.event
    pages = sqlite3.connect(file_place.address)
    limit = pages.execute("PRAGMA page_count").fetchone()[0] + 5
    pages.close()

    @event.listens_for(gallery.store.engine, "begin")
    def small(connection):
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    before = gallery.people()
    error = refused(
        gallery.enroll_many,
        [newcomer(f"n{i}", row, note="n" * 5000) for i, row in enumerate(spread(rng, 50))],
        "s",
    )
    assert type(error) is StoreFull
    assert gallery.people() == before
    event.remove(gallery.store.engine, "begin", small)
    gallery.enroll("Late", spread(rng, 1), "s")
    assert check(gallery.store).problems == ()


def test_read_only_stores_can_be_looked_at_and_not_changed(lasting):
    with lasting.store() as store:
        Gallery(store, RULE).enroll("Ada", vectors([1, 0]), "s")
    store = lasting.store(read_only=True)
    assert check(store).problems == ()
    gallery = Gallery(store, RULE)
    assert type(refused(gallery.enroll, "Bo", vectors([0, 1]), "s")) is StoreReadOnly
    assert type(refused(gallery.people)) is StoreReadOnly, "the log cannot be written"
    assert type(refused(lasting.gallery, store=store, collection="new")) is StoreReadOnly
    with lasting.store() as other:
        assert [one.name for one in Gallery(other, RULE).people()] == ["Ada"]


def test_a_store_is_not_made_to_be_read_only(lasting):
    kind = StoreCorrupt if lasting.kind == "sqlite" else StoreReadOnly
    assert type(refused(lasting.store, read_only=True)) is kind
    if lasting.kind == "sqlite":
        assert not Path(lasting.address).exists()


@pytest.fixture
def unwritable(closed):
    """A store on a file system that is mounted read-only, or skip."""
    target = closed.parent.with_name("mounted")
    target.mkdir()
    bind = subprocess.run(["mount", "--bind", closed.parent, target], capture_output=True, check=False)
    if bind.returncode:
        pytest.skip("needs the right to mount")
    subprocess.run(["mount", "-o", "remount,ro,bind", target], check=True)
    yield target / closed.name
    subprocess.run(["umount", target], check=True)


def test_a_disk_that_is_mounted_read_only(unwritable):
    before = contents(unwritable.parent)
    error = refused(_enroll, str(unwritable))
    assert type(error) is StoreReadOnly
    assert error.hint
    assert type(refused(Store, str(unwritable.parent / "new.db"), KEY)) is StoreReadOnly
    assert type(refused(Store, str(unwritable.parent / "new" / "new.db"), KEY)) is StoreReadOnly
    assert contents(unwritable.parent) == before


def _enroll(address):
    with Store(address, KEY) as store:
        Gallery(store, RULE).enroll("Bo", spread(np.random.default_rng(0), 1), "s")


@pytest.mark.parametrize("path", ["", "folder", "file/below"])
def test_places_where_no_file_can_be(tmp_path, path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    assert type(refused(Store, str(tmp_path / path), KEY)) is StoreReadOnly


@pytest.mark.parametrize(
    "name", ["a b.db", "50%.db", "what?.db", "a#b.db", "面.db", "'quoted'.db", "a&b=c.db"]
)
def test_any_file_name_will_do(tmp_path, name):
    with Store(str(tmp_path / name), KEY) as store:
        assert store.file == tmp_path / name
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_store_that_another_holds_too_long_is_locked(file_place):
    gallery = file_place.gallery(store=file_place.store(wait_s=0.2))
    gallery.enroll("Ada", vectors([1, 0]), "s")
    holder = sqlite3.connect(file_place.address, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    error = refused(gallery.enroll, "Bo", vectors([0, 1]), "s")
    assert type(error) is StoreLocked
    assert error.hint
    assert check(gallery.store).people == 1, "readers do not wait"
    assert (
        type(refused(file_place.gallery, store=file_place.store(wait_s=0.2), collection="x")) is StoreLocked
    )
    holder.execute("ROLLBACK")
    holder.close()
    gallery.enroll("Bo", vectors([0, 1]), "s")
    assert [one.name for one in gallery.people()] == ["Ada", "Bo"]


def test_who_reads_without_end_hinders_the_scrubbing_and_it_is_told(file_place, monkeypatch):
    monkeypatch.setattr("mien.gallery.forgetting._PATIENCE_S", 0.2)
    gallery = file_place.gallery(store=file_place.store(wait_s=0.1))
    gallery.enroll("Ada", vectors([1, 0]), "s")
    reader = sqlite3.connect(file_place.address, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM person").fetchall()
    gallery.enroll("Bo", vectors([0, 1]), "s")
    error = refused(gallery.forget, "Ada")
    assert type(error) is StoreLocked
    reader.close()
    assert [one.name for one in gallery.people()] == ["Bo"], "forgotten all the same"
    gallery.forget("Bo")
    assert Path(f"{file_place.address}-wal").stat().st_size < 20_000


def test_only_the_owner_may_read_a_store(file_place, rng):
    old = os.umask(0)
    try:
        gallery = file_place.gallery()
        gallery.enroll("Ada", spread(rng, 1), "s")
        folder = Path(file_place.address).parent
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
            "people.db": "0o600", "people.db-wal": "0o600", "people.db-shm": "0o600",
        }  # fmt: skip
    finally:
        os.umask(old)


def test_a_store_keeps_a_write_ahead_log_and_tidies_it_away(file_place, rng):
    gallery = file_place.gallery()
    gallery.enroll("Ada", spread(rng, 1), "s")
    with gallery.store.engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    gallery.close()
    assert [path.name for path in Path(file_place.address).parent.iterdir()] == ["people.db"]


def test_every_write_waits_for_the_disk_and_notes_of_searches_do_not(file_place):
    store = file_place.store()
    levels = {}
    for light in (True, False, True, False):
        with store.writing(light=light) as writing:
            levels.setdefault(light, set()).add(
                writing.connection.exec_driver_sql("PRAGMA synchronous").scalar()
            )
            writing.note("looked")
    assert levels == {True: {1}, False: {2}}


def test_a_copy_of_a_file_is_a_store_too(closed, tmp_path):
    shutil.copyfile(closed, tmp_path / "copy.db")
    with Store(str(tmp_path / "copy.db"), KEY) as store:
        assert len(Gallery(store, RULE).people()) == 50
