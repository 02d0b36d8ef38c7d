"""What is attached to documents: in the order in which it came, sealed, under names that say nothing."""

import sqlite3

import pytest

from gallery.known import KEY, newcomer, refused
from mien.errors import BadRequest, PersonUnknown, StoreCorrupt, VersionStale
from mien.gallery.store import attachments, documents
from mien.gallery.store.store import Store


@pytest.fixture
def store(place):
    return place.store()


@pytest.fixture
def job(store):
    with store.writing() as writing:
        return documents.make(writing, "job", b"{}", owner="local").id


def attach(store, *arguments, **options):
    with store.writing(counted=False) as writing:
        return attachments.attach(writing, *arguments, **options)


def ask(store, action, *arguments, **options):
    with store.reading() as snapshot:
        return action(snapshot, *arguments, **options)


def test_what_was_attached_is_read(store, job, rng):
    content = rng.bytes(300_000)
    assert attach(store, job, "photo-1", content) == 1
    assert attach(store, job, "empty", b"") == 2
    found = ask(store, attachments.read, job, "photo-1")
    assert (found.name, found.seq, found.person_id, found.content) == ("photo-1", 1, None, content)
    assert ask(store, attachments.read, job, "empty").content == b""
    assert ask(store, attachments.read, job, "photo-2") is None
    assert ask(store, attachments.read, "0" * 13, "photo-1") is None
    assert str(content[:10]) not in repr(found)


def test_the_same_name_is_replaced_in_its_place(store, job):
    for name in ("a", "b", "a", "c"):
        attach(store, job, name, name.encode() * 3)
    attach(store, job, "a", b"new")
    found = ask(store, attachments.page, job)
    assert [(one.name, one.seq, one.content) for one in found] == [
        ("a", 1, b"new"),
        ("b", 2, b"bbb"),
        ("c", 3, b"ccc"),
    ]


def test_pages_and_beginnings(store, job):
    with store.writing() as writing:
        for i in range(25):
            kind = "result" if i % 5 == 0 else "photo"
            attachments.attach(writing, job, f"{kind}-{i:03}", bytes([i]))
        other = documents.make(writing, "job", b"{}", owner="local").id
        attachments.attach(writing, other, "photo-000", b"other")
    found, after = [], 0
    while page := ask(store, attachments.page, job, after=after, limit=4, beginning="photo-"):
        assert len(page) <= 4
        found, after = found + [one.content[0] for one in page], page[-1].seq
    assert found == [i for i in range(25) if i % 5]
    assert ask(store, attachments.names, job, beginning="result-") == tuple(
        f"result-{i:03}" for i in range(0, 25, 5)
    )
    assert len(ask(store, attachments.names, job)) == 25
    assert ask(store, attachments.names, job, beginning="ph_to") == ()
    assert ask(store, attachments.names, job, beginning="%") == ()
    assert ask(store, attachments.names, "0" * 13) == ()


@pytest.mark.parametrize(
    "name",
    ["", "Ada", "ada/1.jpg", "../x", ".hidden", "-x", "a b", "a\0", "ä", "a\n", "x" * 101, "\ud800", "a%"],
)
def test_a_name_that_could_name_somebody_is_refused(store, job, name):
    assert isinstance(refused(attach, store, job, name, b"x"), BadRequest)
    assert ask(store, attachments.read, job, name) is None
    assert ask(store, attachments.names, job) == ()


def test_names_of_cases_are_names(store, job):
    names = ("probe-1.jpg", "face-038jpgfxnsmz4.jpg", "x" * 100, "0")
    for name in names:
        attach(store, job, name, b"x")
    assert ask(store, attachments.names, job) == names


def test_what_is_detached_is_gone(store, job):
    for name in "abc":
        attach(store, job, name, b"x")
    with store.writing() as writing:
        assert attachments.detach(writing, job, ["a", "c", "nothing"]) == 2
        assert attachments.detach(writing, "0" * 13, ["b"]) == 0
    assert ask(store, attachments.names, job) == ("b",)
    assert attach(store, job, "d", b"x") == 3


def test_nothing_is_attached_to_what_is_gone(store, job):
    attach(store, job, "a", b"x")
    with store.writing() as writing:
        documents.delete(writing, [job])
    assert isinstance(refused(attach, store, job, "b", b"x"), VersionStale)
    assert isinstance(refused(attach, store, "nonsense", "b", b"x"), VersionStale)
    assert ask(store, attachments.read, job, "a") is None
    assert ask(store, attachments.page, job) == ()


def test_nothing_is_attached_of_somebody_who_was_forgotten(place):
    gallery = place.gallery()
    gallery.enroll_many([newcomer("Ada", [0, 0]), newcomer("Bo", [5, 0])], "s")
    ada, bo = gallery.person("Ada").id, gallery.person("Bo").id
    with gallery.store.writing() as writing:
        job = documents.make(writing, "job", b"{}", owner="local").id
    gallery.merge("Bo", ["Ada"])
    assert attach(gallery.store, job, "a", b"x", person_id=ada) == 1
    gallery.forget("Bo")
    for who in (ada, bo):
        assert isinstance(refused(attach, gallery.store, job, "b", b"x", person_id=who), PersonUnknown)
    assert ask(gallery.store, attachments.names, job) == ()


def test_what_is_attached_is_sealed_for_its_place(file_place):
    with file_place.store() as store, store.writing() as writing:
        one = documents.make(writing, "job", b"{}", owner="local").id
        other = documents.make(writing, "job", b"{}", owner="local").id
        for job in (one, other):
            attachments.attach(writing, job, "a", b"grobwixel")
            attachments.attach(writing, job, "b", b"flumpert")
    with sqlite3.connect(file_place.address) as raw:
        rows = {
            (job, name): sealed
            for job, name, sealed in raw.execute("SELECT document_id, name, sealed FROM attachment")
        }
        assert not any(word in sealed for sealed in rows.values() for word in (b"grobwixel", b"flumpert"))
        move = "UPDATE attachment SET sealed = ? WHERE document_id = ? AND name = ?"
        raw.execute(move, (rows[one, "b"], one, "a"))
        raw.execute(move, (rows[one, "b"], other, "b"))
    raw.close()
    with Store(file_place.address, KEY) as store:
        for place in ((one, "a"), (other, "b")):
            assert isinstance(refused(ask, store, attachments.read, *place), StoreCorrupt)
        assert ask(store, attachments.read, one, "b").content == b"flumpert"
