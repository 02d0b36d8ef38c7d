"""Who asks, what runs here, and which packs there are."""

import platform
from importlib.metadata import version

import pytest

from mien.access.scopes import SCOPES
from server.people import photograph


def test_without_keys_everybody_on_this_machine_may_do_everything(api):
    assert api.get("/v1/me").json() == {
        "key": None,
        "name": "this machine",
        "scopes": list(SCOPES),
        "collections": None,
        "open": True,
    }


@pytest.fixture(scope="module")
def guarded(mien_home, tmp_path_factory):
    from server.serving import served

    with served(tmp_path_factory.mktemp("machine"), mien_home) as found:
        yield found


def test_a_key_is_told_who_it_is(guarded):
    key = guarded.key("search", "detect", collections=["b", "a"])
    me = guarded.client.get("/v1/me", headers=key).json()
    assert len(me.pop("key")) == 13
    assert me == {"name": "test", "scopes": ["detect", "search"], "collections": ["a", "b"], "open": False}


def test_what_runs_here(api, server, kit):
    api.post("/v1/detect", files={"photo": photograph("Grace")}).raise_for_status()
    found = api.get("/v1/system").json()
    assert (found["version"], found["python"]) == (version("mien"), platform.python_version())
    assert (found["device"], found["workers"]) == ("cpu", 1)
    assert found["uptime_s"] > 0
    assert set(found["available"]) == set(kit.available())
    assert found["columns"]["box"] == "mtcnn"
    assert found["columns"]["embedding"] == "dlib-resnet29"
    rule = kit.rule()
    assert found["decision"] == {
        "space": rule.space,
        "metric": rule.metric,
        "distance": rule.distance,
        "fmr": rule.fmr,
        "review_distance": rule.review_distance,
        "source": rule.source,
    }
    assert found["queue"] == {"waiting": 0, "capacity": 64}
    assert found["limits"] == {
        "max_body_bytes": 64 * 2**20,
        "max_pixels": 50_000_000,
        "max_photographs": 100,
        "timeout_s": 30.0,
    }
    assert found["networks"]["mtcnn/pnet.onnx"] == ["CPUExecutionProvider"]


def test_how_much_is_in_the_store_is_for_administrators(guarded):
    admin = guarded.key("admin")
    guarded.client.post("/v1/collections", json={"name": "c"}, headers=admin).raise_for_status()
    photo = {"photo": photograph("Grace")}
    for name in ("one", "two"):
        guarded.client.post(
            "/v1/collections/c/people", files=photo, data={"name": name}, headers=admin
        ).raise_for_status()
    store = guarded.client.get("/v1/system", headers=admin).json()["store"]
    assert {name: store[name] for name in ("collections", "people", "faces")} == {
        "collections": 1,
        "people": 2,
        "faces": 2,
    }
    for scope in ("detect", "verify", "search", "enroll"):
        assert guarded.client.get("/v1/system", headers=guarded.key(scope)).json()["store"] is None


def test_packs_are_listed_with_what_they_are_used_for(api, kit):
    listed = api.get("/v1/packs").json()
    assert listed["next"] is None
    packs = {one["name"]: one for one in listed["items"]}
    assert list(packs) == sorted(kit.packs.manifests())
    mtcnn = packs["mtcnn"]
    manifest = kit.packs.manifests()["mtcnn"]
    assert mtcnn["state"] == "installed"
    assert set(mtcnn["chosen_for"]) == {"box", "score", "points"}
    assert (mtcnn["licence"], mtcnn["commercial"]) == (manifest.licence.id, manifest.licence.commercial)
    missing = [one for one in packs.values() if one["state"] != "installed"]
    assert missing
    assert all(one["chosen_for"] == [] for one in missing)


@pytest.mark.parametrize("path", ["/v1/me", "/v1/system", "/v1/packs"])
def test_what_is_not_wanted_there_is_not_minded(api, path):
    assert api.get(path, params={"x": "y"}).status_code == 200
