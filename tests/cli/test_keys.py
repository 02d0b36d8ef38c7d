"""`mien keys` and `mien gallery drop`, from the outside."""

import json
import re

import msgspec
import pytest

from gallery.known import KEY, RULE, newcomer
from mien.access import keys
from mien.answers.keys import KeyRow, NewKeyRow, new_key_row
from mien.cli.main import run
from mien.errors import Unauthenticated
from mien.gallery.gallery import Gallery
from mien.gallery.opening import open_store
from mien.gallery.store.store import Store


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without a store."""
    monkeypatch.setenv("MIEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


@pytest.fixture
def mien(home, capfd):
    """Run a command in a home of its own: exit code, stdout, stderr."""

    def called(*words):
        code = run([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return called


def store_of(home):
    return open_store(str(home / "gallery" / "people.db"), str(home / "keys" / "gallery.key"), {})


def listed(mien):
    code, out, _ = mien("keys", "list", "--json")
    assert code == 0
    return msgspec.json.decode(out, type=list[KeyRow])


def made(mien, *words):
    code, out, err = mien("keys", "create", *words)
    assert code == 0, err
    return out.strip()


def test_the_first_key_makes_the_store(mien, home):
    code, out, err = mien("keys", "create", "ops", "--scope", "admin")
    assert code == 0
    assert re.fullmatch(r"mien_[0-9a-z]{13}_[A-Za-z0-9_-]{43}\n", out)
    assert "cannot be shown again" in err
    assert out.strip() not in err
    with store_of(home) as store:
        assert keys.check(store, out.strip()).name == "ops"


def test_a_key_is_shown_once(mien):
    words = ("console", "--scope", "search", "--scope", "detect", "--collection", "b", "--collection", "a")
    code, out, _ = mien("keys", "create", *words, "--rate", "30", "--expires", "2999-12-31", "--json")
    assert code == 0
    row = msgspec.json.decode(out, type=NewKeyRow)
    assert (row.name, row.scopes, row.collections, row.rate_per_minute, row.expires) == (
        *("console", ("detect", "search"), ("a", "b"), 30),
        "3000-01-01T00:00:00.000Z",
    )
    assert row.key.startswith(f"mien_{row.id}_")
    for said in (mien("keys", "list"), mien("keys", "list", "--json"), mien("audit", "list")):
        assert row.id in said[1]
        assert row.key[-43:] not in said[1] + said[2]
    (found,) = listed(mien)
    assert {name: getattr(row, name) for name in KeyRow.__struct_fields__} == msgspec.structs.asdict(found)


def test_a_row_does_not_show_the_text(tmp_path):
    with Store(str(tmp_path / "people.db"), KEY) as store:
        key, text = keys.create(store, "x", ["admin"])
    row = new_key_row(key, text)
    assert row.key == text
    assert text not in f"{row!r} {row}"


def test_a_key_is_exchanged_and_revoked(mien, home):
    first = made(mien, "a [b]", "--scope", "verify")
    key_id = first[5:18]
    code, second, err = mien("keys", "rotate", key_id, "--grace", "1h")
    assert (code, "cannot be shown again" in err) == (0, True)
    with store_of(home) as store:
        assert keys.check(store, first).id == keys.check(store, second.strip()).id == key_id
    third = json.loads(mien("keys", "rotate", key_id, "--json")[1])["key"]
    code, out, err = mien("keys", "revoke", key_id)
    assert code == 2
    assert "--yes" in err
    with store_of(home) as store:
        assert keys.check(store, third).id == key_id
        with pytest.raises(Unauthenticated):
            keys.check(store, first)
    code, out, err = mien("keys", "revoke", key_id, "--yes")
    assert (code, out) == (0, "revoked a [b]\n")
    assert "No key is left" in err
    with store_of(home) as store, pytest.raises(Unauthenticated):
        keys.check(store, third)
    assert listed(mien)[0].revoked
    out = mien("keys", "list")[1]
    assert "a [b]" in out
    assert "revoked" in out
    assert mien("keys", "rotate", key_id)[0] == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "x"), 2),
        (("create", "", "--scope", "admin"), 2),
        (("create", "x", "--scope", "everything"), 2),
        (("create", "x", "--scope", "admin", "--rate", "0"), 2),
        (("create", "x", "--scope", "admin", "--expires", "2020-01-01"), 2),
        (("create", "x", "--scope", "admin", "--expires", "soon"), 2),
        (("create", "x", "--scope", "admin", "--store", "memory"), 2),
        (("rotate", "0000000000000"), 12),
        (("rotate", "0000000000000", "--grace", "1y"), 2),
        (("rotate", "0000000000000", "--grace", "-1"), 2),
        (("rotate", "0000000000000", "--grace", "31d"), 2),
        (("revoke", "nonsense", "--yes"), 12),
    ],
)
def test_what_cannot_be_is_refused(mien, words, code):
    text = made(mien, "ops", "--scope", "admin")
    found, _, err = mien("keys", *words)
    assert found == code
    assert "Traceback" not in err
    assert [one.id for one in listed(mien)] == [text[5:18]]


def test_without_a_store_there_is_nothing_to_list(mien):
    assert mien("keys", "list")[0] == 5
    made(mien, "ops", "--scope", "admin")
    assert mien("keys", "revoke", listed(mien)[0].id, "--yes", "--json")[0] == 0


def test_a_collection_is_dropped(mien, home):
    home.mkdir()
    with store_of(home) as store:
        for name in ("default", "album"):
            Gallery(store, RULE, name).enroll_many([newcomer("Ada", [0, 0]), newcomer("Bo", [5, 0])], "s")
    code, _, err = mien("gallery", "drop", "album")
    assert code == 2
    assert "Forget all 2 people of album" in err
    assert mien("gallery", "drop", "nowhere", "--yes")[0] == 5
    assert mien("gallery", "drop", "album", "--yes")[:2] == (0, "forgot 2 people with 2 faces\n")
    found = json.loads(mien("gallery", "info", "--json")[1])["collections"]
    assert [(row["name"], row["people"]) for row in found] == [("default", 2)]
    done = json.loads(mien("gallery", "drop", "default", "--yes", "--json")[1])
    assert (len(done["people"]), done["faces"]) == (2, 2)
    assert mien("gallery", "verify")[1].startswith("0 people, 0 faces, 0 templates, 0 documents, ")
