"""Documents: kept, found, changed by one at a time, and sealed; the same on every back end."""

import multiprocessing
import sqlite3
import time

import pytest
import sqlalchemy as sa

from gallery import sharing
from gallery.known import KEY, refused
from mien.errors import BadRequest, StoreCorrupt, VersionStale
from mien.gallery.sql.schema import DOCUMENT
from mien.gallery.store import documents
from mien.gallery.store.store import Store

VALUE = b'{"title": "grobwixel"}'


@pytest.fixture
def store(place):
    return place.store()


def made(store, kind="job", value=VALUE, *, owner="local", **options):
    time.sleep(0.002)  # identifiers sort by milliseconds
    with store.writing(counted=False) as writing:
        return documents.make(writing, kind, value, owner=owner, **options)


def changed(store, *arguments, **options):
    with store.writing(counted=False) as writing:
        return documents.change(writing, *arguments, **options)


def read(store, kind, identifier):
    with store.reading() as snapshot:
        return documents.read(snapshot, kind, identifier)


def listed(store, *arguments, **options):
    with store.reading() as snapshot:
        return [one.id for one in documents.listed(snapshot, *arguments, **options)]


def test_what_was_made_is_read(store):
    new = made(store, owner="key:1", state="waiting")
    assert (new.kind, new.owner, new.state, new.version, new.collection_id) == (
        *("job", "key:1", "waiting", 1),
        None,
    )
    assert new.created == new.changed
    assert new.value == VALUE
    assert read(store, "job", new.id) == new
    assert read(store, "case", new.id) is None
    assert "grobwixel" not in repr(new)


@pytest.mark.parametrize("identifier", ["", "0" * 13, "nonsense", "\0" * 13, "\ud800", "%", "x" * 10_000])
def test_what_was_not_made_is_not_there(store, identifier):
    made(store)
    assert read(store, "job", identifier) is None
    with store.writing() as writing:
        assert documents.delete(writing, [identifier]) == ()
    if identifier == "0" * 13:
        assert len(listed(store, "job", after=identifier)) == 1
    else:
        assert isinstance(refused(listed, store, "job", after=identifier), BadRequest)


def test_documents_are_listed_by_what_they_are(store):
    a1 = made(store, owner="a", state="waiting").id
    b1 = made(store, owner="b", state="running").id
    a2 = made(store, owner="a", state="done").id
    made(store, "case", owner="a")
    assert listed(store, "job") == [a1, b1, a2]
    assert listed(store, "job", newest_first=True) == [a2, b1, a1]
    assert listed(store, "job", owner="a") == [a1, a2]
    assert listed(store, "job", states=("waiting", "running")) == [a1, b1]
    assert listed(store, "job", owner="a", states=("running",)) == []
    assert listed(store, "nothing") == []
    with store.reading() as snapshot:
        assert documents.count(snapshot, "job", ("waiting", "done")) == 2
        assert documents.count(snapshot, "job", ("waiting", "running"), owner="b") == 1


def test_pages_give_each_document_once(store):
    ids = [made(store).id for _ in range(7)]
    for newest_first in (False, True):
        found, after = [], None
        while page := listed(store, "job", after=after, limit=3, newest_first=newest_first):
            assert len(page) <= 3
            found, after = found + page, page[-1]
        assert found == sorted(ids, reverse=newest_first)


def test_documents_of_a_collection(place):
    gallery, album = place.gallery(), place.gallery(collection="album", store=None)
    here = made(gallery.store, "case", collection_id=gallery.collection.id).id
    made(gallery.store, "case")
    if place.kind == "memory":
        assert listed(gallery.store, "case", collection_id=gallery.collection.id) == [here]
        return
    there = made(album.store, "case", collection_id=album.collection.id).id
    assert listed(gallery.store, "case", collection_id=album.collection.id) == [there]
    assert listed(gallery.store, "case", collection_id=gallery.collection.id) == [here]


def test_a_change_gives_the_next_version(store):
    new = made(store, state="waiting")
    second = changed(store, new.id, value=b"other")
    assert (second.version, second.state, second.value) == (2, "waiting", b"other")
    third = changed(store, new.id, state="done", version=2)
    assert (third.version, third.state, third.value) == (3, "done", b"other")
    assert third.changed >= second.changed >= new.created == third.created
    assert read(store, "job", new.id) == third


def test_who_saw_another_version_changes_nothing(store):
    new = made(store, state="waiting")
    seen = changed(store, new.id, state="running")
    for options in (
        {"version": new.version, "state": "done"},
        {"version": 0, "value": b""},
        {"was": ("waiting", "runn"), "state": "done"},
        {"was": (), "state": "done"},
    ):
        assert isinstance(refused(changed, store, new.id, **options), VersionStale), options
    assert read(store, "job", new.id) == seen
    assert changed(store, new.id, was=("waiting", "running"), state="done").state == "done"


def test_what_was_deleted_is_not_changed(store):
    new = made(store)
    with store.writing() as writing:
        assert documents.delete(writing, [new.id, "0" * 13, new.id]) == (new.id,)
    assert isinstance(refused(changed, store, new.id, state="done"), VersionStale)
    assert read(store, "job", new.id) is None


def test_the_oldest_is_claimed_once(store):
    ids = [made(store, state="queued").id for _ in range(3)]
    made(store, "case", state="queued")
    claimed = []
    for _ in range(4):
        with store.writing(counted=False) as writing:
            claimed.append(documents.claim(writing, "job", was="queued", state="running"))
    assert [one and one.id for one in claimed] == [*ids, None]
    assert all(one.state == "running" and one.version == 2 for one in claimed[:3])


def test_what_nobody_works_on_any_more_is_taken_over(store):
    old, new = made(store, state="running"), made(store, state="running")
    with store.writing(counted=False) as writing:
        writing.connection.execute(
            DOCUMENT.update().where(DOCUMENT.c.id == new.id).values(changed="2020-01-01T00:00:00.000Z")
        )
        way = {"was": "running", "state": "running", "unchanged_since": "2020-01-01T00:00:01.000Z"}
        assert documents.claim(writing, "job", **way).id == new.id
        assert documents.claim(writing, "job", **way) is None, "it was changed by taking it"
    assert read(store, "job", old.id).version == 1


def test_processes_never_claim_the_same(lasting):
    context = multiprocessing.get_context("spawn")
    with lasting.store() as store:
        ids = {made(store, state="queued").id for _ in range(40)}
    start, answers = context.Event(), context.Queue()
    workers = [
        context.Process(target=sharing.claim_all, args=(lasting.address, start, answers)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    start.set()
    taken = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert sorted(one for part in taken for one in part) == sorted(ids)


def test_documents_change_nothing_that_an_index_knows(store):
    before = store.change
    new = made(store)
    changed(store, new.id, state="done")
    assert store.change == before


def test_an_unfinished_step_leaves_nothing(store):
    class Stop(Exception):
        pass

    new = made(store)

    def stopped():
        with store.writing() as writing:
            documents.change(writing, new.id, value=b"half")
            documents.make(writing, "job", b"half", owner="local")
            raise Stop

    with pytest.raises(Stop):
        stopped()
    assert read(store, "job", new.id) == new
    assert listed(store, "job") == [new.id]


def test_what_it_says_is_sealed_for_its_row(file_place):
    with file_place.store() as store:
        one, other = made(store), made(store)
    with sqlite3.connect(file_place.address) as raw:
        sealed = dict(raw.execute("SELECT id, sealed FROM document"))
        assert all(b"grobwixel" not in content for content in sealed.values())
        raw.execute("UPDATE document SET sealed = ? WHERE id = ?", (sealed[one.id], other.id))
        raw.execute("UPDATE document SET key = (SELECT key FROM document WHERE id = ?)", (one.id,))
    raw.close()
    with Store(file_place.address, KEY) as store:
        assert read(store, "job", one.id).value == VALUE
        assert isinstance(refused(read, store, "job", other.id), StoreCorrupt)


def test_each_has_a_key_of_its_own(store):
    made(store), made(store)
    with store.reading() as snapshot:
        rows = snapshot.connection.execute(sa.select(DOCUMENT)).all()
        keys = {snapshot.ring.unwrap(row.key, f"document|{row.id}") for row in rows}
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)
