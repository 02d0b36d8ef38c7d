import sys
import threading

import numpy as np
import pytest

from mien.errors import PersonUnknown
from mien.gallery.store import MemoryStore


def rows(*values):
    return np.array([[value, value] for value in values], np.float32)


def test_an_empty_store():
    names, vectors = MemoryStore().all_vectors()
    assert (names, len(vectors), MemoryStore().people()) == ((), 0, ())


def test_people_keep_their_order_and_vectors_their_owner():
    store = MemoryStore()
    store.add("Zoe", rows(1, 2))
    store.add("Ada", rows(3))
    store.add("Zoe", rows(4))
    names, vectors = store.all_vectors()
    assert store.people() == ("Zoe", "Ada")
    assert dict(zip(vectors[:, 0].tolist(), names, strict=True)) == {1: "Zoe", 2: "Zoe", 3: "Ada", 4: "Zoe"}
    assert vectors.dtype == np.float32


def test_what_was_handed_in_may_be_changed_afterwards():
    store, mine = MemoryStore(), rows(1)
    store.add("Ada", mine)
    mine[:] = 9
    assert store.all_vectors()[1].tolist() == [[1, 1]]


def test_removing():
    store = MemoryStore()
    store.add("Ada", rows(1))
    store.add("Bo", rows(2))
    store.remove("Ada")
    assert store.people() == ("Bo",)
    assert store.all_vectors()[0] == ("Bo",)
    with pytest.raises(PersonUnknown):
        store.remove("Ada")


def test_threads_may_share_a_store():
    store, failures = MemoryStore(), []
    store.add("Ada", rows(0))

    def work(task):
        try:
            for i in range(300):
                task(i)
        except (RuntimeError, ValueError, KeyError) as error:
            failures.append(error)

    def read(i):
        names, vectors = store.all_vectors()
        assert len(names) == len(vectors)

    tasks = [
        lambda i: store.add("Ada", rows(i)),
        lambda i: store.add("Ada", rows(i)),
        lambda i: store.add(f"person {i}", rows(i)),
        read,
        read,
    ]
    pause = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(pause)
    assert not failures
    assert store.all_vectors()[0].count("Ada") == 601, "no face is lost"
    assert len(store.people()) == 301
