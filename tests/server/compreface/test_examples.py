import base64

import pytest

from server.compreface.asking import API, file, refused, save
from server.people import nobody, photograph, together

FACES = f"{API}/recognition/faces"


@pytest.fixture(autouse=True)
def _nobody(server):
    server.client.delete(FACES).raise_for_status()


def listed(server, **params):
    return server.client.get(FACES, params=params).json()


def test_a_face_is_saved_by_form_and_by_base64(server):
    one = save(server, "Grace", photograph("Grace"))
    assert one.keys() == {"image_id", "subject"}
    text = base64.b64encode(photograph("Eileen")).decode()
    answer = server.client.post(f"{FACES}?subject=Eileen&det_prob_threshold=0.5", json={"file": text})
    assert answer.status_code == 201
    assert listed(server)["faces"] == [one, answer.json()]


def test_a_photograph_is_saved_once_however_often_it_is_sent(server):
    content = photograph("Grace")
    first = save(server, "Grace", content)
    save(server, "Grace", photograph("Grace", 210))
    assert save(server, "Grace", content) == first
    assert listed(server)["total_elements"] == 2


def test_pages(server):
    saved = [save(server, "Grace", photograph("Grace", 200 + 4 * i)) for i in range(4)]
    saved.append(save(server, "Eileen", photograph("Eileen")))
    found = listed(server, page=1, size=2)
    assert found.pop("faces") == saved[2:4]
    assert found == {"page_number": 1, "page_size": 2, "total_pages": 3, "total_elements": 5}
    assert listed(server, page=2, size=2)["faces"] == saved[4:]
    assert listed(server, page=10**30, size=2)["faces"] == []
    assert listed(server, subject="Eileen")["faces"] == saved[4:]
    assert listed(server, subject="Nobody")["total_elements"] == 0
    assert listed(server)["page_size"] == 20
    assert listed(server, size=10**9)["page_size"] == 2000


@pytest.mark.parametrize("params", [{"page": -1}, {"size": 0}, {"size": "many"}])
def test_pages_that_cannot_be(server, params):
    assert refused(server.client.get(FACES, params=params), 400, 26)


def test_one_is_deleted_and_its_subject_stays(server):
    one = save(server, "Grace", photograph("Grace"))
    gone = server.client.delete(f"{FACES}/{one['image_id']}")
    assert (gone.status_code, gone.json()) == (200, one)
    assert refused(server.client.delete(f"{FACES}/{one['image_id']}"), 404, 44)
    assert server.client.get(f"{API}/recognition/subjects").json() == {"subjects": ["Grace"]}


def test_several_are_deleted_and_unknown_ones_passed_over(server):
    one, two = save(server, "Grace", photograph("Grace")), save(server, "Eileen", photograph("Eileen"))
    gone = server.client.post(
        f"{FACES}/delete", json=[one["image_id"], "0000000000000", "a/b\x00", one["image_id"]]
    )
    assert (gone.status_code, gone.json()) == (200, [one])
    assert listed(server)["faces"] == [two]
    assert server.client.post(f"{FACES}/delete", json=[]).json() == []
    assert refused(server.client.post(f"{FACES}/delete", json={"ids": []}), 400, 26)


def test_those_of_a_subject_go_with_the_subject(server):
    save(server, "Grace", photograph("Grace"))
    save(server, "Grace", photograph("Grace", 210))
    save(server, "Eileen", photograph("Eileen"))
    assert server.client.delete(FACES, params={"subject": "Grace"}).json() == {"deleted": 2}
    assert server.client.delete(FACES, params={"subject": "Grace"}).json() == {"deleted": 0}
    assert server.client.get(f"{API}/recognition/subjects").json() == {"subjects": ["Eileen"]}
    assert server.client.delete(FACES).json() == {"deleted": 1}


@pytest.mark.parametrize(
    "query", ["subject=", "subject= ", "subject=%20%20", "Subject=Grace", "subjct=Grace"]
)
def test_an_empty_or_misspelt_subject_does_not_delete_everybody(server, query):
    save(server, "Grace", photograph("Grace"))
    assert refused(server.client.delete(f"{FACES}?{query}"), 400, 26)
    assert listed(server)["total_elements"] == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [(nobody(), 28), (together("Grace", "Eileen"), 31), (b"no photograph", 21), (b"", 21)],
    ids=["nobody", "two", "text", "nothing"],
)
def test_photographs_that_show_nobody_or_several_are_refused(server, content, code):
    answer = server.client.post(FACES, params={"subject": "Grace"}, files=file(content))
    assert refused(answer, 400, code)
    assert server.client.get(f"{API}/recognition/subjects").json() == {"subjects": []}


def test_a_face_of_which_the_detector_is_not_sure_enough_is_none(server):
    params = {"subject": "Grace", "det_prob_threshold": 1}
    assert refused(server.client.post(FACES, params=params, files=file(photograph("Grace"))), 400, 28)


def test_what_is_missing_or_wrong_is_refused(server):
    content = photograph("Grace")
    post = server.client.post
    assert refused(post(FACES, files=file(content)), 400, 26)
    assert refused(post(FACES, params={"subject": ""}, files=file(content)), 400, 26)
    assert refused(post(FACES, params={"subject": "A"}), 400, 26)
    assert refused(post(FACES, params={"subject": "A"}, files=file(content, field="image")), 400, 26)
    assert refused(post(FACES, params={"subject": "A"}, json={"file": "%"}), 400, 26)
    assert refused(
        post(FACES, params={"subject": "A", "det_prob_threshold": 2}, files=file(content)), 400, 26
    )
    assert refused(
        post(FACES, params={"subject": "A"}, content=content, headers={"content-type": "text/x"}), 415, 21
    )


def test_a_picture_is_there_if_pictures_are_kept(server, serve):
    without = save(server, "Grace", photograph("Grace"))["image_id"]
    assert refused(server.client.get(f"{FACES}/{without}/img"), 404, 44)
    assert refused(server.client.get(f"{FACES}/nix/img"), 404, 44)
    with serve(keep_crops=True) as keeping:
        kept = save(keeping, "Grace", photograph("Grace"))["image_id"]
        answer = keeping.client.get(f"{FACES}/{kept}/img")
        assert answer.status_code == 200
        assert answer.content.startswith(b"\xff\xd8")
        assert "no-store" in answer.headers["cache-control"]


def test_the_key_is_never_a_part_of_an_address(server):
    one = save(server, "Grace", photograph("Grace"))["image_id"]
    assert refused(server.client.get(f"{API}/static/some-key/images/{one}"), 404, 0)
