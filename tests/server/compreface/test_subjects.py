import pytest

from server.compreface.asking import API, refused, save
from server.people import photograph

SUBJECTS = f"{API}/recognition/subjects"


@pytest.fixture(autouse=True)
def _nobody(server):
    server.client.delete(SUBJECTS).raise_for_status()


def names(server):
    return server.client.get(SUBJECTS).json()["subjects"]


def test_subjects_are_made_renamed_and_deleted(server):
    client = server.client
    assert names(server) == []
    made = client.post(SUBJECTS, json={"subject": "Ada 面"})
    assert (made.status_code, made.json()) == (201, {"subject": "Ada 面"})
    assert client.get(f"{SUBJECTS}/").json() == {"subjects": ["Ada 面"]}
    assert client.put(f"{SUBJECTS}/Ada 面", json={"subject": "Ada"}).json() == {"updated": True}
    assert client.put(f"{SUBJECTS}/Ada", json={"subject": " Ada"}).json() == {"updated": False}
    assert client.delete(f"{SUBJECTS}/Ada").json() == {"subject": "Ada"}
    assert names(server) == []


def test_a_name_that_is_taken_gets_the_faces_of_the_other(server):
    one = save(server, "Grace", photograph("Grace"))["image_id"]
    two = save(server, "G. Hopper", photograph("Grace", 220))["image_id"]
    assert server.client.put(f"{SUBJECTS}/G. Hopper", json={"subject": "Grace"}).json() == {"updated": True}
    assert names(server) == ["Grace"]
    faces = server.client.get(f"{API}/recognition/faces").json()["faces"]
    assert {face["image_id"]: face["subject"] for face in faces} == {one: "Grace", two: "Grace"}


def test_a_subject_exists_once(server):
    server.client.post(SUBJECTS, json={"subject": "Ada"}).raise_for_status()
    assert refused(server.client.post(SUBJECTS, json={"subject": "Ada"}), 400, 43)


def test_who_is_unknown_is_told_of_with_the_number_for_it(server):
    assert refused(server.client.delete(f"{SUBJECTS}/Nobody"), 404, 42)
    assert refused(server.client.put(f"{SUBJECTS}/Nobody", json={"subject": "Ada"}), 404, 42)


@pytest.mark.parametrize(
    "body", ['{"subject": ""}', '{"subject": 7}', "{}", "[]", "", "{", '{"subject": "  "}', '"\\ud800"']
)
def test_what_is_no_name_is_refused(server, body):
    headers = {"content-type": "application/json"}
    assert refused(server.client.post(SUBJECTS, content=body, headers=headers), 400, 26)
    assert names(server) == []


def test_an_empty_name_deletes_nobody(server):
    server.client.post(SUBJECTS, json={"subject": "Ada"}).raise_for_status()
    answer = server.client.delete(f"{SUBJECTS}/", follow_redirects=True)
    assert answer.status_code == 405
    assert names(server) == ["Ada"]


def test_all_are_deleted_with_their_faces(server):
    save(server, "Grace", photograph("Grace"))
    server.client.post(SUBJECTS, json={"subject": "Ada"}).raise_for_status()
    assert server.client.delete(SUBJECTS).json() == {"deleted": 2}
    assert server.client.delete(SUBJECTS).json() == {"deleted": 0}
    assert server.client.get(f"{API}/recognition/faces").json()["total_elements"] == 0


def test_they_are_people_of_the_collection_of_the_settings(server):
    save(server, "Grace", photograph("Grace"))
    people = server.client.get("/v1/collections/default/people").json()["items"]
    assert [(person["name"], person["faces"]) for person in people] == [("Grace", 1)]


def test_before_anybody_is_saved_there_is_nothing_and_looking_makes_nothing(serve):
    with serve(wait=False) as server:
        client, faces = server.client, f"{API}/recognition/faces"
        assert client.get(SUBJECTS).json() == {"subjects": []}
        assert client.get(faces).json()["total_elements"] == 0
        assert client.delete(SUBJECTS).json() == client.delete(faces).json() == {"deleted": 0}
        assert client.post(f"{faces}/delete", json=["0000000000000"]).json() == []
        assert refused(client.delete(f"{SUBJECTS}/Ada"), 404, 42)
        assert refused(client.put(f"{SUBJECTS}/Ada", json={"subject": "Grace"}), 404, 42)
        assert refused(client.delete(f"{faces}/0000000000000"), 404, 44)
        assert refused(client.get(f"{faces}/0000000000000/img"), 404, 44)
        url = f"{API}/recognition/embeddings"
        sent = {"embeddings": [[1.0, 0.0]]}
        assert refused(client.post(f"{url}/faces/0000000000000/verify", json=sent), 404, 44)
        found = client.post(f"{url}/recognize", json=sent).json()
        assert found == {"result": [{"embedding": [1.0, 0.0], "similarities": []}]}
        assert client.get("/v1/collections").json()["items"] == []
