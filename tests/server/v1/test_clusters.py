"""Photographs that nobody labelled, grouped into people."""

import pytest

from server.people import enrol, nobody, photograph, together

ROOT = "/v1/collections/album"
PATH = f"{ROOT}/clusters"


def code(answer):
    return answer.json()["error"]["code"]


@pytest.fixture
def album(api):
    api.post("/v1/collections", json={"name": "album"}).raise_for_status()
    yield
    api.delete(ROOT).raise_for_status()


def add(api, *photos):
    return api.post(PATH, files=[("photo", (f"{i}.jpg", photo)) for i, photo in enumerate(photos)])


def groups(api):
    return api.get(PATH).json()["items"]


@pytest.fixture
def filled(api, album):
    """Three faces of Grace, two of Eileen, one of Barack; one of each first two in one photograph."""
    answer = add(
        *(api, photograph("Grace"), photograph("Grace", 260), photograph("Eileen")),
        *(photograph("Barack"), together("Grace", "Eileen", side=220)),
    )
    assert answer.status_code == 201
    return answer.json()


def test_photographs_are_grouped_into_people(api, filled):
    assert (filled["album"], filled["photographs"], filled["repeated"]) == ("album", 5, 0)
    assert (filled["faces"], filled["refused"], filled["groups"], filled["failures"]) == (6, 0, 3, [])
    found = groups(api)
    assert [len(one["faces"]) for one in found] == [3, 2, 1]
    assert {one["name"] for one in found} == {None}
    assert {one["source"] for one in found[0]["faces"]} == {"upload:0.jpg", "upload:1.jpg", "upload:4.jpg"}
    assert {one["source"] for one in found[1]["faces"]} == {"upload:2.jpg", "upload:4.jpg"}
    assert found[2]["faces"][0]["source"] == "upload:3.jpg"
    assert not any(one["by_hand"] for group in found for one in group["faces"])


def test_a_photograph_that_is_there_already_is_not_added_again(api, filled):
    again = add(api, photograph("Grace"), photograph("Grace", 240)).json()
    assert (again["photographs"], again["repeated"], again["faces"]) == (1, 1, 1)
    assert [len(one["faces"]) for one in groups(api)] == [4, 2, 1]


def test_what_cannot_be_added_is_told_of(api, album):
    answer = add(api, photograph("Grace"), b"junk", nobody())
    assert answer.status_code == 201
    row = answer.json()
    assert row["faces"] == 1
    assert [(one["source"].removeprefix("upload:"), one["error"]["code"]) for one in row["failures"]] == [
        ("1.jpg", "unreadable_image")
    ]


def test_pictures_of_the_faces_are_kept_to_be_looked_at(api, filled):
    for group in groups(api):
        for face in group["faces"]:
            assert api.get(f"{ROOT}/faces/{face['face']}/picture").status_code == 200


def test_groups_are_listed_in_parts(api, filled):
    whole, found, params = groups(api), [], {"limit": 1}
    while True:
        part = api.get(PATH, params=params).json()
        found += part["items"]
        if part["next"] is None:
            break
        params["cursor"] = part["next"]
    assert found == whole
    assert len(whole) == 3


def test_a_group_gets_a_name_and_is_found_elsewhere(api, filled):
    grace, eileen, _ = groups(api)
    named = api.post(f"{PATH}/{grace['id']}/name", json={"name": "Grace"})
    assert named.json() == {"id": grace["id"], "name": "Grace", "faces": 3, "collection": "album"}
    api.post("/v1/collections", json={"name": "staff"}).raise_for_status()
    moved = api.post(f"{PATH}/{eileen['id']}/name", json={"name": "Eileen", "collection": "staff"})
    assert (moved.json()["collection"], moved.json()["name"], moved.json()["faces"]) == ("staff", "Eileen", 2)
    found = api.post("/v1/collections/staff/identify", files={"photo": photograph("Eileen", 240)}).json()
    assert found["people"][0]["person"] == "Eileen"
    api.delete("/v1/collections/staff").raise_for_status()


def test_groups_are_made_one_and_faces_given_to_others(api, filled):
    grace, eileen, barack = groups(api)
    merged = api.post(f"{PATH}/{grace['id']}/merge", json={"others": [barack["id"]]})
    assert (merged.json()["id"], merged.json()["faces"]) == (grace["id"], 4)
    stranger = barack["faces"][0]["face"]
    moved = api.post(f"{PATH}/move", json={"faces": [stranger], "to": eileen["id"]})
    assert (moved.json()["id"], moved.json()["faces"]) == (eileen["id"], 3)
    by_hand = {one["face"]: one["by_hand"] for group in groups(api) for one in group["faces"]}
    assert by_hand[stranger] is True
    alone = api.post(f"{PATH}/move", json={"faces": [stranger]}).json()
    assert (alone["name"], alone["faces"]) == (None, 1)
    add(api, photograph("Barack", 190)).raise_for_status()
    sizes = sorted(len(one["faces"]) for one in groups(api))
    assert sum(sizes) == 7


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/0000000000000/name", {"name": "x"}, 404),
        ("/{group}/name", {"name": ""}, 400),
        ("/{group}/name", {}, 400),
        ("/{group}/name", {"name": "x", "collection": "none"}, 404),
        ("/{group}/merge", {"others": []}, 400),
        ("/{group}/merge", {"others": ["0000000000000"]}, 404),
        ("/{group}/merge", {"others": ["{group}"]}, 400),
        ("/move", {"faces": ["0000000000000"]}, 404),
        ("/move", {"faces": []}, 400),
    ],
    ids=str,
)
def test_what_cannot_be_done(api, filled, path, body, status):
    group = groups(api)[0]["id"]
    told = {name: [group] if value == ["{group}"] else value for name, value in body.items()}
    answer = api.post(f"{PATH}{path.replace('{group}', group)}", json=told)
    assert answer.status_code == status
    assert [len(one["faces"]) for one in groups(api)] == [3, 2, 1]


def test_who_is_enrolled_already_is_recognised_in_an_album(api, album):
    enrol(api, "album", "Grace", photograph("Grace")).raise_for_status()
    add(api, photograph("Grace", 260), photograph("Eileen")).raise_for_status()
    assert {one["name"]: len(one["faces"]) for one in groups(api)} == {"Grace": 2, None: 1}


def test_a_key_names_people_only_in_collections_that_it_is_for(serve):
    with serve(store="memory") as found:
        client = found.client
        for name in ("album", "theirs"):
            client.post("/v1/collections", json={"name": name}).raise_for_status()
        add(client, photograph("Grace")).raise_for_status()
        key = found.key("enroll", "search", collections=["album"])
        group = client.get(PATH, headers=key).json()["items"][0]["id"]
        told = {"name": "x", "collection": "theirs"}
        refused = client.post(f"{PATH}/{group}/name", json=told, headers=key)
        assert (refused.status_code, code(refused)) == (403, "forbidden")
