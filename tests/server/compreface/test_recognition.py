import base64

import msgspec
import pytest

from server.compreface.asking import API, file, refused, save
from server.people import nobody, photograph, together

RECOGNISE = f"{API}/recognition/recognize"


@pytest.fixture(scope="module")
def enrolled(server):
    """Server and saved faces: two of one person, one of another."""
    people = (("Grace", "Grace", 200), ("Barack", "Barack", 200), ("Barack", "Barack 2", 200))
    return server, [save(server, name, photograph(who, side))["image_id"] for name, who, side in people]


def recognise(server, content, query="", **more):
    answer = server.client.post(f"{RECOGNISE}{query}", files=file(content), **more)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_who_is_saved_is_found_and_each_subject_once(enrolled):
    server, _ = enrolled
    (face,) = recognise(server, photograph("Barack", 180), "?prediction_count=10")
    assert face.keys() == {"box", "subjects"}
    assert [one["subject"] for one in face["subjects"]] == ["Barack", "Grace"]
    first, second = (one["similarity"] for one in face["subjects"])
    assert first > 0.9 > 0.5 > second
    (face,) = recognise(server, photograph("Barack", 180))
    assert len(face["subjects"]) == 1  # unless more are asked for


def test_everybody_in_a_photograph_gets_subjects(enrolled):
    server, _ = enrolled
    found = recognise(server, together("Grace", "Barack"), "?face_plugins=landmarks")
    assert sorted(face["subjects"][0]["subject"] for face in found) == ["Barack", "Grace"]
    assert all("landmarks" in face for face in found)
    assert len(recognise(server, together("Grace", "Barack"), "?detect_faces=false")) == 1


def test_base64_does_as_well_as_a_form(enrolled):
    server, _ = enrolled
    content = photograph("Grace", 190)
    text = base64.b64encode(content).decode()
    answer = server.client.post(f"{RECOGNISE}?status=false", json={"file": text})
    assert answer.json()["result"] == recognise(server, content)


def test_nobody_saved_is_no_error_and_nobody_there_is(serve):
    with serve() as server:
        (face,) = recognise(server, photograph("Grace"), "?prediction_count=3")
        assert face["subjects"] == []
        assert refused(server.client.post(RECOGNISE, files=file(nobody())), 400, 28)


def test_a_saved_face_is_compared_alone(enrolled):
    server, (grace, barack, other) = enrolled
    content = photograph("Barack", 180)
    to_each = {}
    for image_id in (grace, barack, other):
        url = f"{API}/recognition/faces/{image_id}/verify?status=true"
        found = server.client.post(url, files=file(content)).json()
        (face,) = found["result"]
        assert face.keys() == {"box", "subject", "similarity", "execution_time"}
        assert found["plugins_versions"].keys() == {"detector", "calculator"}
        to_each[image_id] = (face["subject"], face["similarity"])
    assert to_each[grace][0] == "Grace"
    assert to_each[barack][0] == to_each[other][0] == "Barack"
    assert to_each[grace][1] < 0.5 < min(to_each[barack][1], to_each[other][1])
    # Another photograph of the same person, and still another similarity: it is not the nearest that counts.
    assert to_each[barack][1] != to_each[other][1]
    (face,) = recognise(server, content)
    assert face["subjects"][0]["similarity"] == max(to_each[barack][1], to_each[other][1])


def test_embeddings_are_recognised_and_compared_as_their_photographs_are(enrolled):
    server, (_, barack, _) = enrolled
    (face,) = recognise(server, photograph("Barack", 180), "?face_plugins=calculator&prediction_count=2")
    sent = {"embeddings": [face["embedding"], [-x for x in face["embedding"]]]}
    url = f"{API}/recognition/embeddings/recognize?prediction_count=2"
    found = server.client.post(url, json=sent).json()["result"]
    assert [one["embedding"] for one in found] == sent["embeddings"]
    assert found[0]["similarities"] == face["subjects"]
    assert all(one["similarity"] < 0.01 for one in found[1]["similarities"])
    url = f"{API}/recognition/embeddings/faces/{barack}/verify"
    near, far = server.client.post(url, json={"embeddings": sent["embeddings"][::-1]}).json()["result"]
    assert (near["embedding"], far["embedding"]) == tuple(sent["embeddings"])
    assert near["similarity"] > 0.5 > far["similarity"]


@pytest.mark.parametrize("embeddings", [[], [[]], [[1.0]], [[1.0] * 128, [1.0]], [[0.0] * 128], "x"])
def test_embeddings_that_cannot_be_compared_are_refused(enrolled, embeddings):
    server, (grace, *_) = enrolled
    for place in ("recognize", f"faces/{grace}/verify"):
        url = f"{API}/recognition/embeddings/{place}"
        assert refused(server.client.post(url, json={"embeddings": embeddings}), 400, 26)


@pytest.mark.parametrize("image_id", ["0000000000000", "nix", "6b135f5b-a365-4522-b1f1-4c9ac2dd0728", "%00"])
def test_a_face_that_is_not_saved_is_told_of_with_the_number_for_it(enrolled, image_id):
    server, _ = enrolled
    url = f"{API}/recognition/faces/{image_id}/verify"
    assert refused(server.client.post(url, files=file(photograph("Grace"))), 404, 44)
    url = f"{API}/recognition/embeddings/faces/{image_id}/verify"
    assert refused(server.client.post(url, json={"embeddings": [[1.0] * 128]}), 404, 44)


@pytest.mark.parametrize("query", ["prediction_count=0", "prediction_count=-1", "detect_faces=maybe"])
def test_values_that_do_not_fit_are_refused(enrolled, query):
    server, _ = enrolled
    assert refused(server.client.post(f"{RECOGNISE}?{query}", files=file(photograph("Grace"))), 400, 26)


def test_comparing_with_somebody_is_noted_and_not_done_beyond_the_consent(serve):
    with serve() as server:
        image_id = save(server, "Grace", photograph("Grace"))["image_id"]
        url = f"{API}/recognition/faces/{image_id}/verify"
        server.client.post(url, files=file(photograph("Grace"))).raise_for_status()
        entry = server.client.get("/v1/audit?order=desc").json()["items"][0]
        assert (entry["action"], entry["detail"]["face"]) == ("compared", image_id)
        people = "/v1/collections/default/people/Grace"
        server.client.patch(people, json={"consent_until": "2020-01-31"}).raise_for_status()
        answer = server.client.post(url, files=file(photograph("Grace")))
        assert answer.status_code == 409
        assert msgspec.json.decode(answer.content).keys() == {"message", "code"}
        (face,) = recognise(server, photograph("Grace"))
        assert face["subjects"] == []
        assert server.client.get(people).status_code == 200
