"""Who did what."""

import base64
import json

import pytest
import sqlalchemy as sa

from server.people import enrol, photograph

GRACE = photograph("Grace")


@pytest.fixture(scope="module", autouse=True)
def team(api):
    """A few things that were done, to somebody whose name appears nowhere else."""
    api.post("/v1/collections", json={"name": "team"}).raise_for_status()
    row = enrol(api, "team", "Zuzana-9182", GRACE, tags="secret-tag").json()
    api.post("/v1/collections/team/identify", files={"photo": GRACE}).raise_for_status()
    api.patch("/v1/collections/team/people/Zuzana-9182", json={"tags": []}).raise_for_status()
    enrol(api, "team", "Eileen", photograph("Eileen")).raise_for_status()
    api.delete("/v1/collections/team/people/Eileen").raise_for_status()
    return row


def entries(api, **params):
    return api.get("/v1/audit", params=params).json()


def walk(api, **params):
    found = []
    while True:
        part = entries(api, **params)
        found += part["items"]
        if part["next"] is None:
            return found
        params["cursor"] = part["next"]


def test_everything_that_was_done_is_there_in_order(api, team):
    found = entries(api)["items"]
    assert [one["seq"] for one in found] == list(range(1, len(found) + 1))
    assert {one["actor"] for one in found} == {"local"}
    actions = [one["action"] for one in found]
    for action in ("enrolled", "searched", "edited", "forgot"):
        assert action in actions
    enrolled = found[actions.index("enrolled")]
    assert enrolled["detail"] == {"people": [team["person_id"]], "faces": 1}
    searched = found[actions.index("searched")]
    assert searched["detail"]["found"] == [team["person_id"]]


def test_identifiers_and_counts_no_names(api):
    text = json.dumps(walk(api))
    assert "Zuzana" not in text
    assert "secret-tag" not in text
    assert "Eileen" not in text


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_parts_are_the_whole(api, limit, order):
    whole = [one["seq"] for one in entries(api, limit=1000)["items"]]
    found = [one["seq"] for one in walk(api, limit=limit, order=order)]
    assert found == (whole if order == "asc" else whole[::-1])


def test_one_begins_where_one_stopped(api):
    whole = entries(api)["items"]
    assert entries(api, after=3)["items"] == whole[3:]
    assert entries(api, after=len(whole))["items"] == []
    assert entries(api, after=4, order="desc")["items"] == whole[:3][::-1]
    assert entries(api, after=2**62)["items"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"after": -1},
        {"after": "x"},
        {"after": 2**63},
        {"order": "up"},
        {"limit": 0},
        {"limit": 1001},
        {"cursor": "é"},
        {"cursor": base64.urlsafe_b64encode(b"9" * 30).decode()},
        {"cursor": base64.urlsafe_b64encode(b"-1").decode()},
        {"cursor": base64.urlsafe_b64encode("１".encode()).decode()},
        {"cursor": base64.urlsafe_b64encode(b"people").decode()},
    ],
    ids=str,
)
def test_parts_that_are_none(api, params):
    answer = api.get("/v1/audit", params=params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_looking_at_the_log_verifies_it(api):
    found = api.get("/v1/audit/verify").json()
    newest = entries(api, order="desc", limit=1)["items"][0]
    assert found == {"entries": newest["seq"], "end": f"{newest['seq']}:{newest['mac']}"}


def test_a_log_that_somebody_changed_is_an_error(serve):
    with serve() as found:
        for number in range(5):
            found.client.post("/v1/collections", json={"name": f"c{number}"}).raise_for_status()
        assert found.client.get("/v1/audit/verify").status_code == 200
        with found.service.store.writing(counted=False) as writing:
            writing.connection.execute(sa.text("UPDATE audit SET action = 'nothing' WHERE seq = 3"))
        refused = found.client.get("/v1/audit/verify")
        assert (refused.status_code, refused.json()["error"]["code"]) == (500, "audit_broken")
