"""Documents, what is attached to them and whole collections are deleted for good, in copies too."""

import sqlite3

import pytest
import sqlalchemy as sa

from gallery.everything import Everything
from gallery.known import KEY, OTHER_KEY, names, newcomer, refused, rows_of, spread, vectors
from mien.access import answers_given, keys
from mien.access.answers_given import GivenAnswer
from mien.errors import (
    CollectionUnknown,
    IdempotencyMismatch,
    StoreCorrupt,
    Unauthenticated,
)
from mien.gallery.backups import back_up, put_back, restore
from mien.gallery.checking import check
from mien.gallery.choices import IndexChoices
from mien.gallery.forgetting import forget_documents
from mien.gallery.rotating import rotate
from mien.gallery.sql.schema import ANSWER, API_KEY, ATTACHMENT, COLLECTION, DOCUMENT
from mien.gallery.store import attachments, audit, documents
from mien.gallery.store.store import Store

SAID, PICTURE = b'{"title": "Schnurzelpfiff von Grobwixel"}', b"flumpert-krumbholz" * 400


def make(store, *attached, kind="case", collection=None, value=SAID):
    """A document with attachments: pairs of name and person."""
    with store.writing(counted=False) as writing:
        made = documents.make(writing, kind, value, owner="local", collection_id=collection)
        for name, person in attached:
            attachments.attach(writing, made.id, name, PICTURE, person_id=person)
    return made.id


def attached(store, document):
    with store.reading() as snapshot:
        return list(attachments.names(snapshot, document))


def kinds(store):
    with store.reading() as snapshot:
        return set(snapshot.connection.execute(sa.select(DOCUMENT.c.id)).scalars())


def actions(store):
    with store.reading() as snapshot:
        return [(entry.action, entry.detail) for entry in audit.entries(snapshot.connection)]


@pytest.fixture
def three(lasting):
    gallery = lasting.gallery()
    gallery.enroll_many([newcomer("Ada", [0, 0]), newcomer("Bo", [5, 0]), newcomer("Cy", [0, 5])], "s")
    yield gallery
    assert check(gallery.store).problems == ()


def test_what_is_attached_of_somebody_is_forgotten_with_him(three, tmp_path):
    ada, bo, cy = (three.person(name).id for name in ("Ada", "Bo", "Cy"))
    store = three.store
    case = make(store, ("ada-1", ada), ("bo-1", bo), ("nobody", None))
    job = make(store, ("ada-2", ada), ("cy-1", cy))
    back_up(store, tmp_path / "one.db")
    three.merge("Bo", ["Ada"])
    assert attached(store, case) == ["ada-1", "bo-1", "nobody"]
    assert three.forget("Bo").backups == (str(tmp_path / "one.db"),)
    with Store(str(tmp_path / "one.db"), KEY, read_only=True) as copy:
        for one in (store, copy):
            assert attached(one, case) == ["nobody"]
            assert attached(one, job) == ["cy-1"]
            assert check(one).problems == ()


def test_what_was_swept_is_not_attached_either(lasting):
    gallery = lasting.gallery()
    gallery.enroll_many([newcomer("Ada", [0, 0], until=audit.today())], "s")
    case = make(gallery.store, ("a", gallery.person("Ada").id))
    assert gallery.sweep(audit.today().replace(year=2099)).faces == 1
    assert attached(gallery.store, case) == []


class Disk:
    """What lies in the files of a store and of its copies."""

    def __init__(self, place, home, request):
        self.place, self.home = place, home
        self.server = request.getfixturevalue("postgres") if place.kind == "postgres" else None

    def now(self):
        if self.server is None:
            return Everything(self.home)
        self.server.run("CHECKPOINT")
        return Everything(self.home, *(one for one in self.server.data.iterdir() if one.name != "pg_wal"))


@pytest.fixture
def disk(lasting, tmp_path, request):
    return Disk(lasting, tmp_path, request)


def sealed_of(store, document):
    """Its key first, what it says, what is attached to it."""
    with store.reading() as snapshot:
        row = snapshot.connection.execute(sa.select(DOCUMENT).where(DOCUMENT.c.id == document)).one()
        query = sa.select(ATTACHMENT.c.sealed).where(ATTACHMENT.c.document_id == document)
        rest = snapshot.connection.execute(query).scalars().all()
        key = snapshot.ring.unwrap(row.key, f"document|{document}")
    return [bytes(content) for content in (row.key, row.sealed, *rest)], key


def test_nothing_is_left_of_a_document_that_was_deleted(three, disk, tmp_path):
    store = three.store
    others = [make(store, (f"p-{i}", None), value=b"other" * i) for i in range(20)]
    gone = [make(store, *[(f"p-{i}", None) for i in range(5)]) for _ in range(3)]
    back_up(store, tmp_path / "one.db")
    found = [sealed_of(store, document) for document in gone]
    before = disk.now()
    for sealed, key in found:
        assert all(before.holds(content) for content in sealed), "the search finds what is there"
        assert not before.holds(key)
    assert not before.holds(SAID)
    assert not before.holds(PICTURE)

    done = forget_documents(store, [*gone, "0" * 13, "nonsense"])
    assert (done.people, done.faces, done.backups, done.unreached) == ((), 0, (str(tmp_path / "one.db"),), ())

    after = disk.now()
    for sealed, _ in found:
        assert [content[:8] for content in sealed if after.holds(content)] == []
    assert kinds(store) == set(others)
    assert all(after.holds(content) for content in sealed_of(store, others[7])[0])
    assert actions(store)[-1][0] == "deleted"
    with Store(str(tmp_path / "one.db"), KEY, read_only=True) as copy:
        assert kinds(copy) == set(others)
    assert forget_documents(store, gone).backups == (), "there is nothing to be done"


def test_only_documents_are_deleted_as_documents(three, tmp_path):
    case, ada = make(three.store), three.person("Ada").id
    back_up(three.store, tmp_path / "one.db")
    key, text = keys.create(three.store, "ops", ["admin"])
    forget_documents(three.store, [case, ada, three.collection.id, key.id])
    assert actions(three.store)[-1] == ("deleted", {"documents": [case]})
    three.forget("Bo")
    with Store(str(tmp_path / "one.db"), KEY, read_only=True) as copy:
        assert check(copy).people == 2
    assert names(three, vectors([0, 0])) == [["Ada"]]
    assert keys.check(three.store, text).id == key.id


def test_nothing_is_left_of_pictures_of_the_forgotten(three, disk, tmp_path):
    store, ada = three.store, three.person("Ada").id
    case = make(store, ("stays", None), ("goes-1", ada), ("goes-2", ada))
    (_, _, stays, *goes), _ = sealed_of(store, case)
    back_up(store, tmp_path / "one.db")
    assert all(disk.now().holds(content) for content in (stays, *goes))
    three.forget("Ada")
    after = disk.now()
    assert after.holds(stays)
    assert [content[:8] for content in goes if after.holds(content)] == []


def test_documents_come_change_and_go_and_leave_nothing(file_place, rng, tmp_path):
    """In a small file the database moves rows between pages all the time."""
    store = file_place.gallery().store
    here = []

    def some(most):
        return rng.bytes(int(rng.integers(0, most)))

    for _ in range(60):
        with store.writing(counted=False) as writing:
            for _ in range(int(rng.integers(1, 8))):
                made = documents.make(writing, "job", some(900), owner="local")
                for i in range(int(rng.integers(0, 4))):
                    attachments.attach(writing, made.id, f"a-{i}", some(1200))
                here.append(made.id)
            for one in rng.choice(here, 4):
                documents.change(writing, str(one), value=some(3000))
        gone = [here.pop(int(rng.integers(len(here)))) for _ in range(min(len(here), 3))]
        sealed = [content for one in gone for content in sealed_of(store, one)[0]]
        forget_documents(store, gone)
        found = Everything(tmp_path)
        assert [found.where(content[:16]) for content in sealed if found.holds(content)] == []
    assert kinds(store) == set(here)


def test_a_collection_is_dropped_with_everybody_and_everything(three, lasting, tmp_path, rng):
    choices = IndexChoices(folder=tmp_path / "indexes", save_from=1)
    album = lasting.gallery(collection="album", store=three.store, choices=choices)
    rows = spread(rng, 5)
    album.enroll_many([newcomer(f"p{i}", row) for i, row in enumerate(rows)], "s")
    assert names(album, rows[:1]) == [["p0"]]
    album.save()
    assert list((tmp_path / "indexes").iterdir())
    here = make(three.store, ("a", None), collection=album.collection.id)
    there = make(three.store, ("a", None), collection=three.collection.id)
    back_up(three.store, tmp_path / "one.db")
    other = lasting.gallery(collection="album", choices=choices)
    assert names(other, rows[:1]) == [["p0"]]

    done = album.forget_collection()

    assert (len(done.people), done.faces, done.backups) == (5, 5, (str(tmp_path / "one.db"),))
    assert list((tmp_path / "indexes").iterdir()) == []
    with Store(str(tmp_path / "one.db"), KEY, read_only=True) as copy:
        for store in (three.store, copy):
            with store.reading() as snapshot:
                found = snapshot.connection.execute(sa.select(COLLECTION.c.name)).scalars().all()
            assert found == ["default"]
            assert kinds(store) == {there}
            assert check(store).people == 3
    assert album.people() == ()
    for gone in (album, other):
        assert isinstance(refused(gone.enroll, "New", rows[:1], "s"), CollectionUnknown)
        assert isinstance(refused(names, gone, rows[:1]), CollectionUnknown)
    assert isinstance(refused(other.forget_collection), CollectionUnknown)
    other.save()
    assert list((tmp_path / "indexes").iterdir()) == [], "another process writes nothing down again"
    assert here not in kinds(three.store)
    assert ("dropped collection", {}) in actions(three.store)
    assert names(three, vectors([0, 0])) == [["Ada"]]
    again = lasting.gallery(collection="album", store=three.store)
    assert len(again) == 0
    assert isinstance(refused(album.forget_collection), CollectionUnknown), "this one is another"
    assert len(lasting.gallery(collection="album", store=three.store)) == 0


def test_an_empty_collection_is_dropped(lasting):
    gallery = lasting.gallery()
    assert gallery.forget_collection().people == ()
    with gallery.store.reading() as snapshot:
        assert snapshot.connection.execute(sa.select(COLLECTION.c.id)).all() == []


def test_who_went_elsewhere_before_stays_in_the_copy(three, lasting, tmp_path):
    album = lasting.gallery(collection="album", store=three.store)
    album.enroll_many([newcomer("Dee", [9, 9]), newcomer("Eve", [9, 0])], "s")
    back_up(three.store, tmp_path / "one.db")
    three.adopt(album, "Dee", "Dee")
    album.forget_collection()
    with Store(str(tmp_path / "one.db"), KEY) as copy:
        assert check(copy).people == 4
        assert [one.name for one in lasting.gallery(collection="album", store=copy).people()] == ["Dee"]


def test_an_index_that_the_server_keeps_goes_with_its_collection(postgres, rng):
    from gallery.known import Place

    place = Place(postgres.fresh(), "postgres")
    gallery = place.gallery(choices=IndexChoices(kind="pgvector"))
    rows = spread(rng, 5)
    gallery.enroll_many([newcomer(f"p{i}", row) for i, row in enumerate(rows)], "s")
    assert names(gallery, rows[:1]) == [["p0"]]
    tables = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'nearby\\_%'"
    assert len(postgres.run(tables, address=place.address)) == 1
    gallery.forget_collection()
    assert postgres.run(tables, address=place.address) == []
    place.close()
    postgres.drop(place.address)


def test_keys_are_exchanged_and_all_of_it_opens(three, lasting, tmp_path):
    store = three.store
    case = make(store, ("a", None))
    key, text = keys.create(store, "ops", ["admin"])
    ticket = answers_given.begin(store, "local", "k", "digest")
    answer = GivenAnswer(201, "application/json", b"{}", (("location", "/x"),))
    answers_given.finish(store, ticket, answer)
    back_up(store, tmp_path / "one.db")
    with store.reading() as snapshot:
        query = sa.select(DOCUMENT.c.key).union_all(sa.select(API_KEY.c.sealed), sa.select(ANSWER.c.sealed))
        old = set(map(bytes, snapshot.connection.execute(query).scalars()))
    assert len(old) == 3

    rotate(store, OTHER_KEY)

    with store.reading() as snapshot:
        assert not old & set(map(bytes, snapshot.connection.execute(query).scalars()))
    with Store(str(tmp_path / "one.db"), OTHER_KEY, read_only=True) as copy:
        for one in (store, lasting.store(OTHER_KEY), copy):
            with one.reading() as snapshot:
                assert documents.read(snapshot, "case", case).value == SAID
                assert attachments.read(snapshot, case, "a").content == PICTURE
            assert keys.check(one, text).name == "ops"
            assert check(one).problems == ()
    assert answers_given.begin(store, "local", "k", "digest") == answer
    assert keys.every(store)[0].id == key.id


def test_a_copy_has_documents_and_keys_and_no_answers(three, tmp_path, elsewhere):
    store = three.store
    case = make(store, *[(f"a-{i}", None) for i in range(30)], collection=three.collection.id)
    _, text = keys.create(store, "ops", ["admin"])
    answers_given.begin(store, "local", "k", "digest")
    back_up(store, tmp_path / "one.db")
    before = rows_of(store)
    assert before.pop("answer") != []
    restore(tmp_path / "one.db", elsewhere.address, KEY)
    restored = elsewhere.store()
    after = rows_of(restored)
    assert after.pop("answer") == []
    assert after == before
    assert keys.check(restored, text).name == "ops"
    with restored.reading() as snapshot:
        assert [one.content for one in attachments.page(snapshot, case)] == [PICTURE] * 30
    checked = check(restored)
    assert (checked.documents, checked.attachments, checked.problems) == (1, 30, ())


def test_what_was_deleted_and_revoked_does_not_come_back_from_a_copy(file_place, tmp_path):
    gallery = file_place.gallery()
    store = gallery.store
    case, kept = make(store), make(store)
    (first, text), (_, other) = keys.create(store, "one", ["admin"]), keys.create(store, "two", ["admin"])
    back_up(store, tmp_path / "one.db")
    away = (tmp_path / "one.db").rename(tmp_path / "away.db")
    forget_documents(store, [case])
    keys.revoke(store, first.id)
    file_place.close()
    put_back(away, file_place.address, KEY)
    with file_place.store() as restored:
        assert kinds(restored) == {kept}
        assert isinstance(refused(keys.check, restored, text), Unauthenticated)
        assert keys.check(restored, other).name == "two"


def test_a_key_that_was_revoked_is_revoked_in_copies_when_somebody_is_forgotten(three, tmp_path):
    key, text = keys.create(three.store, "one", ["admin"])
    back_up(three.store, tmp_path / "one.db")
    keys.revoke(three.store, key.id)
    with Store(str(tmp_path / "one.db"), KEY) as copy:
        assert keys.check(copy, text).id == key.id
    three.forget("Ada")
    with Store(str(tmp_path / "one.db"), KEY) as copy:
        assert isinstance(refused(keys.check, copy, text), Unauthenticated)


def test_what_was_answered_is_wiped_when_somebody_is_forgotten(three, disk):
    ticket = answers_given.begin(three.store, "local", "k", "digest")
    answers_given.finish(three.store, ticket, GivenAnswer(201, "application/json", b'{"person": "Ada"}'))
    with three.store.reading() as snapshot:
        sealed = bytes(snapshot.connection.execute(sa.select(ANSWER.c.sealed)).scalar_one())
    assert disk.now().holds(sealed)
    three.forget("Ada")
    assert not disk.now().holds(sealed)
    error = refused(answers_given.begin, three.store, "local", "k", "digest")
    assert isinstance(error, IdempotencyMismatch), "it was done, and must not be done again"


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("document", "sealed"),
        ("document", "key"),
        ("attachment", "sealed"),
        ("api_key", "sealed"),
        ("answer", "sealed"),
    ],
)
def test_what_does_not_open_is_found(file_place, table, column):
    with file_place.store() as store:
        make(store, ("a", None), ("b", None))
        keys.create(store, "ops", ["admin"])
        ticket = answers_given.begin(store, "local", "k", "digest")
        answers_given.finish(store, ticket, GivenAnswer(201, "", b"x"))
        assert check(store).problems == ()
    with sqlite3.connect(file_place.address) as raw:
        raw.execute(f"UPDATE {table} SET {column} = zeroblob(100)")
    raw.close()
    with file_place.store() as store:
        assert check(store).problems


def test_a_copy_of_which_an_attachment_is_damaged_is_not_put_back(three, tmp_path, elsewhere):
    make(three.store, ("a", None))
    back_up(three.store, tmp_path / "one.db")
    with sqlite3.connect(tmp_path / "one.db") as raw:
        raw.execute("UPDATE attachment SET sealed = zeroblob(100)")
    raw.close()
    assert type(refused(restore, tmp_path / "one.db", elsewhere.address, KEY)) is StoreCorrupt
