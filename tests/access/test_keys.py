"""API keys: made, checked, changed, exchanged and revoked; no secret is kept or told."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from gallery.known import KEY, refused
from mien.access import keys
from mien.errors import ApiKeyUnknown, BadRequest, StoreFull, Unauthenticated
from mien.gallery.sql.engine import MEMORY
from mien.gallery.sql.schema import API_KEY
from mien.gallery.store import audit
from mien.gallery.store.store import Store

LATER = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()


@pytest.fixture
def store():
    with Store(MEMORY, KEY) as found:
        yield found


@pytest.fixture
def made(store):
    return keys.create(store, "the console", ["search", "detect"], rate_per_minute=60)


def is_refused(store, text):
    error = refused(keys.check, store, text)
    assert type(error) is Unauthenticated
    assert (error.message, error.hint) == ("The key is not valid.", "Ask whoever made it for another.")
    return True


def set_row(store, **values):
    with store.writing() as writing:
        writing.connection.execute(API_KEY.update().values(values))


def entries(store):
    with store.reading() as snapshot:
        return [(entry.action, entry.detail) for entry in audit.entries(snapshot.connection)]


def test_a_key_is_what_was_asked_for(store, made):
    key, text = made
    assert re.fullmatch(rf"mien_{key.id}_[A-Za-z0-9_-]{{43}}", text)
    assert (key.name, key.scopes, key.collections, key.rate_per_minute) == (
        *("the console", ("detect", "search")),
        *(None, 60),
    )
    assert (key.expires, key.revoked, key.last_used) == (None, None, None)
    assert keys.check(store, text) == key
    limited, _ = keys.create(store, " b ", ["admin"], collections=["x", "a", "x"], expires=LATER)
    assert (limited.name, limited.collections) == ("b", ("a", "x"))
    assert [one.id for one in keys.every(store)] == sorted([key.id, limited.id])
    assert entries(store) == [
        ("made key", {"key": key.id, "scopes": ["detect", "search"]}),
        ("made key", {"key": limited.id, "scopes": ["admin"]}),
    ]


def test_two_keys_have_nothing_in_common(store):
    texts = [keys.create(store, "x", ["detect"])[1] for _ in range(50)]
    secrets = {text[-43:] for text in texts}
    assert len(secrets) == 50
    assert keys.check(store, texts[7]).id == texts[7][5:18]
    assert is_refused(store, texts[7][:19] + texts[8][19:])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text[:19] + ("A" if text[19] != "A" else "B") + text[20:],
        lambda text: text.upper(),
        lambda text: text.replace("mien_", "mien-"),
        lambda text: text[:5] + "0" * 13 + text[18:],
        lambda text: text[:5] + "%" * 13 + text[18:],
        lambda text: text[:-1] + "\ud800",
        lambda text: text[:-1] + "é",
        lambda text: text[:-1] + "\0",
        lambda text: "x" * 1_000_000,
        lambda text: "mien__",
        lambda text: text[5:],
    ],
)
def test_what_is_not_the_key_is_refused(store, made, change):
    assert is_refused(store, change(made[1]))


def test_the_last_character_counts_whole(store, made):
    """Base 64 of 32 bytes leaves two bits unused: other texts of the same bytes are other keys."""
    text = made[1]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [text[:-1] + letter for letter in letters if letter != text[-1]]
    assert len(others) == 63
    assert all(is_refused(store, other) for other in others)


def test_a_key_that_was_revoked_is_refused_for_good(store, made):
    key, text = made
    revoked = keys.revoke(store, key.id)
    assert revoked.revoked is not None
    assert is_refused(store, text)
    assert keys.revoke(store, key.id) == revoked
    assert [action for action, _ in entries(store)] == ["made key", "revoked key"]
    for action in (keys.rotate, keys.edit):
        assert type(refused(action, store, key.id)) is BadRequest
    assert keys.every(store)[0].revoked == revoked.revoked


def test_a_key_expires(store):
    key, text = keys.create(store, "x", ["detect"], expires=LATER)
    after = datetime.fromisoformat(LATER).replace(tzinfo=UTC) + timedelta(days=1)
    assert datetime.fromisoformat(key.expires) == after, "the last day is the last day"
    assert keys.check(store, text).id == key.id
    set_row(store, expires=audit.written(datetime.now(UTC) - timedelta(milliseconds=1)))
    assert is_refused(store, text)
    keys.edit(store, key.id, expires=None)
    assert keys.check(store, text).expires is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2999-12-31", "3000-01-01T00:00:00.000Z"),
        ("2999-12-31T10:00:00Z", "2999-12-31T10:00:00.000Z"),
        ("2999-12-31T10:00:00", "2999-12-31T10:00:00.000Z"),
        ("2999-12-31T10:00:00+02:00", "2999-12-31T08:00:00.000Z"),
        ("2999-12-31T10:00:00.1239Z", "2999-12-31T10:00:00.123Z"),
    ],
)
def test_ends_are_days_and_moments(text, end):
    assert keys.read_end(text) == end


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2999-13-01",
        "9999-12-31",
        "0001-01-01T00:00:00+14:00",
        "2020-01-01",
        7,
        "2999-12-31\0",
        "\ud800",
    ],
)
def test_what_is_no_end_or_has_passed_is_refused(text):
    assert type(refused(keys.read_end, text)) is BadRequest


@pytest.mark.parametrize(
    "asked",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"name": "\ud800"},
        {"name": None},
        {"scopes": []},
        {"scopes": "admin"},
        {"scopes": ["detect", "all"]},
        {"collections": []},
        {"collections": "default"},
        {"collections": [""]},
        {"collections": ["a", "x" * 201]},
        {"collections": ["a\0"]},
        {"collections": [str(i) for i in range(1001)]},
        {"rate_per_minute": 0},
        {"rate_per_minute": -5},
        {"rate_per_minute": True},
        {"rate_per_minute": 1.5},
        {"rate_per_minute": 10**9},
        {"expires": "2020-01-01"},
        {"expires": ""},
    ],
)
def test_what_no_key_can_have_is_refused(store, asked):
    given = {"name": "x", "scopes": ["detect"]} | asked
    assert type(refused(keys.create, store, **given)) is BadRequest
    assert keys.every(store) == ()
    key, text = keys.create(store, "x", ["detect"])
    assert type(refused(keys.edit, store, key.id, **asked)) is BadRequest
    assert keys.check(store, text) == key


def test_an_edit_changes_what_is_given(store, made):
    key, text = made
    edited = keys.edit(store, key.id, scopes=["verify"], collections=["a"])
    assert (edited.scopes, edited.collections) == (("verify",), ("a",))
    assert (edited.name, edited.rate_per_minute, edited.created) == (key.name, 60, key.created)
    assert keys.edit(store, key.id, rate_per_minute=None, collections=None, name="n").scopes == ("verify",)
    found = keys.check(store, text)
    assert (found.name, found.rate_per_minute, found.collections) == ("n", None, None)
    assert type(refused(keys.edit, store, key.id, secret="x")) is BadRequest
    assert entries(store)[-2] == ("changed key", {"key": key.id, "fields": ["collections", "scopes"]})


@pytest.mark.parametrize("key_id", ["", "0" * 13, "nonsense", "\0" * 13, "\ud800", "x" * 10_000])
def test_what_is_no_key_is_unknown(store, made, key_id):
    for action in (keys.edit, keys.rotate, keys.revoke):
        assert type(refused(action, store, key_id)) is ApiKeyUnknown


def test_an_exchanged_secret_is_valid_for_its_time(store, made):
    key, first = made
    same, second = keys.rotate(store, key.id, 3600)
    assert same.id == key.id
    assert first[:19] == second[:19]
    assert first != second
    assert keys.check(store, first).id == keys.check(store, second).id == key.id
    set_row(store, old_until=audit.now())
    assert is_refused(store, first)
    assert keys.check(store, second).id == key.id
    _, third = keys.rotate(store, key.id)
    assert is_refused(store, second)
    assert keys.check(store, third).id == key.id


def test_only_one_old_secret_is_valid(store, made):
    key, first = made
    _, second = keys.rotate(store, key.id, 60)
    _, third = keys.rotate(store, key.id, 60)
    assert is_refused(store, first)
    assert keys.check(store, second).id == keys.check(store, third).id == key.id
    keys.revoke(store, key.id)
    assert is_refused(store, second)
    assert is_refused(store, third)


@pytest.mark.parametrize("grace_s", [-1, 31 * 86400, float("nan"), float("inf")])
def test_a_grace_that_is_none_is_refused(store, made, grace_s):
    assert type(refused(keys.rotate, store, made[0].id, grace_s)) is BadRequest
    assert keys.check(store, made[1]).id == made[0].id


def test_whether_there_is_a_key(store):
    assert not keys.any_key(store)
    key, _ = keys.create(store, "x", ["detect"])
    assert keys.any_key(store)
    set_row(store, expires="2020-01-01T00:00:00.000Z")
    assert keys.any_key(store), "a server that was closed does not open at midnight"
    keys.revoke(store, key.id)
    assert not keys.any_key(store)


def test_its_use_is_noted_once_a_minute(store, made):
    key, text = made
    keys.check(store, text)
    first = keys.every(store)[0].last_used
    assert datetime.now(UTC) - datetime.fromisoformat(first) < timedelta(seconds=30)
    set_row(store, last_used=(recent := audit.written(datetime.now(UTC) - timedelta(seconds=50))))
    keys.check(store, text)
    assert keys.every(store)[0].last_used == recent
    set_row(store, last_used=(old := audit.written(datetime.now(UTC) - timedelta(seconds=70))))
    keys.check(store, text)
    assert keys.every(store)[0].last_used > old
    assert keys.edit(store, key.id, name="n").last_used > old
    assert [action for action, _ in entries(store)] == ["made key", "changed key"]


def test_a_full_disk_locks_nobody_out(store, made, monkeypatch):
    def full(*_):
        raise StoreFull("no room")

    monkeypatch.setattr("mien.gallery.store.api_keys.touch", full)
    assert keys.check(store, made[1]).id == made[0].id


def test_no_secret_is_kept_or_told(tmp_path):
    with Store(str(tmp_path / "people.db"), KEY) as store:
        key, text = keys.create(store, "Schnurzelpfiff", ["admin"], collections=["flumpert"])
        _, second = keys.rotate(store, key.id, 60)
        shown = repr(key) + repr(keys.every(store)) + str(entries(store))
        with store.reading() as snapshot:
            row = snapshot.connection.execute(sa.select(API_KEY)).one()
    for secret in (text[-43:], second[-43:], "Schnurzelpfiff", "flumpert"):
        assert secret not in shown
    content = (tmp_path / "people.db").read_bytes()
    assert key.id.encode() in content
    for secret in (text[-43:], second[-43:], "Schnurzelpfiff"):
        assert secret.encode() not in content
    assert len(row.mac) == len(row.old_mac) == 32


def test_a_digest_that_was_moved_to_another_key_does_not_open_it(tmp_path):
    with Store(str(tmp_path / "people.db"), KEY) as store:
        weak, text = keys.create(store, "weak", ["detect"])
        strong, _ = keys.create(store, "strong", ["admin"])
    with sqlite3.connect(tmp_path / "people.db") as raw:
        (mac,) = raw.execute("SELECT mac FROM api_key WHERE id = ?", (weak.id,)).fetchone()
        raw.execute("UPDATE api_key SET mac = ? WHERE id = ?", (mac, strong.id))
    raw.close()
    with Store(str(tmp_path / "people.db"), KEY) as store:
        assert is_refused(store, text.replace(weak.id, strong.id))


def test_keys_change_nothing_that_an_index_knows(store, made):
    before = store.change
    keys.edit(store, made[0].id, name="n")
    keys.rotate(store, made[0].id)
    keys.revoke(store, made[0].id)
    assert store.change == before
