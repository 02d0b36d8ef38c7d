"""What other processes do in tests of repeated requests; run by `multiprocessing`, spawned."""

from gallery.known import KEY
from mien.access import answers_given
from mien.access.answers_given import GivenAnswer, Ticket
from mien.errors import RequestInProgress
from mien.gallery.store.store import Store


def opened(address):
    return Store(address, KEY)


def repeat(address, start, answers):
    """Make twenty requests, while others make the same; say of each whether it was done or repeated."""
    with opened(address) as store:
        start.wait()
        said = []
        for i in range(20):
            try:
                found = answers_given.begin(store, "key:1", f"k{i}", "d")
            except RequestInProgress:
                said.append("waits")
                continue
            if isinstance(found, Ticket):
                answers_given.finish(store, found, GivenAnswer(201, "", str(i).encode()))
                said.append("did")
            else:
                said.append("repeated" if found.body == str(i).encode() else "wrong")
        assert "wrong" not in said
        answers.put(said)
