"""Copies of a store: made while it is in use, whole, and nobody who was forgotten comes back from them."""

import sqlite3
import threading
from pathlib import Path

import pytest

from gallery.known import KEY, OTHER_KEY, RULE, face, names, newcomer, refused, rows_of, spread, vectors
from mien.errors import (
    BadRequest,
    KeyWrong,
    MienError,
    StoreCorrupt,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)
from mien.gallery.backups import back_up, put_back, restore
from mien.gallery.checking import check
from mien.gallery.forgetting import backups_of
from mien.gallery.gallery import Gallery
from mien.gallery.store import audit, reading
from mien.gallery.store.forgotten import forgotten_ids
from mien.gallery.store.store import Store


@pytest.fixture
def people(place, rng):
    gallery = place.gallery()
    gallery.enroll_many(
        [newcomer(f"p{i}", face(row, f"d{i}", crop=b"c" * i)) for i, row in enumerate(spread(rng, 30))], "s"
    )
    gallery.enroll_many([newcomer("Ada", [1, *[0] * 31], tags=("t",), metadata={"a": 1}, note="n")], "s")
    return gallery


def test_a_copy_is_the_store_of_that_moment(people, tmp_path, place):
    before = rows_of(people.store)
    back_up(people.store, tmp_path / "copies" / "one.db")
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["one.db"]
    people.enroll("Later", vectors([0, 1, *[0] * 30]), "s")
    with Store(str(tmp_path / "copies" / "one.db"), KEY, read_only=True) as copy:
        assert rows_of(copy) == before
        assert check(copy).problems == ()
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["one.db"]
    assert backups_of(people.store) == (str(tmp_path / "copies" / "one.db"),)


def test_a_copy_is_put_back_as_a_new_store(people, tmp_path, elsewhere):
    before = rows_of(people.store)
    back_up(people.store, tmp_path / "one.db")
    done = restore(tmp_path / "one.db", elsewhere.address, KEY)
    assert (done.people, done.forgotten) == (31, 0)
    restored = elsewhere.gallery()
    assert rows_of(restored.store) == before
    assert names(restored, vectors([1, *[0] * 31])) == [["Ada"]]
    assert restored.store.id == people.store.id
    checked = check(restored.store)
    assert (checked.problems, checked.people, checked.faces) == ((), 31, 31)
    with restored.store.reading() as snapshot:
        assert "restored" in [entry.action for entry in audit.entries(snapshot.connection)]
    restored.enroll("New", vectors([0, 1, *[0] * 30]), "s")
    assert isinstance(refused(restore, tmp_path / "one.db", elsewhere.address, KEY), BadRequest)
    assert restored.person("New").faces == 1


def test_a_copy_is_made_while_others_write(lasting, tmp_path):
    gallery = lasting.gallery()
    gallery.enroll("First", vectors([-1, 0]), "s")
    stop, count, failures = threading.Event(), 0, []

    def write():
        nonlocal count
        try:
            while not stop.is_set():
                gallery.enroll_many(
                    [newcomer(f"a{count}", [count, 1]), newcomer(f"b{count}", [count, 2])], "s"
                )
                count += 1
        except MienError as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    copies = [tmp_path / f"{i}.db" for i in range(5)]
    for copy in copies:
        back_up(gallery.store, copy)
    stop.set()
    writer.join()
    assert failures == []
    sizes = []
    for copy in copies:
        with Store(str(copy), KEY, read_only=True) as store:
            checked = check(store)
            assert checked.problems == ()
            assert checked.people % 2 == 1, "both of a batch, or none"
            assert checked.people == checked.faces == checked.templates
            sizes.append(checked.people)
    assert sizes == sorted(sizes)
    assert sizes[-1] > 1
    assert check(gallery.store).people == 1 + 2 * count


def test_copies_are_never_overwritten(people, tmp_path):
    (tmp_path / "one.db").write_bytes(b"precious")
    assert isinstance(refused(back_up, people.store, tmp_path / "one.db"), BadRequest)
    assert (tmp_path / "one.db").read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["one.db"]
    assert backups_of(people.store) == ()


def test_a_copy_that_cannot_be_written_leaves_nothing(people, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"x")
    for target in (tmp_path / "file" / "one.db", Path("/proc/one.db")):
        assert isinstance(refused(back_up, people.store, target), (StoreFull, StoreReadOnly))
    monkeypatch.setattr("mien.gallery.backups.sync_folder", _no_room)
    assert backups_of(people.store) == ()
    assert type(refused(back_up, people.store, tmp_path / "b" / "one.db")) is StoreFull
    assert backups_of(people.store) == (str(tmp_path / "b" / "one.db"),), "it is there, and may not last"


def _no_room(folder):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("name", ["[one].db", "a b?.db", "*.db", "50%.db"])
def test_a_copy_may_have_any_name(people, tmp_path, name):
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "xother").write_bytes(b"x")
    back_up(people.store, folder / name)
    assert {path.name for path in folder.iterdir()} == {name, "xother"}
    assert check(Store(str(folder / name), KEY, read_only=True)).people == 31


def test_a_damaged_copy_is_not_put_back(people, tmp_path, elsewhere):
    copy = tmp_path / "one.db"
    back_up(people.store, copy)
    with sqlite3.connect(copy) as raw:
        raw.execute(
            "UPDATE template SET sealed = zeroblob(100) WHERE face_id = (SELECT max(face_id) FROM template)"
        )
    raw.close()
    assert type(refused(restore, copy, elsewhere.address, KEY)) is StoreCorrupt
    copy.write_bytes(copy.read_bytes()[:10_000])
    assert type(refused(restore, copy, elsewhere.address, KEY)) is StoreCorrupt
    assert type(refused(restore, tmp_path / "none.db", elsewhere.address, KEY)) is StoreCorrupt
    assert type(refused(restore, copy, "memory", KEY)) is BadRequest
    assert elsewhere.gallery().people() == ()


def test_a_copy_of_another_key_is_not_put_back(people, tmp_path, elsewhere):
    back_up(people.store, tmp_path / "one.db")
    assert type(refused(restore, tmp_path / "one.db", elsewhere.address, OTHER_KEY)) is KeyWrong
    assert elsewhere.gallery().people() == ()


def test_a_restoration_that_fails_leaves_nothing(people, tmp_path, elsewhere, monkeypatch):
    def failing(writing, forgotten):
        raise StoreUnreachable("the lights went out")

    back_up(people.store, tmp_path / "one.db")
    with monkeypatch.context() as patch:
        patch.setattr("mien.gallery.backups._settle", failing)
        assert type(refused(restore, tmp_path / "one.db", elsewhere.address, KEY)) is StoreUnreachable
    assert elsewhere.gallery(rule=RULE).people() == ()


def test_the_forgotten_stay_forgotten(people, tmp_path, elsewhere):
    """Also from a copy that lay where nobody could scrub it."""
    ada, p3 = people.person("Ada").id, people.person("p3").id
    back_up(people.store, tmp_path / "one.db")
    hidden = tmp_path / "hidden"
    hidden.write_bytes((tmp_path / "one.db").read_bytes())
    people.merge("p4", ["p3"])
    done = people.forget(["Ada", "p4"])
    assert done.backups == (str(tmp_path / "one.db"),)
    with people.store.reading() as snapshot:
        ids = forgotten_ids(snapshot)
    assert {ada, p3} <= ids
    for copy, kept_in_copy in ((tmp_path / "one.db", 0), (hidden, 3)):
        address = elsewhere.address if copy == hidden else str(tmp_path / "other.db")
        restored = restore(copy, address, KEY, forgotten=ids)
        assert (restored.people, restored.forgotten) == (28, kept_in_copy)
        with Store(address, KEY) as store:
            gallery = Gallery(store, RULE)
            assert names(gallery, vectors([1, *[0] * 31])) != [["Ada"]]
            assert {"Ada", "p3", "p4"}.isdisjoint(one.name for one in gallery.people())
            assert check(store).problems == ()
            with store.reading() as snapshot:
                assert forgotten_ids(snapshot) == ids


def test_a_copy_is_exchanged_for_the_store_that_is_there(file_place, rng, tmp_path):
    gallery = file_place.gallery()
    gallery.enroll_many([newcomer(f"p{i}", row) for i, row in enumerate(spread(rng, 5))], "s")
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    back_up(gallery.store, one)
    gallery.enroll("Late", spread(rng, 1), "s")
    back_up(gallery.store, two)
    gallery.forget("p2")
    gallery.close()
    done, aside = put_back(one, file_place.address, KEY)
    assert (done.people, done.forgotten) == (4, 0)
    assert aside is not None
    again = file_place.gallery()
    assert [person.name for person in again.people()] == ["p0", "p1", "p3", "p4"]
    assert set(backups_of(again.store)) == {str(one), str(two), str(aside)}, "copies that were made later too"
    again.forget("p3")
    for copy in (one, two, aside):
        with Store(str(copy), KEY, read_only=True) as store, store.reading() as snapshot:
            assert len(again.people()) == 3
            assert "p3" not in {person.name for person in _people(snapshot)}
    assert sorted(
        path.name
        for path in Path(file_place.address).parent.iterdir()
        if "-wal" not in path.name and "-shm" not in path.name
    ) == sorted(["people.db", aside.name])


def _people(snapshot):
    return reading.people(snapshot, reading.collection_named(snapshot, "default").id)


def test_a_store_in_use_is_not_moved_away(file_place, rng, tmp_path):
    gallery = file_place.gallery(store=file_place.store(wait_s=0.2))
    gallery.enroll("Ada", spread(rng, 1), "s")
    back_up(gallery.store, tmp_path / "one.db")
    holder = sqlite3.connect(file_place.address, isolation_level=None)
    holder.execute("BEGIN")
    holder.execute("SELECT * FROM person").fetchall()
    assert type(refused(put_back, tmp_path / "one.db", file_place.address, KEY)) is StoreLocked
    holder.close()
    assert [one.name for one in gallery.people()] == ["Ada"]
    assert check(gallery.store).problems == ()


def test_what_was_there_is_back_if_the_copy_is_no_good(file_place, rng, tmp_path):
    with file_place.gallery() as gallery:
        gallery.enroll("Ada", spread(rng, 1), "s")
    before = Path(file_place.address).read_bytes()
    (tmp_path / "one.db").write_bytes(b"no copy" * 1000)
    assert type(refused(put_back, tmp_path / "one.db", file_place.address, KEY)) is StoreCorrupt
    assert [person.name for person in file_place.gallery().people()] == ["Ada"]
    file_place.close()
    folder = Path(file_place.address).parent
    assert len(Path(file_place.address).read_bytes()) == len(before)
    assert [path.name for path in folder.iterdir()] == ["people.db"]


def test_a_damaged_store_is_replaced_with_its_log(file_place, rng, tmp_path):
    gallery = file_place.gallery()
    gallery.enroll("Ada", spread(rng, 1), "s")
    back_up(gallery.store, tmp_path / "one.db")
    gallery.enroll("Late", spread(rng, 1), "s")
    file = Path(file_place.address)
    log = file.with_name("people.db-wal").read_bytes()
    gallery.close()
    file.write_bytes(b"damaged" * 3000)
    file.with_name("people.db-wal").write_bytes(log)
    done, aside = put_back(tmp_path / "one.db", file_place.address, KEY)
    assert done.people == 1
    assert aside.read_bytes() == b"damaged" * 3000
    again = file_place.gallery()
    assert [person.name for person in again.people()] == ["Ada"]
    assert check(again.store).problems == ()


def test_a_server_is_not_moved_away(postgres, tmp_path):
    address = postgres.fresh()
    with Store(address, KEY) as store:
        Gallery(store, RULE).enroll("Ada", vectors([1, 0]), "s")
        back_up(store, tmp_path / "one.db")
    assert type(refused(put_back, tmp_path / "one.db", address, KEY)) is BadRequest
    postgres.drop(address)


def test_a_disk_without_links_will_do(people, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    back_up(people.store, tmp_path / "one.db")
    with Store(str(tmp_path / "one.db"), KEY, read_only=True) as copy:
        assert check(copy).people == 31
    assert isinstance(refused(back_up, people.store, tmp_path / "one.db"), BadRequest)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["one.db"]


@pytest.mark.parametrize("broken", ["mien.gallery.backups._move", "mien.gallery.backups._settle"])
def test_a_store_that_cannot_be_replaced_stays(file_place, rng, tmp_path, monkeypatch, broken):
    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    with file_place.gallery() as gallery:
        gallery.enroll("Ada", spread(rng, 1), "s")
        back_up(gallery.store, tmp_path / "one.db")
    monkeypatch.setattr(broken, refuse)
    assert type(refused(put_back, tmp_path / "one.db", file_place.address, KEY)) is StoreReadOnly
    assert [path.name for path in Path(file_place.address).parent.iterdir()] == ["people.db"]
    assert [person.name for person in file_place.gallery().people()] == ["Ada"]
