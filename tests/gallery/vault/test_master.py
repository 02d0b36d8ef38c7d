"""Keys: in files that only their owner reads, in the environment, or in a service."""

import base64
import os
import stat
import subprocess
import sys
import threading
from importlib.metadata import EntryPoint

import pytest

from gallery.known import RULE, refused, vectors
from mien.errors import KeyMissing, KeyWrong, SettingsError
from mien.gallery.gallery import Gallery
from mien.gallery.opening import exists, find_key, open_store
from mien.gallery.vault import master
from mien.gallery.vault.master import LocalKey, MasterKey, decode_key, read_key, write_new_key

TEXT = base64.b64encode(bytes(range(32))).decode()


def test_a_key_is_written_for_its_owner_and_read_again(tmp_path):
    old = os.umask(0)
    try:
        file = tmp_path / "deep" / "key"
        made = write_new_key(file)
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["key"]
    again = read_key(file)
    assert again.id == made.id
    assert again.unwrap(made.wrap(b"x" * 32, "c"), "c") == b"x" * 32
    assert len(base64.b64decode(file.read_text())) == 32


def test_a_key_is_never_overwritten(tmp_path):
    file = tmp_path / "key"
    file.write_text("precious")
    assert isinstance(refused(write_new_key, file), KeyWrong)
    assert file.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_of_many_who_make_a_key_at_once_one_does(tmp_path):
    file, made, barrier = tmp_path / "key", [], threading.Barrier(8)

    def make():
        barrier.wait()
        try:
            made.append(write_new_key(file).id)
        except KeyWrong:
            made.append(None)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one is None for one in made) == [False] + [True] * 7
    assert read_key(file).id in made


def test_two_processes_that_make_a_key_at_once_use_the_same(tmp_path):
    code = (
        "import sys; from mien.gallery.opening import find_key;"
        "print(find_key(sys.argv[1], {}, sys.argv[2]).id)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "key"), str(tmp_path / "none.db")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {child.communicate()[0] for child in children}
    assert len(said) == 1
    assert said.pop().strip() == read_key(tmp_path / "key").id


@pytest.mark.parametrize(
    "text", ["", "x", TEXT[:-2], TEXT + "AA==", base64.b64encode(bytes(31)).decode(), "ä" * 44]
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path, text):
    error = refused(decode_key, text, "The variable")
    assert type(error) is KeyWrong
    assert len(text) < 2 or text not in error.message + error.hint
    file = tmp_path / "key"
    file.write_text(text, "utf-8")
    assert type(refused(read_key, file)) in {KeyWrong, KeyMissing}


def test_keys_that_cannot_be_read_or_written(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        assert type(refused(read_key, path)) is KeyMissing
    (tmp_path / "file").write_text("x")
    assert type(refused(write_new_key, tmp_path / "file" / "below")) is KeyMissing
    (tmp_path / "bytes").write_bytes(os.urandom(32) + b"\xff")
    assert type(refused(read_key, tmp_path / "bytes")) is KeyMissing


def test_another_key_opens_nothing():
    wrapped = LocalKey(bytes(range(32))).wrap(b"k" * 32, "store|1")
    assert LocalKey(bytes(range(32))).unwrap(wrapped, "store|1") == b"k" * 32
    error = refused(LocalKey(bytes(32)).unwrap, wrapped, "store|1")
    assert type(error) is KeyWrong
    assert type(refused(LocalKey(bytes(range(32))).unwrap, wrapped, "store|2")) is KeyWrong
    assert type(refused(LocalKey, b"short")) is KeyWrong


def test_a_key_is_told_apart_by_something_that_says_nothing_about_it():
    one, other = LocalKey(bytes(range(32))), LocalKey(bytes(32))
    assert one.id != other.id
    assert one.id == LocalKey(bytes(range(32))).id
    assert len(one.id) == 8
    assert TEXT not in repr(one)
    assert bytes(range(32)).hex()[:8] not in repr(one) + one.id


# By what settings say


def test_a_key_in_the_environment():
    assert find_key("env:K", {"K": f" {TEXT}\n"}).id == LocalKey(bytes(range(32))).id
    for environ in ({}, {"K": ""}):
        error = refused(find_key, "env:K", environ)
        assert type(error) is KeyMissing
        assert "K" in error.hint
    error = refused(find_key, "env:K", {"K": "hunter2"})
    assert type(error) is KeyWrong
    assert "hunter2" not in error.message + error.hint


class Service:
    """A KMS that keeps its key to itself."""

    def __init__(self):
        self._key = LocalKey(bytes(reversed(range(32))))
        self.asked = 0
        self.id = "service-7"

    def wrap(self, key, context):
        return b"kms" + self._key.wrap(key, context)

    def unwrap(self, wrapped, context):
        self.asked += 1
        return self._key.unwrap(wrapped[3:], context)


@pytest.fixture
def service(monkeypatch):
    made = Service()
    offered = {"vault": lambda: made, "broken": lambda: object()}

    class Point(EntryPoint):
        def load(self):
            return offered[self.name]

    points = [Point(name, "x:y", master.KMS_GROUP) for name in offered]
    monkeypatch.setattr(master, "entry_points", lambda group: points if group == master.KMS_GROUP else [])
    return made


def test_a_key_management_service_is_asked_once(service, tmp_path):
    address = str(tmp_path / "people.db")
    with open_store(address, "kms:vault", {}) as store:
        gallery = Gallery(store, RULE)
        gallery.enroll("Ada", vectors([1, 0]), "s")
        gallery.identify(vectors([1, 0]), "s")
    with open_store(address, "kms:vault", {}) as store:
        service.asked = 0
        assert [one.name for one in Gallery(store, RULE).people()] == ["Ada"]
        assert service.asked == 0, "the key of the store stays open"
    assert type(refused(open_store, address, "env:K", {"K": TEXT})) is KeyWrong


def test_services_that_nobody_offers(service):
    error = refused(find_key, "kms:other", {})
    assert type(error) is SettingsError
    assert "vault" in error.hint
    assert type(refused(find_key, "kms:broken", {})) is SettingsError


def test_a_missing_key_is_made_with_a_new_store_only(tmp_path):
    key, address = tmp_path / "key", str(tmp_path / "people.db")
    with open_store(address, str(key), {}) as store:
        assert store.master.id == read_key(key).id
    assert exists(address)
    key.rename(tmp_path / "away")
    error = refused(open_store, address, str(key), {})
    assert type(error) is KeyMissing
    assert not key.exists(), "a new key would only make it harder to see what is wrong"
    (tmp_path / "away").rename(key)
    open_store(address, str(key), {}).close()
    assert type(refused(find_key, str(tmp_path / "none"), {})) is KeyMissing


def test_a_store_in_memory_needs_no_key(tmp_path):
    with open_store("memory", str(tmp_path / "key"), {}) as store:
        assert isinstance(store.master, MasterKey)
    assert list(tmp_path.iterdir()) == []
