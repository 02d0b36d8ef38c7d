"""Requests as the official clients of CompreFace put them on the wire, written down from reading them."""

import base64

import pytest

from server.compreface.asking import API, save
from server.people import photograph

BOUNDARY = "d41d8cd98f00b204e9800998ecf8427e"


def form(**files):
    """A form without types, as requests-toolbelt and form-data write it."""
    head = 'Content-Disposition: form-data; name="{}"; filename="image.jpg"'
    parts = [
        f"--{BOUNDARY}\r\n{head.format(field)}\r\n\r\n".encode() + content + b"\r\n"
        for field, content in files.items()
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(server, url, **files):
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}", "x-api-key": "any"}
    answer = server.client.post(f"{API}{url}", content=form(**files), headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "query",
    [
        "?",  # Python, without options
        "?&limit=0&det_prob_threshold=0.8&face_plugins=landmarks,pose&status=True",  # Python
        "?limit=0&det_prob_threshold=0.8&face_plugins=landmarks,pose&status=true",  # JavaScript, with a limit
        "?det_prob_threshold=0.8?face_plugins=landmarks,pose?status=true",  # JavaScript, without
        "",
    ],
)
def test_detection(server, query):
    found = post(server, f"/detection/detect{query}", file=photograph("Grace"))
    (face,) = found["result"]
    plugins = "face_plugins" in query
    assert ("landmarks" in face, "pose" in face, "plugins_versions" in found) == (plugins,) * 3


def test_a_limit_of_javascript_that_others_follow(server):
    save(server, "Grace", photograph("Grace"))
    found = post(
        server, "/recognition/recognize?limit=1&prediction_count=1&status=true", file=photograph("Grace")
    )
    assert found["result"][0]["subjects"][0]["subject"] == "Grace"


def test_a_question_mark_that_is_meant_stays(server):
    name = "Who?limit=1"
    saved = save(server, name, photograph("Eileen"))
    assert saved["subject"] == name
    listed = server.client.get(f"{API}/recognition/faces", params={"subject": name}).json()
    assert listed["faces"] == [saved]


def test_a_subject_of_javascript_keeps_its_name(server):
    url = "/recognition/faces?subject=Eileen Collins?det_prob_threshold=0.8"
    assert post(server, url, file=photograph("Eileen", 220))["subject"] == "Eileen Collins"


def test_verification(server):
    url = "/verification/verify?&limit=0&det_prob_threshold=0.8&face_plugins=landmarks&status=True"
    found = post(server, url, source_image=photograph("Grace"), target_image=photograph("Grace", 210))
    assert found["result"][0]["face_matches"][0]["similarity"] > 0.5


def test_base64_as_axios_sends_it(server):
    text = base64.b64encode(photograph("Grace")).decode()
    headers = {"content-type": "application/json", "x-api-key": "any"}
    url = f"{API}/verification/verify?limit=0"
    body = f'{{"source_image":"{text}","target_image":"{text}"}}'
    found = server.client.post(url, content=body, headers=headers).json()
    assert found["result"][0]["face_matches"][0]["similarity"] > 0.99


def test_subjects_as_python_sends_them(server):
    url, headers = f"{API}/recognition/subjects", {"content-type": "application/json", "x-api-key": "any"}
    server.client.post(url, content='{"subject": "Ada"}', headers=headers).raise_for_status()
    body = '{"subject": "Countess", "api_endpoint": "Ada"}'
    assert server.client.put(f"{url}/Ada", content=body, headers=headers).json() == {"updated": True}
    assert "Countess" in server.client.get(url, headers=headers).json()["subjects"]
    # Its header speaks of JSON, and there is none.
    assert server.client.delete(f"{url}/Countess", headers=headers).json() == {"subject": "Countess"}
    assert "deleted" in server.client.delete(url, headers=headers).json()
