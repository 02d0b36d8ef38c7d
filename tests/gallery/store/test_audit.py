"""The log of who did what: complete, silent about people, and nothing in it can be changed unseen."""

import hashlib
import hmac
import json
import sqlite3

import numpy as np
import pytest
import sqlalchemy as sa

from gallery.known import face, newcomer, refused, vectors
from mien.errors import AuditBroken, BadRequest
from mien.gallery.checking import check
from mien.gallery.sql.schema import AUDIT, STORE
from mien.gallery.store import audit


def entries(store, after=0):
    with store.reading() as snapshot:
        return list(audit.entries(snapshot.connection, after))


def verify(store):
    with store.reading() as snapshot:
        return audit.verify(snapshot.connection, snapshot.ring.audit_key)


def tamper(store, *statements):
    """What somebody does who may write to the database, and has no key."""
    with store.engine.connect().execution_options(mien_way="writes") as connection, connection.begin():
        for statement in statements:
            if isinstance(statement, str):
                connection.exec_driver_sql(statement)
            else:
                connection.execute(statement)


@pytest.fixture
def busy(place):
    """A gallery in which much was done."""
    gallery = place.gallery()
    gallery.enroll_many(
        [newcomer("Ada Secret", face([1, 0], "digest-one", crop=b"jpg")), newcomer("Bo Secret", [0, 1])], "s"
    )
    gallery.identify(vectors([1, 0]), "s")
    gallery.search(vectors([1, 0]), "s")
    gallery.compare("Bo Secret", vectors([0, 1]), "s")
    gallery.edit("Bo Secret", tags=["tag-secret"])
    gallery.people(["tag-secret"])
    gallery.crop(gallery.faces("Ada Secret")[0].id)
    gallery.enroll("Cy Secret", vectors([5, 5]), "s")
    gallery.merge("Bo Secret", ["Cy Secret"])
    gallery.templates()
    gallery.forget("Ada Secret")
    return gallery


def test_everything_that_was_done_is_noted_in_order(busy):
    found = entries(busy.store)
    assert [entry.action for entry in found] == [
        "made collection", "enrolled", "searched", "searched", "compared", "edited", "listed", "saw", "saw",
        "enrolled", "merged", "read templates", "forgot",
    ]  # fmt: skip
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    times = [entry.time for entry in found]
    assert times == sorted(times)
    assert {entry.actor for entry in found} == {busy.store.actor}
    assert {entry.collection_id for entry in found} == {busy.collection.id}
    assert entries(busy.store, after=10) == found[10:]


def test_who_is_told_by_identifier_and_what_was_done_in_numbers(busy):
    found = {entry.action: entry.detail for entry in entries(busy.store)}
    bo = busy.person("Bo Secret")
    assert found["compared"] == {"probes": 1, "person": bo.id}
    assert found["edited"] == {"person": bo.id, "fields": ["tags"]}
    assert found["merged"]["into"] == bo.id
    assert found["forgot"]["faces"] == 1


def test_no_name_vector_or_picture_is_in_it(busy):
    text = json.dumps([str(entry) for entry in entries(busy.store)])
    for secret in ("Ada Secret", "Secret", "tag-secret", "photo.jpg", "digest-one", "jpg"):
        assert secret not in text, secret
    with busy.store.reading() as snapshot:
        rows = snapshot.connection.execute(sa.select(AUDIT)).all()
    for row in rows:
        content = "".join(str(value) for value in row).encode() + row.mac
        assert vectors([1, 0]).tobytes() not in content
        assert len(row.detail) < 300


def test_what_failed_is_not_noted_as_done(busy):
    before = entries(busy.store)
    refused(busy.edit, "Bo Secret", tags="wrong")
    refused(busy.forget, "Nobody")
    refused(busy.enroll, "Di", vectors([np.nan, 1]), "s")
    assert entries(busy.store) == before


def test_the_codes_are_a_chain_that_can_be_recomputed(busy):
    with busy.store.reading() as snapshot:
        key = snapshot.ring.audit_key
        rows = snapshot.connection.execute(sa.select(AUDIT).order_by(AUDIT.c.seq)).all()
    before = bytes(32)
    for row in rows:
        fields = [row.seq, row.time, row.actor, row.action, row.collection_id, row.detail]
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
        assert row.mac == hmac.new(key, before + text, hashlib.sha256).digest()
        before = row.mac
    assert verify(busy.store) == audit.End(len(rows), before)
    assert check(busy.store).audit_end == before.hex()


def _row(store, seq):
    with store.reading() as snapshot:
        row = snapshot.connection.execute(sa.select(AUDIT).where(AUDIT.c.seq == seq)).mappings().one()
    return dict(row)


def _swap_codes(store):
    one, two = _row(store, 3)["mac"], _row(store, 4)["mac"]
    change = AUDIT.update()
    return [change.where(AUDIT.c.seq == 3).values(mac=two), change.where(AUDIT.c.seq == 4).values(mac=one)]


def _swap_entries(store):
    return [f"UPDATE audit SET seq = {new} WHERE seq = {old}" for old, new in ((3, 99), (4, 3), (99, 4))]


def _drop_and_close_the_gap(store):
    return [
        "DELETE FROM audit WHERE seq = 4",
        *(f"UPDATE audit SET seq = {i - 1} WHERE seq = {i}" for i in range(5, 14)),
    ]


def _insert(store, **changes):
    return [AUDIT.insert().values(**_row(store, 5) | changes)]


TAMPERING = {
    "another action": lambda _: ["UPDATE audit SET action = 'listed' WHERE seq = 3"],
    "another time": lambda _: ["UPDATE audit SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 1"],
    "another actor": lambda _: ["UPDATE audit SET actor = 'somebody' WHERE seq = 13"],
    "another collection": lambda _: ["UPDATE audit SET collection_id = NULL WHERE seq = 2"],
    "another person": lambda _: ["UPDATE audit SET detail = '{}' WHERE seq = 11"],
    "space in a detail": lambda _: ["UPDATE audit SET detail = detail || ' ' WHERE seq = 11"],
    "another code": lambda _: [AUDIT.update().where(AUDIT.c.seq == 6).values(mac=bytes(32))],
    "a shorter code": lambda _: [AUDIT.update().where(AUDIT.c.seq == 6).values(mac=b"")],
    "the first is gone": lambda _: ["DELETE FROM audit WHERE seq = 1"],
    "one is gone": lambda _: ["DELETE FROM audit WHERE seq = 7"],
    "the last is gone": lambda _: ["DELETE FROM audit WHERE seq = 13"],
    "all are gone": lambda _: ["DELETE FROM audit"],
    "one is gone and the others moved up": _drop_and_close_the_gap,
    "one was put at the end": lambda store: _insert(store, seq=14),
    "one was put before the first": lambda store: _insert(store, seq=0),
    "one was put long before the first": lambda store: _insert(store, seq=-5),
    "two have changed places": _swap_entries,
    "two codes have changed places": _swap_codes,
    "the end is noted elsewhere": lambda _: ["UPDATE store SET audit_seq = 12"],
    "the end has another code": lambda _: [STORE.update().values(audit_mac=bytes(32))],
}


@pytest.mark.parametrize("way", TAMPERING)
def test_every_kind_of_tampering_is_found(busy, way):
    verify(busy.store)
    tamper(busy.store, *TAMPERING[way](busy.store))
    with pytest.raises(AuditBroken) as caught:
        verify(busy.store)
    assert caught.value.hint
    assert check(busy.store).problems != ()


def test_what_is_of_another_type_is_found(file_place):
    gallery = file_place.gallery()
    gallery.enroll("Ada", vectors([1, 0]), "s")
    for column in ("mac", "detail", "time", "seq"):
        with sqlite3.connect(file_place.address) as raw:
            old = raw.execute(f"SELECT {column} FROM audit WHERE seq = 2").fetchone()[0]
            raw.execute(
                f"UPDATE audit SET {column} = ? WHERE seq = 2", (b"\xff\xfe" if column != "mac" else "text",)
            )
        raw.close()
        with pytest.raises(AuditBroken):
            verify(gallery.store)
        assert check(gallery.store).problems != ()
        if column in {"mac", "detail"}:
            assert isinstance(refused(entries, gallery.store), AuditBroken)
        with sqlite3.connect(file_place.address) as raw:
            raw.execute(f"UPDATE audit SET {column} = ? WHERE action = 'enrolled'", (old,))
        raw.close()
        verify(gallery.store)


def test_entries_of_another_key_do_not_fit(busy):
    last = verify(busy.store)
    with busy.store.writing() as writing:
        audit.append(writing.connection, bytes(32), last, "me", "listed", None, {})
    with pytest.raises(AuditBroken):
        verify(busy.store)


def test_a_tail_that_was_cut_off_with_its_note_is_found_by_an_end_that_was_kept(busy):
    noted = verify(busy.store)
    kept = f"{noted.seq}:{noted.mac.hex()}"
    before = _row(busy.store, 10)["mac"]
    busy.people()
    with busy.store.reading() as snapshot:
        audit.verify_end(snapshot.connection, kept)
    tamper(
        busy.store, "DELETE FROM audit WHERE seq > 10", STORE.update().values(audit_seq=10, audit_mac=before)
    )
    verify(busy.store)  # cannot see it, as its documentation says
    with busy.store.reading() as snapshot, pytest.raises(AuditBroken, match="13"):
        audit.verify_end(snapshot.connection, kept)


@pytest.mark.parametrize("noted", ["", "x", "12", "12:", ":ab", "²:ab", "-1:ab", "9" * 40 + ":ab"])
def test_what_is_no_end_is_refused(place, noted):
    with place.store().reading() as snapshot, pytest.raises(BadRequest):
        audit.verify_end(snapshot.connection, noted)


def test_a_long_log_is_read_in_portions(place, monkeypatch):
    monkeypatch.setattr(audit, "_PORTION", 7)
    store = place.store()
    for i in range(30):
        with store.writing(light=True) as writing:
            writing.note("counted", number=i)
    found = entries(store)
    assert [entry.detail["number"] for entry in found] == list(range(30))
    assert verify(store).seq == 30
    tamper(store, "DELETE FROM audit WHERE seq = 15")
    with pytest.raises(AuditBroken, match="14"):
        verify(store)
