import base64

import pytest

from server.compreface.asking import API, file, refused
from server.people import nobody, photograph, together

DETECT = f"{API}/detection/detect"


def detect(server, content, query=""):
    answer = server.client.post(f"{DETECT}{query}", files=file(content))
    assert answer.status_code == 200, answer.text
    return answer.json()


def area(found):
    box = found["box"]
    return (box["x_max"] - box["x_min"]) * (box["y_max"] - box["y_min"])


def test_faces_are_where_the_native_api_finds_them(server):
    content = together("Grace", "Eileen")
    native = server.client.post("/v1/detect", files={"photo": content}).json()["faces"]
    found = detect(server, content)
    assert found.keys() == {"result"}
    boxes = {tuple(round(edge) for edge in face["box"]): round(face["score"], 4) for face in native}
    for face in found["result"]:
        assert face.keys() == {"box"}
        box = face["box"]
        corners = (box["x_min"], box["y_min"], box["x_max"], box["y_max"])
        assert boxes.pop(corners) == pytest.approx(box["probability"], abs=1e-4)
    assert not boxes
    assert all(type(box[name]) is int for name in ("x_min", "x_max", "y_min", "y_max"))


def test_the_largest_come_first_and_as_many_as_wanted(server):
    content = together("Grace", "Eileen", "Barack")
    every = detect(server, content, "?limit=0")["result"]
    assert len(every) >= 3
    assert [area(one) for one in every] == sorted((area(one) for one in every), reverse=True)
    assert detect(server, content, "?limit=2")["result"] == every[:2]
    assert detect(server, content, f"?limit={10**20}")["result"] == every


def test_plugins_and_status(server):
    found = detect(server, photograph("Grace"), "?face_plugins=landmarks,%20pose,,calculator&status=true")
    (face,) = found["result"]
    assert face.keys() == {"box", "landmarks", "pose", "embedding", "execution_time"}
    assert len(face["landmarks"]) == 5
    assert face["pose"].keys() == {"yaw", "pitch", "roll"}
    assert len(face["embedding"]) == 128
    times = face["execution_time"]
    assert times.keys() == {"detector", "pose", "calculator"}
    assert sum(times.values()) == times["detector"] > 0
    versions = {name: label.partition("@")[0] for name, label in found["plugins_versions"].items()}
    assert versions == {"detector": "mtcnn", "pose": "pnp", "calculator": "dlib-resnet29"}


def test_a_plugin_that_nobody_knows_is_refused_and_one_whose_pack_is_missing_says_so(server):
    answer = server.client.post(f"{DETECT}?face_plugins=age,brain", files=file(photograph("Grace")))
    assert refused(answer, 400, 26)
    assert "'brain'" in answer.json()["message"]
    missing = server.client.post(f"{DETECT}?face_plugins=age", files=file(photograph("Grace")))
    assert refused(missing, 501, 0)
    assert "mien packs install" in missing.json()["message"]


@pytest.mark.parametrize(
    "query", ["limit=-1", "limit=x", "det_prob_threshold=1.1", "det_prob_threshold=nan", "status=perhaps"]
)
def test_values_that_do_not_fit_are_refused(server, query):
    assert refused(server.client.post(f"{DETECT}?{query}", files=file(photograph("Grace"))), 400, 26)


@pytest.mark.parametrize("limit", [[], [[]], {}, "x", 1.5, True, [1, -1]])
def test_members_that_do_not_fit_are_refused(server, limit):
    sent = {"file": base64.b64encode(photograph("Grace")).decode(), "limit": limit}
    assert refused(server.client.post(DETECT, json=sent), 400, 26)


@pytest.mark.parametrize("query", ["", "?limit=&status=&face_plugins=&det_prob_threshold=", "?unknown=1"])
def test_what_is_empty_or_unknown_is_passed_over(server, query):
    assert len(detect(server, photograph("Grace"), query)["result"]) == 1


def test_nobody_there_is_an_error(server):
    answer = server.client.post(DETECT, files=file(nobody()))
    assert refused(answer, 400, 28)
    assert "upload:" not in answer.text
