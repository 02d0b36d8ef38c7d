"""Whether the server runs, and whether it answers."""

import threading

import pytest

from server.people import nobody


def test_it_lives_and_is_ready(api):
    assert api.get("/v1/health/live").json() == {"status": "live"}
    assert api.get("/v1/health/ready").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("event", "is_set", "status"), [("ready", False, "starting"), ("stopping", True, "stopping")]
)
def test_it_says_when_it_is_not(api, server, monkeypatch, event, is_set, status):
    other = threading.Event()
    if is_set:
        other.set()
    monkeypatch.setattr(server.service, event, other)
    answer = api.get("/v1/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": status})
    assert api.get("/v1/health/live").json() == {"status": "live"}
    assert api.get("/v1/me").status_code == 200, "what can be answered is"


def test_nobody_needs_a_key_for_that(serve):
    with serve(store="memory") as found:
        found.key("admin")
        assert found.client.get("/v1/me").status_code == 401
        assert found.client.get("/v1/health/live").status_code == 200
        assert found.client.get("/v1/health/ready").status_code == 200


def test_without_networks_it_is_not_ready_and_looks_after_people(serve):
    with serve(detector="yunet", embedder="sface") as found:
        answer = found.client.get("/v1/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "without networks"})
        assert found.client.get("/v2/health/ready").status_code == 503
        assert found.client.get("/v1/collections").json() == {"items": [], "next": None}
        assert found.client.get("/v1/system").json()["decision"] is None
        refused = found.client.post("/v1/detect", content=nobody())
        assert (refused.status_code, refused.json()["error"]["code"]) == (501, "pack_missing")
        assert "mien packs install" in refused.json()["error"]["hint"]
