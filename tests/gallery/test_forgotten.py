"""Proofs: nothing of a person can be read from the bytes that lie on the disk, nor is left once forgotten."""

import shutil
import sqlite3
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from gallery.everything import Everything
from gallery.known import KEY, OTHER_KEY, Place, face, names, newcomer, refused, spread
from mien.errors import IndexStale, KeyWrong, PersonUnknown
from mien.gallery import backups
from mien.gallery.backups import back_up, restore
from mien.gallery.choices import IndexChoices
from mien.gallery.rotating import rotate
from mien.gallery.sql.schema import COLLECTION, FACE, PERSON, STORE, TEMPLATE
from mien.gallery.store.reading import index_key
from mien.gallery.store.records import NewFace, Provenance
from mien.gallery.store.store import Store
from mien.gallery.vault.streams import SealedReader

DIMENSIONS = 512
ADA = "Ada Zwölfaxing-Quirrlsbach"
SECRETS = (ADA, "tag-flumpert", "grobwixel", "Note: Schnurzelpfiff agreed", "/photos/krumbholz/IMG_9931.jpg")


def person(name, rows, crop):
    faces = [
        NewFace(
            row,
            Provenance(source=SECRETS[4], digest="ab" * 32, box=(1, 2, 3, 4)) if i == 0 else Provenance(),
            crop,
        )
        for i, row in enumerate(rows)
    ]
    return newcomer(
        name,
        *faces,
        tags=(SECRETS[1],),
        metadata={"where": SECRETS[2]},
        note=SECRETS[3],
        until=date(2099, 1, 1),
    )


class Kept:
    """A gallery with Ada among others, its saved index and a backup, and what lies on the disk of it."""

    def __init__(self, place, home, rng, disk):
        self.place, self.home, self.disk = place, home, disk
        self.rows, self.crop = spread(rng, 3, DIMENSIONS), rng.bytes(3000)
        self.others = spread(rng, 40, DIMENSIONS)
        self.choices = IndexChoices(folder=home / "indexes", save_from=1)
        self.gallery = self.open()
        self.gallery.enroll_many([newcomer(f"p{i}", row) for i, row in enumerate(self.others)], "s")
        self.gallery.enroll_many([person(ADA, self.rows, self.crop)], "s")
        assert names(self.gallery, self.rows) == [[ADA]] * 3
        assert self.gallery.nearby.save()
        self.backup = home / "backups" / "copy.db"
        back_up(self.gallery.store, self.backup)

    def open(self, **options):
        return self.place.gallery(choices=self.choices, store=self.place.store(), **options)

    def sealed(self):
        """What lies in the store of Ada, sealed: her key first."""
        with self.gallery.store.reading() as snapshot:
            ada = self.gallery._person(snapshot, ADA).id
            rows = snapshot.connection.execute(
                sa.select(PERSON.c.key, PERSON.c.sealed, PERSON.c.name_mac).where(PERSON.c.id == ada)
            ).one()
            faces = snapshot.connection.execute(
                sa.select(FACE.c.sealed, FACE.c.crop, FACE.c.source_mac).where(FACE.c.person_id == ada)
            ).all()
            templates = snapshot.connection.execute(
                sa.select(TEMPLATE.c.sealed).join(FACE).where(FACE.c.person_id == ada)
            ).all()
        return [bytes(value) for row in (rows, *faces, *templates) for value in row if value is not None]

    def on_disk(self, *, log=True):
        """Everything, or all but the log of the server."""
        return Everything(self.home, *(one for one in self.disk(self.place) if log or one.name != "pg_wal"))


@pytest.fixture
def disk(request):
    """Where a back end writes, after it was told to write everything that it holds back."""

    def folders(place):
        if place.kind == "sqlite":
            return []
        server = request.getfixturevalue("postgres")
        server.run("CHECKPOINT")
        return list(server.data.iterdir())

    return folders


@pytest.fixture
def kept(lasting, tmp_path, rng, disk):
    return Kept(lasting, tmp_path, rng, disk)


def test_nothing_of_a_person_can_be_read_from_the_disk(kept):
    found = kept.on_disk()
    for vector in [*kept.rows, *kept.others]:
        for form in ("<f4", "<f2", ">f4", "<f8"):
            assert not found.holds(vector.astype(form).tobytes())
    assert not found.holds(kept.crop)
    for text in (*SECRETS, "Zwölfaxing", "krumbholz", "Schnurzelpfiff"):
        assert not found.holds_text(text), text
    for key in _keys(kept):
        assert not found.holds(key)
    # The same search finds what does lie there: sealed values, and the name of the collection.
    assert all(found.holds(content) for content in kept.sealed())
    assert found.holds_text("default")


def _keys(kept):
    """Every opened key: of the store, of names and of the log, and Ada's."""
    with kept.gallery.store.reading() as snapshot:
        ring = snapshot.ring
        for row in snapshot.connection.execute(sa.select(PERSON.c.id, PERSON.c.key)):
            yield ring.unwrap(row.key, row.id)
        yield ring.name_key
        yield ring.audit_key
        yield bytes(range(32))


def test_the_search_for_bytes_finds_what_was_not_sealed(kept):
    """What the tests above and below rest on: had anything been written in the open, they would see it."""
    vector = kept.rows[0]
    with kept.gallery.store.writing() as writing:
        writing.connection.execute(COLLECTION.update().values(embedder=ADA, next_space="Schnurzelpfiff"))
        writing.note("marked", vector=vector.tobytes().hex())
        writing.connection.execute(FACE.update().values(source_mac=vector.astype("<f2").tobytes()))
    (kept.home / "indexes" / "open.index").write_bytes(b"x" * 1001 + kept.crop)
    found = kept.on_disk()
    assert found.holds_text(ADA)
    assert found.holds_text("Schnurzelpfiff")
    assert found.holds(vector.astype("<f2").tobytes())
    assert found.holds(vector.tobytes().hex().encode())
    assert found.holds(kept.crop)
    assert not found.holds(kept.rows[1].tobytes())


def test_without_the_key_nothing_opens(kept):
    error = refused(kept.place.store, OTHER_KEY)
    assert isinstance(error, KeyWrong)
    assert ADA not in f"{error} {error.hint} {error.__cause__!r}"
    assert isinstance(refused(restore, kept.backup, str(kept.home / "new.db"), OTHER_KEY), KeyWrong)
    assert not (kept.home / "new.db").exists()


def test_nothing_is_left_of_the_forgotten(kept, tmp_path):
    other = kept.open()
    assert names(other, kept.rows) == [[ADA]] * 3
    other.nearby.save()
    gallery, sealed = kept.gallery, kept.sealed()
    before = kept.on_disk()
    assert all(before.holds(content) for content in sealed)
    stolen = [(path.name, path.read_bytes()) for path in (kept.home / "indexes").iterdir()]
    assert stolen
    faces = [one.id for one in gallery.faces(ADA)]

    done = gallery.forget(ADA)
    assert (done.faces, done.backups, done.unreached) == (3, (str(kept.backup),), ())

    found = kept.on_disk()
    key, *rest = sealed
    if kept.place.kind == "sqlite":
        assert [content for content in sealed if found.holds(content)] == []
    else:
        assert not kept.on_disk(log=False).holds(key), "it is in no table"
        assert found.holds(key), "it is in the log of the server; if not, the documentation is too modest"
    with sqlite3.connect(kept.backup) as copy:
        assert copy.execute("SELECT count(*) FROM person").fetchone() == (40,)
    copy.close()
    assert not Everything(kept.backup.parent).holds(rest[0])
    for name, content in stolen:
        (tmp_path / name).write_bytes(content)
        assert not _opens(tmp_path / name, kept)
    for one in (gallery, other, kept.open()):
        assert isinstance(refused(one.person, ADA), PersonUnknown)
        matches = one.search(kept.rows, "s", 5)
        assert ADA not in matches.person.ravel().tolist()
        assert not set(faces) & set(matches.face_id.ravel().tolist())
        one.nearby.save()
    for path in (kept.home / "indexes").iterdir():
        assert _opens(path, kept)
    _no_vector_in(kept, kept.rows)


def _opens(path, kept):
    """Whether a saved index opens with the key that the store has now, or any that a backup has."""
    collection = kept.gallery.collection.id
    stores = [kept.gallery.store, kept.place.store()]
    try:
        for store in stores:
            with store.reading() as snapshot, path.open("rb") as raw:
                content = SealedReader(raw, index_key(snapshot, collection), path.name).readall()
                return len(content) > 0
    except IndexStale:
        return False


def _no_vector_in(kept, rows):
    """What is saved now, opened: others are in it, the forgotten are not."""
    for path in (kept.home / "indexes").iterdir():
        with kept.gallery.store.reading() as snapshot, path.open("rb") as raw:
            content = SealedReader(raw, index_key(snapshot, kept.gallery.collection.id), path.name).readall()
        assert kept.others[0].astype("<f2").tobytes() in content
        for row in rows:
            assert row.astype("<f2").tobytes()[:16] not in content


def test_an_index_that_another_process_saves_later_does_not_hold_the_forgotten(kept):
    other = kept.open()
    assert names(other, kept.rows[:1]) == [[ADA]]
    other.enroll("Newest", spread(np.random.default_rng(3), 1, DIMENSIONS), "s")
    kept.gallery.forget(ADA)
    assert other.nearby.save()
    _no_vector_in(kept, kept.rows)


def test_a_copy_has_no_key_of_a_saved_index(kept, tmp_path):
    later = spread(np.random.default_rng(4), 1, DIMENSIONS)
    kept.gallery.enroll("Late", later, "s")
    assert kept.gallery.nearby.save()
    (path,) = (kept.home / "indexes").iterdir()
    stolen = tmp_path / path.name
    shutil.copyfile(path, stolen)
    kept.gallery.forget("Late")
    with (
        Store(str(kept.backup), KEY, read_only=True) as copy,
        copy.reading() as snapshot,
        stolen.open("rb") as raw,
    ):
        key = index_key(snapshot, kept.gallery.collection.id)
        assert isinstance(refused(SealedReader(raw, key, path.name).readall), IndexStale)


def test_who_was_merged_into_the_forgotten_is_forgotten_in_backups_too(kept):
    gallery = kept.gallery
    ada, p0 = gallery.person(ADA), gallery.person("p0")
    gallery.merge(ADA, ["p0"])
    moved = [one.id for one in gallery.faces("p1")]
    gallery.move(moved, ADA)
    album = kept.place.gallery(collection="album", store=gallery.store)
    album.enroll_many([newcomer(None, kept.others[30])], "s")
    later = kept.home / "backups" / "later.db"
    back_up(gallery.store, later)
    gallery.adopt(album, album.people()[0].id, ADA)
    gallery.forget(ADA)
    for path, left in ((kept.backup, 39), (later, 39)):
        restored = kept.home / f"restored-{path.name}"
        restore(path, str(restored), KEY)
        with Store(str(restored), KEY) as store:
            again = kept.place.gallery(store=store)
            ids = {one.id for one in again.people()}
            assert not ids & {ada.id, p0.id}
            assert len(ids) == left
            rows = {row.tobytes() for row in again.templates().vectors}
            assert not rows & {
                kept.others[0].tobytes(),
                kept.others[1].tobytes(),
                *(r.tobytes() for r in kept.rows),
            }
            assert kept.place.gallery(collection="album", store=store).people() == ()


def test_a_backup_that_was_out_of_reach_is_scrubbed_the_next_time(kept):
    away = kept.backup.with_name("away")
    kept.backup.rename(away)
    kept.backup.write_bytes(b"no database" * 1000)
    sealed = kept.sealed()
    assert kept.gallery.forget(ADA).unreached == (str(kept.backup),)
    away.rename(kept.backup)
    assert Everything(kept.backup.parent).holds(sealed[1])
    assert kept.gallery.forget("p3").backups == (str(kept.backup),)
    assert not any(Everything(kept.backup.parent).holds(content) for content in sealed)


def test_who_is_forgotten_while_a_backup_is_made_is_not_in_it(kept, monkeypatch):
    def slow(store, files, action="backed up"):
        kept.gallery.forget(ADA)
        return remember(store, files, action)

    remember = backups.remember
    sealed = kept.sealed()
    monkeypatch.setattr(backups, "remember", slow)
    back_up(kept.gallery.store, kept.home / "backups" / "meanwhile.db")
    assert not any(Everything(kept.home / "backups").holds(content) for content in sealed)


def test_an_exchanged_key_is_gone_too(kept):
    with kept.gallery.store.reading() as snapshot:
        row = snapshot.connection.execute(sa.select(STORE)).one()
        old = [bytes(row.wrapped), bytes(row.secrets)]
        old += [bytes(one) for one in snapshot.connection.execute(sa.select(PERSON.c.key)).scalars()]
        old += [
            bytes(one) for one in snapshot.connection.execute(sa.select(COLLECTION.c.index_key)).scalars()
        ]
    before = kept.on_disk()
    assert all(before.holds(content) for content in old)
    rotate(kept.gallery.store, OTHER_KEY)
    found = kept.on_disk(log=False)
    assert [found.where(content[:16]) for content in old if found.holds(content)] == []


def test_pages_that_are_rebuilt_leave_nothing_of_the_forgotten(file_place, rng):
    """Many people come, change and go in a small file: the database moves rows between pages all the time."""
    gallery = file_place.gallery()
    folder = Path(file_place.address).parent
    here, count = [], 0
    for _ in range(60):
        batch = []
        for _ in range(rng.integers(1, 12)):
            count += 1
            crop = rng.bytes(int(rng.choice([0, 50, 900, 9000]))) or None
            batch.append(
                newcomer(
                    f"n{count}", face(rng.normal(0, 1, 64), crop=crop), note="y" * int(rng.integers(0, 3000))
                )
            )
        gallery.enroll_many(batch, "s")
        here += [one.about.name for one in batch]
        for name in rng.choice(here, 3):
            gallery.edit(str(name), consent_note="z" * int(rng.integers(0, 5000)))
        if len(here) > 20:
            gone = [here.pop(int(rng.integers(len(here)))) for _ in range(rng.integers(1, 8))]
            sealed = [content for name in gone for content in sealed_of(gallery, name)]
            gallery.forget(gone)
            found = Everything(folder)
            assert [found.where(content[:16]) for content in sealed if found.holds(content)] == []


def sealed_of(gallery, name):
    with gallery.store.reading() as snapshot:
        ident = gallery._person(snapshot, name).id
        person = snapshot.connection.execute(
            sa.select(PERSON.c.key, PERSON.c.sealed, PERSON.c.name_mac).where(PERSON.c.id == ident)
        ).one()
        faces = snapshot.connection.execute(
            sa.select(FACE.c.sealed, FACE.c.crop, TEMPLATE.c.sealed)
            .join(TEMPLATE)
            .where(FACE.c.person_id == ident)
        ).all()
    return [bytes(value) for row in (person, *faces) for value in row if value is not None]


@pytest.mark.parametrize("policies", [("best_face",), ("centroid", "best_face")])
def test_nothing_is_left_in_an_index_that_the_server_keeps(postgres, rng, policies):
    """Also if it is somebody else who forgets, and searches in another way."""
    place = Place(postgres.fresh(), "postgres")
    store = place.store()
    rows = spread(rng, 12, DIMENSIONS)
    servers = [
        place.gallery(store=store, choices=IndexChoices(kind="pgvector", policy=policy))
        for policy in policies
    ]
    servers[0].enroll_many([newcomer(f"p{i}", row) for i, row in enumerate(rows)], "s")
    for server in servers:
        assert names(server, rows[:2]) == [["p0"], ["p1"]]
    gone = servers[0].person("p1")
    ids = [gone.id.encode(), servers[0].faces("p1")[0].id.encode()]

    def files():
        postgres.restart()  # which writes tables that are not logged, unlike a checkpoint
        tables = postgres.run(
            "SELECT pg_relation_filepath(oid::regclass) FROM pg_class "
            "WHERE relname LIKE 'nearby%' AND relkind IN ('r', 'i')",
            address=place.address,
        )
        assert len(tables) > 2
        return b"".join((postgres.data / path).read_bytes() for (path,) in tables)

    content = files()
    assert all(one in content for one in ids)
    other = place.gallery(store=place.store())
    other.forget("p1")
    content = files()
    assert servers[0].person("p0").id.encode() in content
    assert not any(one in content for one in ids)
    for server in servers:
        assert names(server, rows[1:2], 12)[0].count("p1") == 0
    place.close()
    postgres.drop(place.address)
