import pytest

from server.compreface.asking import API, file, refused, save
from server.people import photograph

DETECT, RECOGNISE = f"{API}/detection/detect", f"{API}/recognition/recognize"
SUBJECTS = f"{API}/recognition/subjects"


@pytest.fixture(scope="module")
def guarded(server):
    save(server, "Grace", photograph("Grace"))
    server.client.post("/v1/collections", json={"name": "other"}).raise_for_status()
    server.client.post("/v1/collections", json={"name": "third"}).raise_for_status()
    server.key("admin")
    return server


def key(server, *scopes, **more):
    return {"x-api-key": server.key(*scopes, **more)["authorization"].removeprefix("Bearer ")}


def test_without_a_key_and_with_a_wrong_one_nothing_is_done(guarded):
    assert refused(guarded.client.get(SUBJECTS), 401, 20)
    assert refused(
        guarded.client.get(SUBJECTS, headers={"x-api-key": "00000000-0000-0000-0000-000000000002"}), 401, 20
    )


def test_a_key_in_an_address_is_none(guarded):
    sent = key(guarded, "admin")["x-api-key"]
    assert refused(guarded.client.get(f"{SUBJECTS}?x-api-key={sent}"), 401, 20)


def test_embeddings_are_for_keys_that_may_verify(guarded):
    content = photograph("Grace")
    detecting, searching = key(guarded, "detect"), key(guarded, "search")
    for url, headers in ((DETECT, detecting), (RECOGNISE, searching)):
        assert guarded.client.post(url, files=file(content), headers=headers).status_code == 200
        refusal = guarded.client.post(f"{url}?face_plugins=calculator", files=file(content), headers=headers)
        assert refused(refusal, 403, 1)
    both = key(guarded, "detect", "verify")
    answer = guarded.client.post(f"{DETECT}?face_plugins=calculator", files=file(content), headers=both)
    assert "embedding" in answer.json()["result"][0]


def test_a_key_for_one_collection_works_with_that_one(guarded):
    headers = key(guarded, "search", "enroll", collections=["other"])
    made = guarded.client.post(SUBJECTS, json={"subject": "Ada"}, headers=headers)
    assert made.status_code == 201
    assert guarded.client.get(SUBJECTS, headers=headers).json() == {"subjects": ["Ada"]}
    assert guarded.client.get(SUBJECTS, headers=key(guarded, "search")).json() == {"subjects": ["Grace"]}
    content = photograph("Grace")
    (face,) = guarded.client.post(RECOGNISE, files=file(content), headers=headers).json()["result"]
    assert face["subjects"] == []
    assert guarded.client.delete(f"{API}/recognition/faces", headers=headers).json() == {"deleted": 0}
    assert guarded.client.get(SUBJECTS, headers=key(guarded, "search")).json() == {"subjects": ["Grace"]}


def test_a_key_for_several_collections_has_to_have_that_of_the_settings(guarded):
    without = key(guarded, "search", collections=["other", "third"])
    assert refused(guarded.client.get(SUBJECTS, headers=without), 403, 1)
    among = key(guarded, "search", collections=["default", "third"])
    assert guarded.client.get(SUBJECTS, headers=among).json() == {"subjects": ["Grace"]}


def test_another_collections_faces_are_unknown_to_a_key(guarded):
    listed = guarded.client.get(f"{API}/recognition/faces", headers=key(guarded, "search")).json()
    image_id = listed["faces"][0]["image_id"]
    headers = key(guarded, "search", "verify", "enroll", collections=["third"])
    url = f"{API}/recognition/faces/{image_id}"
    assert refused(guarded.client.delete(url, headers=headers), 404, 44)
    assert refused(guarded.client.get(f"{url}/img", headers=headers), 404, 44)
    answer = guarded.client.post(f"{url}/verify", files=file(photograph("Grace")), headers=headers)
    assert refused(answer, 404, 44)


def test_what_is_repeated_with_an_idempotency_key_is_done_once(guarded):
    headers = key(guarded, "enroll", "search", collections=["third"]) | {"idempotency-key": "once"}
    first = guarded.client.post(SUBJECTS, json={"subject": "Once"}, headers=headers)
    again = guarded.client.post(SUBJECTS, json={"subject": "Once"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
