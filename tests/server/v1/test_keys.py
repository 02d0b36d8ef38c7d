"""API keys over HTTP; what they open is in test_authorisation."""

import re

import pytest

from mien.access.scopes import SCOPES
from server.serving import served


@pytest.fixture(scope="module")
def found(mien_home, tmp_path_factory):
    with served(tmp_path_factory.mktemp("keys"), mien_home, wait=False) as one:
        one.admin = one.key("admin")
        yield one


@pytest.fixture
def ask(found):
    """Ask as an administrator."""
    return lambda method, path, **told: found.client.request(
        method, f"/v1/keys{path}", headers=found.admin, **told
    )


def make(ask, **told):
    answer = ask("POST", "", json={"name": "turnstile", "scopes": ["detect"], **told})
    assert answer.status_code == 201, answer.text
    return answer.json()


def me(found, key):
    return found.client.get("/v1/me", headers={"x-api-key": key})


def test_a_key_is_made_and_its_text_is_shown_once(found, ask):
    row = make(
        ask, scopes=["search", "detect"], collections=["b", "a"], rate_per_minute=90, expires="2999-12-31"
    )
    text = row.pop("key")
    assert re.fullmatch(rf"mien_{row['id']}_[A-Za-z0-9_-]{{43}}", text)
    assert row.pop("created")
    assert row == {
        "id": row["id"],
        "name": "turnstile",
        "scopes": ["detect", "search"],
        "collections": ["a", "b"],
        "rate_per_minute": 90,
        "expires": "3000-01-01T00:00:00.000Z",
        "last_used": None,
        "revoked": None,
    }
    listed = ask("GET", "")
    assert text not in listed.text
    assert text.rpartition("_")[2] not in listed.text
    assert {**row} == {
        name: value
        for name, value in next(one for one in listed.json()["items"] if one["id"] == row["id"]).items()
        if name != "created"
    }
    assert me(found, text).json()["name"] == "turnstile"
    used = next(one for one in ask("GET", "").json()["items"] if one["id"] == row["id"])
    assert used["last_used"]


def test_keys_are_listed_in_parts_oldest_first(ask):
    mine = [make(ask, name=f"k{number}")["id"] for number in range(5)]
    found, params = [], {"limit": 2}
    while True:
        part = ask("GET", "", params=params).json()
        found += [one["id"] for one in part["items"]]
        if part["next"] is None:
            break
        params["cursor"] = part["next"]
    assert found[-5:] == mine
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "told",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"name": None},
        {"scopes": []},
        {"scopes": ["root"]},
        {"scopes": "admin"},
        {"scopes": None},
        {"collections": []},
        {"collections": [""]},
        {"collections": "a"},
        {"collections": ["x" * 201]},
        {"rate_per_minute": 0},
        {"rate_per_minute": 1.5},
        {"rate_per_minute": 10**7},
        {"expires": "2001-01-01"},
        {"expires": "never"},
        {"expires": 7},
        {"expires": "9999-12-31T23:59:59-23:59"},
        {"id": "0000000000000"},
        {"key": "mien_mine"},
    ],
    ids=ascii,
)
def test_keys_that_cannot_be(ask, told):
    before = len(ask("GET", "").json()["items"])
    refused = ask("POST", "", json={"name": "x", "scopes": ["detect"], **told})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_request")
    assert len(ask("GET", "").json()["items"]) == before
    key = make(ask)["id"]
    if told != {"expires": None}:
        assert ask("PATCH", f"/{key}", json=told).status_code == 400


def test_what_a_key_may_do_is_changed_at_once(found, ask):
    row = make(ask, collections=["a"], rate_per_minute=600, expires="2999-12-31")
    assert me(found, row["key"]).json()["scopes"] == ["detect"]
    changed = ask("PATCH", f"/{row['id']}", json={"scopes": ["verify"], "name": "door"}).json()
    assert (changed["scopes"], changed["name"], changed["collections"]) == (["verify"], "door", ["a"])
    assert me(found, row["key"]).json()["scopes"] == ["verify"]
    nothing = {"collections": None, "rate_per_minute": None, "expires": None}
    changed = ask("PATCH", f"/{row['id']}", json=nothing).json()
    assert {name: changed[name] for name in nothing} == nothing
    assert ask("PATCH", f"/{row['id']}", json={}).json()["name"] == "door"
    assert "key" not in changed


def test_a_key_that_was_revoked_stays_so(found, ask):
    row = make(ask)
    assert ask("DELETE", f"/{row['id']}").status_code == 204
    assert me(found, row["key"]).status_code == 401
    assert ask("DELETE", f"/{row['id']}").status_code == 204, "it is revoked, whoever asks again"
    for method, path, body in (("PATCH", "", {"name": "x"}), ("POST", "/rotate", {})):
        refused = ask(method, f"/{row['id']}{path}", json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_request")
    listed = next(one for one in ask("GET", "").json()["items"] if one["id"] == row["id"])
    assert listed["revoked"]


def test_a_secret_is_exchanged(found, ask):
    row = make(ask)
    rotated = ask("POST", f"/{row['id']}/rotate", json={"grace_s": 3600}).json()
    assert rotated["id"] == row["id"]
    assert rotated["key"] != row["key"]
    assert [me(found, key).status_code for key in (row["key"], rotated["key"])] == [200, 200]
    again = ask("POST", f"/{row['id']}/rotate", json={}).json()
    assert [me(found, key).status_code for key in (row["key"], rotated["key"], again["key"])] == [
        401,
        401,
        200,
    ]
    for grace in (-1, 30 * 24 * 3600 + 1, "x", None):
        assert ask("POST", f"/{row['id']}/rotate", json={"grace_s": grace}).status_code == 400


@pytest.mark.parametrize("key", ["0000000000000", "nonsense", "%00", "x" * 300])
def test_keys_that_are_none(ask, key):
    for method, path, body in (("PATCH", "", {}), ("POST", "/rotate", {}), ("DELETE", "", None)):
        answer = ask(method, f"/{key}{path}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "api_key_unknown")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "mien_",
        "mien_0000000000000_" + "A" * 43,
        "mien_0000000000000_" + "A" * 10_000,
        "Bearer x",
        "é",
        "a" * 30_000,
        "../../etc",
        "' OR 1=1 --",
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_texts_that_are_no_keys(found, text):
    for headers in (
        {"x-api-key": text.encode("latin-1")},
        {"authorization": b"Bearer " + text.encode("latin-1")},
    ):
        headers = {name: value.strip() for name, value in headers.items()}
        answer = found.client.get("/v1/me", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert not text.strip() or text not in answer.text


def test_a_key_that_has_expired_opens_nothing(found, ask, monkeypatch):
    row = make(ask, expires="2999-12-31")
    assert me(found, row["key"]).status_code == 200
    found.service.forget_keys()
    monkeypatch.setattr("mien.gallery.store.audit.now", lambda: "3000-01-01T00:00:00.000Z")
    assert me(found, row["key"]).status_code == 401


def test_all_scopes_can_be_given(found, ask):
    row = make(ask, scopes=list(reversed(SCOPES)))
    assert row["scopes"] == list(SCOPES)
