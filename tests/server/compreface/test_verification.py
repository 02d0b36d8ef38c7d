import json
import math

import pytest

from server.compreface.asking import API, file, refused
from server.people import nobody, photograph, together

VERIFY = f"{API}/verification/verify"
EMBEDDINGS = f"{API}/verification/embeddings/verify"


def pair(source, target):
    return {**file(source, field="source_image"), **file(target, field="target_image")}


def verify(server, source, target, query=""):
    answer = server.client.post(f"{VERIFY}{query}", files=pair(source, target))
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["result"]
    return found


def expected(one, two):
    """By hand: the formula with the threshold that dlib states for its network."""
    return (1 + math.tanh(7 * (1 - math.dist(one, two) / 0.6))) / 2


def embedding(server, content):
    query = "?face_plugins=calculator"
    return server.client.post(f"{API}/detection/detect{query}", files=file(content)).json()["result"][0][
        "embedding"
    ]


def test_one_person_is_beyond_one_half_and_two_are_not(server):
    same = verify(server, photograph("Barack"), photograph("Barack 2"))
    assert same.keys() == {"source_image_face", "face_matches"}
    assert same["source_image_face"].keys() == {"box"}
    assert same["face_matches"][0]["similarity"] > 0.5
    other = verify(server, photograph("Barack"), photograph("Grace"))
    assert other["face_matches"][0]["similarity"] < 0.5


def test_the_similarity_is_the_formula_and_each_face_of_the_target_has_one(server):
    found = verify(
        server, photograph("Grace"), together("Grace", "Eileen"), "?face_plugins=calculator&status=true"
    )
    source = found["source_image_face"]["embedding"]
    assert len(found["face_matches"]) == 2
    for match in found["face_matches"]:
        assert match["similarity"] == pytest.approx(expected(source, match["embedding"]), abs=1e-4)
        assert match.keys() == {"box", "embedding", "similarity", "execution_time"}
    assert found["plugins_versions"].keys() == {"detector", "calculator"}


def test_the_source_shows_one_person(server):
    both = together("Grace", "Eileen")
    assert refused(server.client.post(VERIFY, files=pair(both, photograph("Grace"))), 400, 31)
    # Of several, a limit takes the largest, of the target too.
    assert len(verify(server, both, both, "?limit=1")["face_matches"]) == 1


@pytest.mark.parametrize("missing", ["source", "target"])
def test_nobody_there_is_an_error(server, missing):
    photographs = {"source": photograph("Grace"), "target": photograph("Grace"), missing: nobody()}
    assert refused(server.client.post(VERIFY, files=pair(**photographs)), 400, 28)


def test_two_photographs_are_wanted(server):
    content = photograph("Grace")
    twice = [("source_image", ("a.jpg", content)), ("source_image", ("b.jpg", content))]
    for sent in (twice, twice[:1], file(content)):
        assert refused(server.client.post(VERIFY, files=sent), 400, 26)
    assert refused(server.client.post(VERIFY), 400, 26)


def test_embeddings_are_compared_and_the_most_similar_comes_first(server):
    grace, eileen = embedding(server, photograph("Grace")), embedding(server, photograph("Eileen"))
    answer = server.client.post(EMBEDDINGS, json={"source": grace, "targets": [eileen, grace]})
    assert answer.status_code == 200
    first, second = answer.json()["result"]
    assert (first["embedding"], second["embedding"]) == (grace, eileen)
    assert first["similarity"] == pytest.approx(1, abs=1e-5)
    assert second["similarity"] == pytest.approx(expected(grace, eileen), abs=1e-4)


@pytest.mark.parametrize(
    "body",
    [
        {"source": [1, 2], "targets": [[1]]},
        {"source": [1, 2], "targets": [[0, 0]]},
        {"source": [1e300, 1], "targets": [[1, 2]]},
        {"source": [1, 1], "targets": [[1, 3e38]]},
        {"source": [], "targets": [[]]},
        {"source": [1], "targets": []},
        {"source": [1]},
        {"source": "1", "targets": [[1]]},
        {"source": [None], "targets": [[1]]},
        [],
    ],
)
def test_what_is_no_embedding_is_refused(server, body):
    assert refused(server.client.post(EMBEDDINGS, content=json.dumps(body)), 400, 26)


def test_there_is_an_end_to_embeddings(server):
    many = b'{"source": [1], "targets": [[' + b"1," * (4 * 1024 * 1024) + b"1]]}"
    assert refused(server.client.post(EMBEDDINGS, content=many), 413, 0)
