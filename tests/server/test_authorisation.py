"""Every route with every scope: who may, and who may not."""

import re

import pytest
from fastapi.routing import APIRoute

from mien.access.scopes import SCOPES
from mien.server.app import make_app
from mien.server.plans import has_plan, plan_of
from mien.settings import load_settings
from server.serving import served

# Written down once more, by hand: a route that loses its lock has to fail here.
OPEN = {"GET /v1/health/live", "GET /v1/health/ready"}


def routes():
    app = make_app(load_settings(environ={}, store="memory")).api
    for route in app.routes:
        if isinstance(route, APIRoute) and has_plan(route):
            for method in route.methods:
                yield method, route.path_format, plan_of(route)


ROUTES = sorted(routes(), key=lambda one: one[:2])


@pytest.fixture(scope="module")
def guarded(mien_home, tmp_path_factory):
    with served(tmp_path_factory.mktemp("guarded"), mien_home, wait=False) as found:
        found.client.post("/v1/collections", json={"name": "ours"}).raise_for_status()
        keys = {scope: found.key(scope) for scope in SCOPES}
        keys["limited"] = found.key(*SCOPES, collections=["other"])
        yield found, keys


def ask(found, method, path, headers):
    filled = re.sub(r"\{collection\}", "ours", path)
    filled = re.sub(r"\{\w+(:\w+)?\}", "0000000000000", filled)
    return found.client.request(method, filled, headers={**headers, "content-type": "text/nonsense"})


def code(answer):
    try:
        return answer.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


def test_there_are_routes_and_all_of_them_say_what_they_need():
    assert len(ROUTES) > 40
    assert {f"{method} {path}" for method, path, plan in ROUTES if plan.needs == "nobody"} >= OPEN
    for method, path, plan in ROUTES:
        if plan.needs == "nobody":
            assert "health" in path or path.startswith("/v2"), f"{method} {path} is open to everybody"


def test_what_changes_something_needs_more_than_looking():
    for method, path, plan in ROUTES:
        if "/collections/" in path and method in {"PUT", "PATCH", "DELETE"}:
            assert plan.needs in {"enroll", "admin"}, f"{method} {path}"


@pytest.mark.parametrize(("method", "path", "plan"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
def test_a_route_opens_for_its_scope_and_for_no_other(guarded, method, path, plan):
    found, keys = guarded
    if plan.needs == "nobody":
        assert ask(found, method, path, {}).status_code in {200, 503}
        return
    native = path.startswith(("/v1", "/metrics"))
    without = ask(found, method, path, {})
    assert without.status_code == 401
    assert not native or code(without) == "unauthenticated"
    assert ask(found, method, path, {"x-api-key": "mien_0000000000000_" + "A" * 43}).status_code == 401
    for scope in SCOPES:
        answer = ask(found, method, path, keys[scope])
        may = plan.needs == "anybody" or scope in {plan.needs, "admin"}
        if may and plan.needs != "anybody":
            assert answer.status_code not in {401, 403}, f"{scope}: {answer.text}"
        elif not may:
            assert answer.status_code == 403, f"{scope}: {answer.text}"
        assert answer.status_code < 500 or code(answer) == "pack_missing", answer.text


@pytest.mark.parametrize(
    ("method", "path", "plan"),
    [one for one in ROUTES if "{collection}" in one[1] or one[2].needs == "admin"],
    ids=[f"{m} {p}" for m, p, plan in ROUTES if "{collection}" in p or plan.needs == "admin"],
)
def test_a_key_for_one_collection_opens_no_other_and_not_the_server(guarded, method, path, plan):
    found, keys = guarded
    assert ask(found, method, path, keys["limited"]).status_code == 403


def test_collections_of_others_are_not_listed(guarded):
    found, keys = guarded
    # The administrator's key deleted it above.
    found.client.post("/v1/collections", json={"name": "ours"}, headers=keys["admin"])
    seen = found.client.get("/v1/collections", headers=keys["search"]).json()["items"]
    assert "ours" in {one["name"] for one in seen}
    assert found.client.get("/v1/collections", headers=keys["limited"]).json()["items"] == []
    refused = found.client.post("/v1/collections", json={"name": "third"}, headers=keys["limited"])
    assert refused.status_code == 403


def test_a_key_works_in_both_headers_and_not_in_the_address(guarded):
    found, keys = guarded
    text = keys["detect"]["authorization"].removeprefix("Bearer ")
    assert found.client.get("/v1/me", headers={"x-api-key": text}).json()["scopes"] == ["detect"]
    for name in ("key", "x-api-key", "api_key", "authorization", "access_token"):
        assert found.client.get("/v1/me", params={name: text}).status_code == 401


def test_a_revoked_key_is_refused_at_once_and_a_rotated_one_has_its_grace(guarded):
    found, keys = guarded
    made = found.client.post("/v1/keys", json={"name": "x", "scopes": ["detect"]}, headers=keys["admin"])
    assert made.status_code == 201
    key, old = made.json()["id"], {"x-api-key": made.json()["key"]}
    assert found.client.get("/v1/me", headers=old).json()["key"] == key
    new = found.client.post(f"/v1/keys/{key}/rotate", json={"grace_s": 60}, headers=keys["admin"]).json()[
        "key"
    ]
    assert found.client.get("/v1/me", headers=old).status_code == 200
    assert found.client.get("/v1/me", headers={"x-api-key": new}).status_code == 200
    found.client.post(f"/v1/keys/{key}/rotate", json={"grace_s": 0}, headers=keys["admin"])
    assert found.client.get("/v1/me", headers=old).status_code == 401
    assert found.client.get("/v1/me", headers={"x-api-key": new}).status_code == 401
    listed = found.client.get("/v1/keys", headers=keys["admin"]).text
    assert new not in listed
    assert found.client.delete(f"/v1/keys/{key}", headers=keys["admin"]).status_code == 204
    assert found.client.delete("/v1/keys/0000000000000", headers=keys["admin"]).status_code == 404


def test_the_first_key_is_an_administrators(serve):
    with serve(wait=False, store="memory") as found:
        assert found.client.get("/v1/me").json()["open"] is True
        refused = found.client.post("/v1/keys", json={"name": "x", "scopes": ["detect"]})
        assert refused.status_code == 403
        made = found.client.post("/v1/keys", json={"name": "x", "scopes": ["admin"]})
        assert made.status_code == 201
        assert found.client.get("/v1/me").status_code == 401
        assert found.client.get("/v1/me", headers={"x-api-key": made.json()["key"]}).json()["open"] is False


def test_a_rate_is_kept_and_says_when_to_come_again(serve):
    with serve(wait=False, store="memory") as found:
        found.key("admin")
        slow = found.key("detect", rate_per_minute=3)
        answers = [found.client.get("/v1/me", headers=slow) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        assert answers[-1].json()["error"]["code"] == "rate_limited"


def test_a_rate_of_the_server_is_that_of_keys_without_one(serve):
    with serve(wait=False, store="memory", server={"rate_per_minute": 2}) as found:
        mine = found.key("admin")
        assert [found.client.get("/v1/me", headers=mine).status_code for _ in range(3)] == [200, 200, 429]
        fast = found.key("detect", rate_per_minute=100)
        assert {found.client.get("/v1/me", headers=fast).status_code for _ in range(9)} == {200}


def test_the_log_of_the_store_names_the_key(guarded):
    found, keys = guarded
    me = found.client.get("/v1/me", headers=keys["search"]).json()["key"]
    found.client.get("/v1/collections/ours/people", headers=keys["search"])
    newest = found.client.get("/v1/audit", params={"order": "desc", "limit": 5}, headers=keys["admin"]).json()
    assert newest["items"][0]["actor"] == f"key:{me}"
    assert newest["items"][0]["action"] == "listed"


def test_keys_are_not_asked_for_beyond_loopback_only_if_there_are_some(mien_home, tmp_path):
    from mien.errors import SettingsError
    from mien.server.run import check

    settings = load_settings(environ={}, home=tmp_path, server={"host": "0.0.0.0"})
    with pytest.raises(SettingsError, match="Without API keys"):
        check(settings)
    check(load_settings(environ={}, home=tmp_path))
