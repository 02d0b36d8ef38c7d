"""Single faces of a collection."""

import io

import PIL.Image
import pytest

from server.people import encoded, enrol, photograph

ROOT = "/v1/collections/team"
NONE = "0000000000000"


@pytest.fixture(autouse=True)
def team(api):
    api.post("/v1/collections", json={"name": "team"}).raise_for_status()
    yield
    api.delete(ROOT).raise_for_status()


@pytest.fixture
def grace(api):
    """Somebody with two faces and pictures of them."""
    return enrol(
        *(api, "team", "Grace", photograph("Grace"), photograph("Grace", 190)), keep_picture="true"
    ).json()


def code(answer):
    return answer.json()["error"]["code"]


def faces(api, who):
    return [one["id"] for one in api.get(f"{ROOT}/people/{who}/faces").json()["items"]]


def test_a_face_says_where_it_came_from_and_whose_it_is(api, grace):
    listed = api.get(f"{ROOT}/people/Grace/faces").json()["items"]
    for row in listed:
        found = api.get(f"{ROOT}/faces/{row['id']}").json()
        assert found.pop("person_id") == grace["person_id"]
        assert found == row
        assert found["has_crop"] is True


def test_the_picture_of_a_face_is_of_the_face(api, kit, grace):
    answer = api.get(f"{ROOT}/faces/{grace['faces'][0]}/picture")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert max(PIL.Image.open(io.BytesIO(answer.content)).size) <= 320
    assert kit.verify(answer.content, photograph("Grace"), face="largest").verified


def test_what_a_photograph_says_about_itself_is_not_in_the_picture(api):
    exif = PIL.Image.Exif()
    exif[0x010E] = "Zuzana's garden"
    photo = encoded(PIL.Image.open(io.BytesIO(photograph("Grace"))), exif=exif)
    assert b"Zuzana" in photo
    row = enrol(api, "team", "x", photo, keep_picture="true").json()
    assert b"Zuzana" not in api.get(f"{ROOT}/faces/{row['faces'][0]}/picture").content


def test_without_a_kept_picture_there_is_none(api):
    row = enrol(api, "team", "x", photograph("Grace")).json()
    answer = api.get(f"{ROOT}/faces/{row['faces'][0]}/picture")
    assert (answer.status_code, code(answer)) == (404, "face_unknown")
    assert api.get(f"{ROOT}/faces/{row['faces'][0]}").json()["has_crop"] is False


def test_a_face_is_deleted_and_the_person_stays(api, grace):
    first, second = grace["faces"]
    assert api.delete(f"{ROOT}/faces/{first}").status_code == 204
    assert faces(api, "Grace") == [second]
    for answer in (
        api.get(f"{ROOT}/faces/{first}"),
        api.get(f"{ROOT}/faces/{first}/picture"),
        api.delete(f"{ROOT}/faces/{first}"),
    ):
        assert (answer.status_code, code(answer)) == (404, "face_unknown")
    assert api.delete(f"{ROOT}/faces/{second}").status_code == 204
    assert api.get(f"{ROOT}/people/Grace").json()["faces"] == 0
    found = api.post(f"{ROOT}/identify", files={"photo": photograph("Grace")}).json()
    assert found["people"][0]["candidates"] == []


def test_faces_are_given_to_somebody_else(api, grace):
    eileen = enrol(api, "team", "Eileen", photograph("Eileen")).json()
    first, second = grace["faces"]
    moved = api.post(f"{ROOT}/faces/move", json={"faces": [first], "to": "Eileen"})
    assert (moved.status_code, moved.json()["id"], moved.json()["faces"]) == (200, eileen["person_id"], 2)
    assert moved.headers["etag"] == f'"{moved.json()["version"]}"'
    assert api.get(f"{ROOT}/faces/{first}").json()["person_id"] == eileen["person_id"]
    back = api.post(f"{ROOT}/faces/move", json={"faces": [first], "to": grace["person_id"]}).json()
    assert (back["name"], back["faces"]) == ("Grace", 2)
    new = api.post(f"{ROOT}/faces/move", json={"faces": [first], "to": "Mary"}).json()
    assert (new["name"], new["faces"]) == ("Mary", 1)
    unnamed = api.post(f"{ROOT}/faces/move", json={"faces": [first, second]}).json()
    assert (unnamed["name"], unnamed["faces"]) == (None, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"faces": [NONE]}, 404),
        ({"faces": ["nonsense"], "to": "x"}, 404),
        ({"faces": []}, 400),
        ({"to": "x"}, 400),
        ({"faces": "x"}, 400),
        ({"faces": [1]}, 400),
        ({"faces": [NONE], "to": ""}, 400),
        ({"faces": [NONE], "to": "x" * 201}, 400),
        ({"faces": [NONE] * 10_001}, 400),
        ({"faces": [NONE], "from": "x"}, 400),
    ],
    ids=lambda one: ascii(one)[:30],
)
def test_faces_that_cannot_be_moved(api, grace, body, status):
    answer = api.post(f"{ROOT}/faces/move", json=body)
    assert answer.status_code == status
    assert len(faces(api, "Grace")) == 2


def test_if_one_face_is_unknown_none_is_moved(api, grace):
    answer = api.post(f"{ROOT}/faces/move", json={"faces": [*grace["faces"], NONE], "to": "Mary"})
    assert (answer.status_code, code(answer)) == (404, "face_unknown")
    assert faces(api, "Grace") == grace["faces"]
    assert api.get(f"{ROOT}/people/Mary").status_code == 404


@pytest.mark.parametrize("face", [NONE, "nonsense", "%00", "x" * 500, "038krnnxf233"])
def test_a_face_that_is_none(api, face):
    for method, path in (("GET", ""), ("GET", "/picture"), ("DELETE", "")):
        answer = api.request(method, f"{ROOT}/faces/{face}{path}")
        assert (answer.status_code, code(answer)) == (404, "face_unknown")


def test_a_face_of_another_collection_is_not_found_here(api, grace):
    api.post("/v1/collections", json={"name": "other"}).raise_for_status()
    for method, path in (("GET", ""), ("GET", "/picture"), ("DELETE", "")):
        answer = api.request(method, f"/v1/collections/other/faces/{grace['faces'][0]}{path}")
        assert answer.status_code == 404
    moved = api.post("/v1/collections/other/faces/move", json={"faces": grace["faces"], "to": "x"})
    assert moved.status_code == 404
    assert faces(api, "Grace") == grace["faces"]
