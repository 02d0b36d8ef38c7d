"""Who is in a photograph, among the people of a collection."""

import numpy as np
import pytest

from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from server.people import enrol, nobody, photograph, together
from server.serving import served

ROOT = "/v1/collections/team"
GRACE = photograph("Grace")


@pytest.fixture(scope="module", autouse=True)
def team(api):
    """Three people; Barack has two faces."""
    api.post("/v1/collections", json={"name": "team"}).raise_for_status()
    return {
        "Grace": enrol(api, "team", "Grace", photograph("Grace", 240), tags=["navy", "science"]).json(),
        "Eileen": enrol(api, "team", "Eileen", photograph("Eileen", 240), tags="science").json(),
        "Barack": enrol(api, "team", "Barack", photograph("Barack"), photograph("Barack 2")).json(),
    }


def ask(api, route, photo=GRACE, **form):
    return api.post(f"{ROOT}/{route}", files={"photo": ("me.jpg", photo)}, data=form)


def code(answer):
    return answer.json()["error"]["code"]


def distance(kit, a, b):
    return kit.verify(a, b).distance


def test_somebody_is_recognised(api, kit, team):
    answer = ask(api, "identify").json()
    rule = kit.rule()
    assert (answer["source"], answer["metric"], answer["space"]) == ("me.jpg", rule.metric, rule.space)
    assert (answer["threshold"], answer["fmr"], answer["rule"]) == (rule.distance, rule.fmr, rule.source)
    (who,) = answer["people"]
    assert (who["person"], who["decision"]) == ("Grace", "known")
    (candidate,) = who["candidates"]
    assert candidate["person_id"] == team["Grace"]["person_id"]
    assert candidate["face_id"] == team["Grace"]["faces"][0]
    assert candidate["distance"] == pytest.approx(distance(kit, GRACE, photograph("Grace", 240)), abs=1e-3)
    assert who["face"]["box"] == api.post("/v1/detect", files={"photo": GRACE}).json()["faces"][0]["box"]
    others = [
        distance(kit, GRACE, one)
        for one in (photograph("Eileen", 240), photograph("Barack"), photograph("Barack 2"))
    ]
    assert who["margin"] == pytest.approx(min(others) - candidate["distance"], abs=1e-3)


def test_everybody_in_a_photograph_is_told_from_each_other(api):
    people = ask(api, "identify", together("Eileen", "Grace")).json()["people"]
    people.sort(key=lambda one: one["face"]["box"][0])
    assert [one["person"] for one in people] == ["Eileen", "Grace"]
    assert ask(api, "identify", nobody()).json()["people"] == []


def test_candidates_are_people_and_the_nearest_come_first(api):
    (who,) = ask(api, "identify", k="100").json()["people"]
    assert sorted(one["person"] for one in who["candidates"]) == ["Barack", "Eileen", "Grace"]
    distances = [one["distance"] for one in who["candidates"]]
    assert distances == sorted(distances)
    assert [one["accepted"] for one in who["candidates"]] == [True, False, False]
    assert [len(ask(api, "identify", k=k).json()["people"][0]["candidates"]) for k in ("1", "2")] == [1, 2]


def test_one_looks_only_among_those_with_tags(api):
    def names(**form):
        (who,) = ask(api, "identify", k="10", **form).json()["people"]
        return who["person"], sorted(one["person"] for one in who["candidates"])

    assert names(tag="science") == ("Grace", ["Eileen", "Grace"])
    assert names(tag=["science", "navy"]) == ("Grace", ["Grace"])
    assert names(tag="nothing") == (None, [])
    eileen = ask(api, "identify", photograph("Eileen"), tag="navy", k="10").json()["people"][0]
    assert (eileen["person"], eileen["decision"]) == (None, "unknown")
    assert [one["person"] for one in eileen["candidates"]] == ["Grace"]


def test_search_gives_faces_not_people(api, kit, team):
    found = ask(api, "search", photograph("Barack", 240), k="10").json()
    assert (found["threshold"], found["metric"]) == (kit.rule().distance, kit.rule().metric)
    assert sorted(one["face_id"] for one in found["faces"]) == sorted(
        face for row in team.values() for face in row["faces"]
    )
    assert [one["person"] for one in found["faces"]][:2] == ["Barack", "Barack"]
    for row in found["faces"][:2]:
        which = team["Barack"]["faces"].index(row["face_id"])
        expected = distance(kit, photograph("Barack", 240), photograph(("Barack", "Barack 2")[which]))
        assert row["distance"] == pytest.approx(expected, abs=1e-3)
        assert row["accepted"] == (expected <= kit.rule().distance)
    assert len(ask(api, "search", k="2").json()["faces"]) == 2
    assert {one["person"] for one in ask(api, "search", tag="science").json()["faces"]} == {"Grace", "Eileen"}


def test_search_wants_one_face(api):
    both = together("Eileen", "Grace")
    assert code(ask(api, "search", both)) == "many_faces"
    assert code(ask(api, "search", nobody())) == "no_face"
    found = {ask(api, "search", both, face=which).json()["faces"][0]["person"] for which in ("0", "1")}
    assert found == {"Eileen", "Grace"}


@pytest.mark.parametrize(
    ("route", "form"),
    [
        ("identify", {"k": "0"}),
        ("identify", {"k": "101"}),
        ("identify", {"k": "all"}),
        ("identify", {"face": "largest"}),
        ("search", {"k": "0"}),
        ("search", {"k": "1001"}),
        ("search", {"face": "all"}),
        ("search", {"tags": "science"}),
    ],
    ids=str,
)
def test_parameters_that_do_not_fit(api, route, form):
    assert (ask(api, route, **form).status_code, code(ask(api, route, **form))) == (400, "bad_request")


def test_a_collection_that_is_none_and_one_that_is_empty(api):
    for route in ("identify", "search"):
        answer = api.post(f"/v1/collections/none/{route}", files={"photo": GRACE})
        assert (answer.status_code, code(answer)) == (404, "collection_unknown")
    assert "none" not in api.get("/v1/collections").text, "asking makes none"
    api.post("/v1/collections", json={"name": "empty"}).raise_for_status()
    (who,) = api.post("/v1/collections/empty/identify", files={"photo": GRACE}).json()["people"]
    assert (who["person"], who["candidates"], who["margin"]) == (None, [], None)
    assert api.post("/v1/collections/empty/search", files={"photo": GRACE}).json()["faces"] == []


def test_a_collection_of_another_embedder_can_be_looked_after_and_not_searched(api, server):
    """Nothing is compared with what other networks made."""
    rule = DecisionRule("other:0123456789abcdef", "cosine", 0.5, None)
    foreign = Gallery(server.service.store, rule, "foreign")
    foreign.enroll("Bea", np.ones((1, 4), np.float32), rule.space)
    for route in ("identify", "search"):
        refused = api.post(f"/v1/collections/foreign/{route}", files={"photo": GRACE})
        assert (refused.status_code, code(refused)) == (409, "space_mismatch")
    assert code(enrol(api, "foreign", "Cleo", GRACE)) == "space_mismatch"
    assert api.get("/v1/collections/foreign/people").json()["items"][0]["name"] == "Bea"
    assert api.delete("/v1/collections/foreign/people/Bea").status_code == 204


def test_people_stay_findable_when_a_better_embedder_was_installed(mien_home, modern_home, tmp_path):
    """What the README does: enrol with the starter, install better networks, start again."""
    home = tmp_path / "home"
    with served(home, mien_home) as found:
        found.client.post("/v1/collections", json={"name": "team"}).raise_for_status()
        enrol(found.client, "team", "Grace", GRACE).raise_for_status()
    (home / "packs").unlink()
    with served(home, modern_home) as found:
        answer = found.client.post("/v1/collections/team/identify", files={"photo": photograph("Grace", 190)})
        assert answer.status_code == 200, answer.text
        assert [one["person"] for one in answer.json()["people"]] == ["Grace"]
        other = found.client.post("/v1/collections", json={"name": "others"})
        assert other.json()["embedder"] == "dlib-resnet29", "all of one server"
    with served(home, modern_home, embedder="mobilefacenet") as found:
        refused = found.client.post("/v1/collections/team/identify", files={"photo": GRACE})
        assert refused.status_code == 409
        assert "MIEN_EMBEDDER=dlib-resnet29" in refused.json()["error"]["hint"]
