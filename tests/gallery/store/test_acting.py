"""One store serves many: the audit log names whoever acts."""

import asyncio
import contextvars
import threading

import pytest

from gallery.known import newcomer, vectors
from mien.gallery.store import audit


@pytest.fixture
def gallery(place):
    return place.gallery(store=place.store(actor="operator"))


def actors(gallery):
    with gallery.store.reading() as snapshot:
        return [entry.actor for entry in audit.entries(snapshot.connection)]


def note(gallery, action="looked"):
    with gallery.store.writing(light=True) as writing:
        writing.note(action)


def test_whoever_acts_is_named_until_it_ends(gallery):
    note(gallery)
    with gallery.store.acting("key:1"):
        assert gallery.store.actor == "key:1"
        gallery.enroll("Ada", vectors([0, 0]), "s")
        with gallery.store.acting("key:2"):
            note(gallery)
        note(gallery)
    assert gallery.store.actor == "operator"
    note(gallery)
    assert actors(gallery)[1:] == ["operator", "key:1", "key:2", "key:1", "operator"]


def test_an_error_ends_it_too(gallery):
    with pytest.raises(ValueError, match="x"), gallery.store.acting("key:1"):
        raise ValueError("x")
    assert gallery.store.actor == "operator"


def test_threads_do_not_act_for_each_other(gallery):
    both, seen = threading.Barrier(4), {}

    def act(name):
        with gallery.store.acting(name):
            both.wait(30)
            gallery.enroll_many([newcomer(name, [len(seen), 0])], "s")
            seen[name] = gallery.store.actor

    threads = [threading.Thread(target=act, args=(f"key:{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {name: name for name in seen}
    with gallery.store.reading() as snapshot:
        people = {entry.actor for entry in audit.entries(snapshot.connection) if entry.action == "enrolled"}
    assert people == {f"key:{i}" for i in range(4)}


def test_tasks_and_the_threads_that_they_start(gallery):
    async def request(name):
        with gallery.store.acting(name):
            await asyncio.sleep(0.01)
            await asyncio.to_thread(note, gallery, name)
            await asyncio.sleep(0.01)
            return gallery.store.actor

    async def all_at_once():
        return await asyncio.gather(*(request(f"key:{i}") for i in range(5)))

    assert asyncio.run(all_at_once()) == [f"key:{i}" for i in range(5)]
    with gallery.store.reading() as snapshot:
        told = [entry for entry in audit.entries(snapshot.connection) if entry.action.startswith("key:")]
    assert len(told) == 5
    assert all(entry.actor == entry.action for entry in told)


def test_a_context_that_was_copied_acts_on(gallery):
    with gallery.store.acting("key:1"):
        context = contextvars.copy_context()
    context.run(note, gallery)
    assert actors(gallery)[-1] == "key:1"


def test_stores_do_not_act_for_each_other(lasting):
    one, other = lasting.store(actor="one"), lasting.store(actor="other")
    with one.acting("key:1"):
        assert (one.actor, other.actor) == ("key:1", "other")
