"""What other processes do to a store in tests of several; run by `multiprocessing`, spawned."""

import numpy as np

from gallery.known import KEY, RULE, newcomer, vectors
from mien.errors import MienError
from mien.gallery.gallery import Gallery
from mien.gallery.opening import open_store
from mien.gallery.store import documents
from mien.gallery.store.store import Store


def enrol_many(address, prefix, count, start):
    """Enrol somebody again and again, while others do too."""
    with Store(address, KEY) as store:
        gallery = Gallery(store, RULE)
        start.wait()
        for i in range(count):
            gallery.enroll_many([newcomer(f"{prefix}{i}", [i, len(prefix)])], "s")
            gallery.enroll_many([newcomer("Everybody's", [100 + i, 0])], "s")
            gallery.identify(vectors([i, 0]), "s")


def open_at_once(address, key_file, start, answers):
    """Make or open the store and its key at the same moment as others; say which store it is."""
    start.wait()
    try:
        with open_store(address, key_file, {}) as store:
            Gallery(store, RULE).enroll_many([newcomer(None, [1, 0])], "s")
            answers.put((store.id, store.master.id))
    except MienError as error:
        answers.put((error.code, error.message))


def claim_all(address, start, answers):
    """Claim jobs until there is none, while others do too; say which."""
    with Store(address, KEY) as store:
        start.wait()
        taken = []
        while True:
            with store.writing(counted=False) as writing:
                found = documents.claim(writing, "job", was="queued", state="running")
            if found is None:
                break
            taken.append(found.id)
        answers.put(taken)


def serve(address, orders, answers):
    """Obey orders one by one with a gallery that stays open."""
    with Store(address, KEY) as store:
        gallery = Gallery(store, RULE)
        gallery.identify(vectors([0, 0]), "s")
        answers.put("ready")
        for order, *arguments in iter(orders.get, None):
            try:
                answers.put(_ACTS[order](gallery, *arguments))
            except MienError as error:
                answers.put((error.code, error.hint))


_ACTS = {
    "nearest": lambda gallery, *probe: (
        gallery.identify(np.array([probe], np.float32), "s").person.ravel().tolist()
    ),
    "enroll": lambda gallery, name, *vector: len(gallery.enroll(name, vectors(vector), "s").faces),
    "forget": lambda gallery, name: gallery.forget(name).faces,
    "rename": lambda gallery, name, new: gallery.edit(name, name=new).name,
    "merge": lambda gallery, into, other: gallery.merge(into, [other]).faces,
}
