"""Collections: people of one purpose."""

from datetime import date

import pytest

from server.people import enrol, photograph

GRACE = photograph("Grace")


def names(api, **params):
    return [one["name"] for one in api.get("/v1/collections", params=params).json()["items"]]


@pytest.fixture
def team(api):
    """A collection of one's own, which is deleted again."""
    api.post("/v1/collections", json={"name": "team"}).raise_for_status()
    yield "team"
    api.delete("/v1/collections/team")


def test_a_collection_is_made_looked_at_and_deleted(api, kit):
    made = api.post("/v1/collections", json={"name": "Einsatz 面 7"})
    assert made.status_code == 201
    assert made.json() == {
        "name": "Einsatz 面 7",
        "id": made.json()["id"],
        "people": 0,
        "faces": 0,
        "unsearchable": 0,
        "embedder": made.json()["embedder"],
        "space": kit.space(),
        "next_space": None,
    }
    assert api.get("/v1/collections/Einsatz 面 7").json() == made.json()
    assert names(api) == ["Einsatz 面 7"]
    assert api.delete("/v1/collections/Einsatz 面 7").status_code == 204
    assert names(api) == []
    for answer in (api.get("/v1/collections/Einsatz 面 7"), api.delete("/v1/collections/Einsatz 面 7")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "collection_unknown")


def test_one_of_that_name_there_is_once(api, team):
    again = api.post("/v1/collections", json={"name": team})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "collection_exists")
    padded = api.post("/v1/collections", json={"name": f"  {team} "})
    assert padded.status_code == 409
    assert names(api) == [team]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "a/b"},
        {"name": "a\nb"},
        {"name": "\x1b[2J"},
        {"name": "x" * 201},
        {"name": 7},
        {"name": None},
        {"name": ["a"]},
        {"name": "a", "people": 7},
        [],
        "team",
    ],
    ids=ascii,
)
def test_names_that_are_none(api, body):
    refused = api.post("/v1/collections", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_request")
    assert names(api) == []


def test_people_and_faces_are_counted(api, team):
    enrol(api, team, "Grace", GRACE, photograph("Grace", 190)).raise_for_status()
    enrol(api, team, "Eileen", photograph("Eileen")).raise_for_status()
    found = api.get(f"/v1/collections/{team}").json()
    assert (found["people"], found["faces"], found["unsearchable"]) == (2, 3, 0)


def test_deleting_forgets_everybody(api, team):
    row = enrol(api, team, "Grace", GRACE).json()
    assert api.delete(f"/v1/collections/{team}").status_code == 204
    api.post("/v1/collections", json={"name": team}).raise_for_status()
    assert api.get(f"/v1/collections/{team}").json()["people"] == 0
    assert api.get(f"/v1/collections/{team}/faces/{row['faces'][0]}").status_code == 404
    found = api.post(f"/v1/collections/{team}/identify", files={"photo": GRACE}).json()
    assert found["people"][0]["person"] is None
    assert found["people"][0]["candidates"] == []


def test_they_are_listed_in_parts_by_name(api):
    everybody = sorted(["b", "a", "ä", "Z", "面", "10", "2"])
    for name in everybody:
        api.post("/v1/collections", json={"name": name}).raise_for_status()
    try:
        found, params = [], {"limit": 2}
        while True:
            part = api.get("/v1/collections", params=params).json()
            found += [one["name"] for one in part["items"]]
            if part["next"] is None:
                break
            params["cursor"] = part["next"]
        assert found == everybody
        for params in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"cursor": "é"}, {"limits": 2}):
            assert api.get("/v1/collections", params=params).status_code == 400, params
    finally:
        for name in everybody:
            api.delete(f"/v1/collections/{name}").raise_for_status()


def test_who_has_no_consent_any_more_is_swept(api, team, monkeypatch):
    enrol(api, team, "Grace", GRACE, consent_until="2030-05-31").raise_for_status()
    enrol(api, team, "Eileen", photograph("Eileen"), consent_until="2030-06-01").raise_for_status()
    enrol(api, team, "Barack", photograph("Barack")).raise_for_status()
    assert api.post(f"/v1/collections/{team}/sweep").json()["people"] == []
    monkeypatch.setattr("mien.gallery.store.audit.today", lambda: date(2030, 6, 1))
    grace = api.get(f"/v1/collections/{team}/people/Grace").json()["id"]
    swept = api.post(f"/v1/collections/{team}/sweep").json()
    assert (swept["people"], swept["faces"], swept["unreached"]) == ([grace], 1, [])
    left = api.get(f"/v1/collections/{team}/people").json()["items"]
    assert [one["name"] for one in left] == ["Eileen", "Barack"]


def test_a_key_does_not_learn_what_other_collections_are_called(serve):
    with serve(store="memory") as found:
        found.client.post("/v1/collections", json={"name": "secret-operation"}).raise_for_status()
        key = found.key("search", "enroll", collections=["ours"])
        for path in ("", "/people", "/people/x", "/faces/0000000000000", "/clusters"):
            answer = found.client.get(f"/v1/collections/ours{path}", headers=key)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "collection_unknown")
            assert "secret" not in answer.text, path
        answer = found.client.post("/v1/collections/ours/identify", files={"photo": GRACE}, headers=key)
        assert answer.status_code == 404
        assert "secret" not in answer.text
