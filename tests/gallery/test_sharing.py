"""Several galleries, threads and processes on one store."""

import multiprocessing
import queue
import threading

import numpy as np
import pytest

from gallery import sharing
from gallery.known import KEY, OTHER_KEY, names, newcomer, refused, spread, vectors
from mien.errors import PersonExists, PersonUnknown, VersionStale
from mien.gallery.checking import check
from mien.gallery.choices import IndexChoices
from mien.gallery.index.index import Index
from mien.gallery.rotating import rotate
from mien.gallery.store import reading
from mien.gallery.vault.master import write_new_key

SPAWN = multiprocessing.get_context("spawn")
PATIENCE_S = 60


@pytest.fixture
def processes():
    """Starts processes; all have to end well."""
    started = []

    def start(target, *arguments):
        started.append(SPAWN.Process(target=target, args=arguments))
        started[-1].start()
        return started[-1]

    yield start
    for process in started:
        process.join(PATIENCE_S)
        alive = process.is_alive()
        process.kill()
        process.join()
        assert not alive
        assert process.exitcode == 0


@pytest.fixture
def server(lasting, processes):
    """Another process with the same store; gives its answers."""
    orders, answers = SPAWN.Queue(), SPAWN.Queue()
    lasting.gallery().close()
    processes(sharing.serve, lasting.address, orders, answers)
    assert answers.get(timeout=PATIENCE_S) == "ready"

    def order(*words):
        orders.put(words)
        return answers.get(timeout=PATIENCE_S)

    yield order
    orders.put(None)
    for one in (orders, answers):
        one.close()


def test_what_one_process_does_another_sees_at_once(lasting, server):
    gallery = lasting.gallery()
    assert server("nearest", 0, 0) == []
    gallery.enroll("Ada", vectors([0, 0]), "s")
    assert server("nearest", 0, 0) == ["Ada"]
    assert server("enroll", "Bo", 5, 0) == 1
    assert names(gallery, vectors([5, 0])) == [["Bo"]]
    gallery.edit("Bo", name="Bob")
    assert server("nearest", 5, 0) == ["Bob"]
    assert server("rename", "Ada", "Ada L.") == "Ada L."
    assert names(gallery, vectors([0, 0])) == [["Ada L."]]
    assert isinstance(refused(gallery.edit, "Bob", name="Ada L."), PersonExists)
    assert server("merge", "Bob", "Ada L.") == 2
    assert names(gallery, vectors([0, 0])) == [["Bob"]]
    gallery.drop_faces([one.id for one in gallery.faces("Bob")][:1])
    assert server("enroll", "Cy", 0.1, 0) == 1
    assert names(gallery, vectors([0, 0]))[0] == server("nearest", 0, 0) == ["Cy"]
    gallery.forget("Cy")
    assert server("nearest", 0, 0) == ["Bob"]
    assert server("forget", "Bob") == 1
    assert names(gallery, vectors([0, 0])) == [[]]
    assert check(gallery.store).problems == ()


def test_a_process_without_the_new_key_is_told(lasting, server):
    gallery = lasting.gallery()
    gallery.enroll("Ada", vectors([0, 0]), "s")
    assert server("nearest", 0, 0) == ["Ada"]
    rotate(gallery.store, OTHER_KEY)
    for order in (("nearest", 0, 0), ("enroll", "Bo", 1, 1), ("forget", "Ada")):
        code, hint = server(*order)
        assert code == "key_wrong"
        assert "MIEN_GALLERY_KEY" in hint
    assert names(gallery, vectors([0, 0])) == [["Ada"]], "who exchanged it goes on"


def test_processes_that_write_at_once_lose_nothing(lasting, processes):
    start = SPAWN.Event()
    prefixes = ["a", "bb", "ccc"]
    lasting.gallery().close()
    writing = [processes(sharing.enrol_many, lasting.address, prefix, 15, start) for prefix in prefixes]
    start.set()
    for process in writing:
        process.join(PATIENCE_S)
    gallery = lasting.gallery()
    expected = {f"{prefix}{i}" for prefix in prefixes for i in range(15)} | {"Everybody's"}
    assert {one.name for one in gallery.people()} == expected
    assert gallery.person("Everybody's").faces == 45
    probes = vectors(*([i, len(prefix)] for prefix in prefixes for i in range(15)))
    assert names(gallery, probes) == [[f"{prefix}{i}"] for prefix in prefixes for i in range(15)]
    checked = check(gallery.store)
    assert checked.problems == ()
    assert checked.faces == 90
    with gallery.store.reading() as snapshot:
        assert snapshot.change == 1 + 2 * 45, "every change has a number of its own"


@pytest.mark.parametrize("round_", range(3))
def test_processes_that_make_the_store_at_once_make_one(lasting, processes, tmp_path, round_):
    start, answers = SPAWN.Barrier(3), SPAWN.Queue()
    key = tmp_path / "key"
    if lasting.kind == "postgres":
        write_new_key(key)
    for _ in range(3):
        processes(sharing.open_at_once, lasting.address, str(key), start, answers)
    found = [answers.get(timeout=PATIENCE_S) for _ in range(3)]
    assert len(set(found)) == 1, found
    answers.close()


def test_threads_share_a_gallery(place):
    gallery = place.gallery()
    failures = queue.Queue()

    def work(number):
        try:
            rng = np.random.default_rng(number)
            for i in range(12):
                name = f"{number}-{i}"
                row = spread(rng, 1)
                gallery.enroll(name, row, "s")
                assert names(gallery, row) == [[name]]
                if i % 3 == 0:
                    gallery.forget(name)
                    assert names(gallery, row) != [[name]]
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.put(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures.empty(), failures.get()
    assert len(gallery.people()) == 4 * 8
    assert check(gallery.store).problems == ()


@pytest.mark.parametrize("policy", ["best_face", "centroid"])
def test_nobody_disappears_while_the_index_takes_in_a_change(place, policy, monkeypatch):
    """Others may be searching at any moment of it."""
    gallery = place.gallery(choices=IndexChoices(policy=policy))
    gallery.enroll("Ada", vectors([0, 0]), "s")
    gallery.enroll("Bo", vectors([50, 0]), "s")
    assert names(gallery, vectors([0, 0])) == [["Ada"]]
    ada, seen = gallery.person("Ada").id.encode(), []

    def upsert(index, *arguments):
        seen.append(index.nearest(vectors([0, 0]), 1).owner[0, 0])
        plain(index, *arguments)
        seen.append(index.nearest(vectors([0, 0]), 1).owner[0, 0])

    plain = Index.upsert
    monkeypatch.setattr(Index, "upsert", upsert)
    gallery.enroll("Ada", vectors([0.1, 0]), "s")
    gallery.move([gallery.faces("Bo")[0].id], "Ada")
    gallery.drop_faces([gallery.faces("Ada")[0].id])
    gallery.merge("Bo", ["Ada"])
    assert len(seen) >= 6
    assert set(seen[:-2]) == {ada}


def test_a_snapshot_does_not_see_what_comes_later(lasting):
    gallery, other = lasting.gallery(), lasting.gallery()
    gallery.enroll("Ada", vectors([0, 0]), "s")
    with gallery.store.reading() as snapshot:
        before = reading.people(snapshot, gallery.collection.id)
        other.enroll("Bo", vectors([1, 1]), "s")
        other.edit("Ada", tags=["x"])
        assert reading.people(snapshot, gallery.collection.id) == before
    assert [one.tags for one in gallery.people()] == [("x",), ()]


def test_two_galleries_of_one_process_see_each_other(place):
    store = place.store()
    one, other = place.gallery(store=store), place.gallery(store=store)
    assert names(other, vectors([0, 0])) == [[]]
    one.enroll("Ada", vectors([0, 0]), "s")
    assert names(other, vectors([0, 0])) == [["Ada"]]
    other.forget("Ada")
    assert names(one, vectors([0, 0])) == [[]]
    assert isinstance(refused(one.person, "Ada"), PersonUnknown)


def test_who_was_changed_meanwhile_is_not_overwritten(lasting):
    one, other = lasting.gallery(), lasting.gallery()
    one.enroll("Ada", vectors([0, 0]), "s")
    seen = one.person("Ada")
    other.edit("Ada", tags=["other"])
    assert isinstance(refused(one.edit, "Ada", tags=["one"], version=seen.version), VersionStale)
    other.enroll_many([newcomer("Ada", [1, 1])], "s")
    assert one.person("Ada").version > seen.version
    assert one.person("Ada").tags == ("other",)


def test_the_key_that_made_it_opens_it_wherever_it_is(lasting):
    first = lasting.store()
    assert lasting.store().id == first.id
    assert first.master.id == KEY.id
