"""Faces in one photograph, and two photographs compared."""

import base64
import io

import numpy as np
import PIL.Image
import pytest

from mien.answers.pictures import face_row, verify_row
from mien.media.images import open_image
from server.people import FILES, encoded, nobody, photograph, together

GRACE, EILEEN = photograph("Grace"), photograph("Eileen")
BOTH = together("Grace", "Eileen")
ROUTES = ("detect", "analyze", "anonymise", "embeddings")


def built(row):
    """A struct as JSON has it."""
    import msgspec

    return msgspec.json.decode(msgspec.json.encode(row))


def post(api, route, photo=GRACE, **form):
    return api.post(f"/v1/{route}", files={"photo": ("me.jpg", photo)}, data=form)


def code(answer):
    return answer.json()["error"]["code"]


@pytest.mark.parametrize("photo", [GRACE, BOTH, nobody()], ids=["one", "two", "none"])
def test_faces_are_those_that_the_kit_finds(api, kit, photo):
    answer = post(api, "detect", photo)
    assert answer.status_code == 200
    found = kit.detect(photo)
    assert answer.json() == {
        "source": "me.jpg",
        "size_wh": list(found.size_wh),
        "faces": [built(face_row(face)) for face in found],
        "error": None,
    }


def test_three_ways_of_sending_give_the_same(api):
    expected = post(api, "detect").json()["faces"]
    text = base64.b64encode(GRACE).decode()
    answers = [
        api.post("/v1/detect", json={"photo": text}),
        api.post("/v1/detect", json={"photo": f"data:image/jpeg;base64,{text}"}),
        api.post("/v1/detect", content=GRACE, headers={"content-type": "image/jpeg"}),
        api.post("/v1/detect", content=GRACE, headers={"content-type": "application/octet-stream"}),
        api.post("/v1/detect", files={"file": GRACE}),
    ]
    assert [one.json()["faces"] for one in answers] == [expected] * 5


def test_boxes_are_of_the_upright_photograph(api, kit):
    picture = PIL.Image.open(FILES["Grace"])
    picture.thumbnail((300, 300))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    stored = encoded(picture.transpose(PIL.Image.Transpose.ROTATE_90), quality=95, exif=exif)
    turned = post(api, "detect", stored).json()
    upright = kit.detect(encoded(picture, quality=95))
    assert turned["size_wh"] == list(picture.size)
    np.testing.assert_allclose(turned["faces"][0]["box"], upright.box[0], atol=4)


def test_analyze_computes_what_is_wanted_and_tells_nothing_else(api, kit):
    (result,) = kit.analyze([GRACE], ["box", "score", "points", "pose"])
    face = post(api, "analyze", columns="pose").json()["faces"][0]
    assert face["pose"] == pytest.approx(built(face_row(result.faces[0]))["pose"], abs=1e-3)
    told = {name for name, value in face.items() if value is not None and name != "advice"}
    assert told == {"box", "score", "points", "pose"}, "landmarks were needed for it, and not asked for"
    in_query = api.post("/v1/analyze?columns=pose", content=GRACE, headers={"content-type": "image/jpeg"})
    assert in_query.json()["faces"] == [face]


def test_analyze_computes_what_is_usual_or_all_there_is(api, kit):
    usual = post(api, "analyze").json()["faces"][0]
    assert usual["pose"] is not None
    assert usual["landmarks"] is None
    everything = post(api, "analyze", columns="all").json()["faces"][0]
    assert everything["landmarks"] is not None
    assert "embedding" not in everything, "templates are not told by the way"


@pytest.mark.parametrize(
    ("columns", "status"),
    [("age", 501), ("nonsense", 400), ("box,,pose", 200), (" pose , score ", 200), ("\0", 400)],
)
def test_columns_that_cannot_be_computed(api, columns, status):
    assert post(api, "analyze", columns=columns).status_code == status


def test_liveness_needs_a_network_for_it(api):
    refused = post(api, "liveness")
    assert (refused.status_code, code(refused)) == (501, "pack_missing")


def test_liveness_says_what_the_network_says(modern_home, modern_kit, tmp_path):
    from server.serving import served

    (result,) = modern_kit.analyze([GRACE], ["live"])
    live = float(result.faces[0].live)
    with served(tmp_path / "modern", modern_home) as found:
        answer = post(found.client, "liveness").json()
        assert answer["threshold"] == 0.5
        assert answer["faces"][0]["live"] == pytest.approx(live, abs=2e-4)
        assert answer["faces"][0]["decision"] == ("live" if live >= 0.5 else "spoof")
        for threshold, decision in ((0, "live"), (1, "live" if live == 1 else "spoof")):
            answer = post(found.client, "liveness", threshold=str(threshold)).json()
            assert (answer["threshold"], answer["faces"][0]["decision"]) == (threshold, decision)
        assert post(found.client, "liveness", nobody()).json()["faces"] == []
        assert post(found.client, "liveness", threshold="1.1").status_code == 400


def pixels(content):
    return np.asarray(PIL.Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


@pytest.mark.parametrize("way", ["pixelate", "blur", "solid"])
def test_anonymised_faces_are_hidden_and_the_rest_is_not(api, kit, way):
    answer = post(api, "anonymise", BOTH, way=way)
    assert answer.headers["content-type"] == "image/png"
    before, after = open_image(BOTH).rgb.astype(int), pixels(answer.content)
    assert after.shape == before.shape
    left = np.ones(before.shape[:2], bool)
    found = kit.detect(BOTH)
    assert len(found) == 2
    for x0, y0, x1, y1 in found.box.round().astype(int):
        assert np.abs(before[y0:y1, x0:x1] - after[y0:y1, x0:x1]).mean() > 4
        grown = int(0.3 * max(x1 - x0, y1 - y0)) + 2
        left[max(0, y0 - grown) : y1 + grown, max(0, x0 - grown) : x1 + grown] = False
    assert left.any()
    assert (before[left] == after[left]).all()
    assert len(kit.detect(answer.content)) < 2, "and nobody is found there any more"


def test_what_a_photograph_says_about_itself_is_not_passed_on(api):
    exif = PIL.Image.Exif()
    exif[0x010E] = "Zuzana's garden"
    exif.get_ifd(0x8825)[1] = "N"
    photo = encoded(PIL.Image.open(io.BytesIO(GRACE)), exif=exif, comment=b"Zuzana")
    assert b"Zuzana" in photo
    answer = post(api, "anonymise", photo)
    assert b"Zuzana" not in answer.content
    assert not PIL.Image.open(io.BytesIO(answer.content)).getexif()


def test_how_far_around_a_face_is_hidden(api):
    def changed(grow):
        return (pixels(post(api, "anonymise", way="solid", grow=grow).content) != open_image(GRACE).rgb).sum()

    assert changed("0") < changed("0.3") < changed("1")
    for grow in ("-1", "6", "nan", "inf"):
        assert post(api, "anonymise", grow=grow).status_code == 400
    assert post(api, "anonymise", way="mosaic").status_code == 400


def verify(api, a, b, **form):
    return api.post("/v1/verify", files={"photo_a": ("a.jpg", a), "photo_b": ("b.jpg", b)}, data=form)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [(GRACE, photograph("Grace", 260), True), (GRACE, EILEEN, False), (GRACE, GRACE, True)],
    ids=["one person", "two people", "one photograph"],
)
def test_two_photographs_are_compared_as_the_kit_does(api, kit, a, b, same):
    answer = verify(api, a, b)
    assert answer.json() == built(verify_row(kit.verify(a, b)))
    assert answer.json()["verified"] is same


def test_which_face_of_several(api):
    assert code(verify(api, BOTH, GRACE)) == "many_faces"
    found = [verify(api, BOTH, GRACE, face=which) for which in ("0", "1")]
    assert [one.status_code for one in found] == [200, 400], "the other photograph has one only"
    assert found[0].json()["face_a"]["box"] == post(api, "detect", BOTH).json()["faces"][0]["box"]
    largest = verify(api, BOTH, EILEEN, face="largest").json()
    assert largest["face_a"]["box"] == max(
        (one["box"] for one in post(api, "detect", BOTH).json()["faces"]),
        key=lambda box: (box[2] - box[0]) * (box[3] - box[1]),
    )
    swapped = verify(api, BOTH, together("Eileen", "Grace"), face="0").json()
    assert swapped["verified"] is False
    for which in ("-1", "most", "1.5", "100001"):
        assert verify(api, GRACE, GRACE, face=which).status_code == 400


@pytest.mark.parametrize(
    "files",
    [
        {"photo_a": GRACE},
        {"photo_b": GRACE},
        {"photo": GRACE, "photo_b": GRACE},
        [("photo_a", GRACE), ("photo_a", GRACE)],
        [("photo_a", GRACE), ("photo_b", GRACE), ("photo_b", GRACE)],
        {"photo_c": GRACE},
    ],
    ids=["only a", "only b", "another name", "a twice", "b twice", "c"],
)
def test_verify_wants_one_of_each(api, files):
    refused = api.post("/v1/verify", files=files)
    assert (refused.status_code, code(refused)) == (400, "bad_request")


def test_a_photograph_that_fails_is_the_error_of_a_comparison(api):
    assert code(verify(api, GRACE, nobody())) == "no_face"
    assert code(verify(api, b"no picture", GRACE)) == "unreadable_image"


def test_templates_are_those_of_the_kit(api, kit):
    answer = post(api, "embeddings", BOTH).json()
    expected = kit.embed(BOTH)
    assert answer["space"] == expected.space
    np.testing.assert_allclose([one["embedding"] for one in answer["faces"]], expected.embedding, atol=1e-4)
    np.testing.assert_allclose([one["box"] for one in answer["faces"]], expected.box, atol=0.01)
    assert post(api, "embeddings", nobody()).json()["faces"] == []


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("photo", "status", "error"),
    [
        (b"", 422, "unreadable_image"),
        (b"<html>", 422, "unreadable_image"),
        (GRACE[:2000], 422, "unreadable_image"),
        (GRACE[: len(GRACE) // 2], 422, "unreadable_image"),
    ],
    ids=["empty", "a page", "a head", "half"],
)
def test_what_is_no_photograph_is_said_to_be_none(api, route, photo, status, error):
    refused = post(api, route, photo)
    assert (refused.status_code, code(refused)) == (status, error)
    assert refused.json()["error"]["hint"]


@pytest.mark.parametrize("route", [*ROUTES, "liveness"])
def test_exactly_one_photograph_is_wanted(api, route):
    for files in (None, [("photo", GRACE), ("photo", GRACE)], [("photo", GRACE), ("file", GRACE)]):
        refused = api.post(f"/v1/{route}", files=files)
        assert (refused.status_code, code(refused)) == (400, "bad_request")
    assert api.post(f"/v1/{route}", json={}).status_code == 400
    unknown = api.post(f"/v1/{route}", files={"photo": GRACE}, data={"colour": "red"})
    assert unknown.status_code == (400 if route not in {"detect", "embeddings"} else unknown.status_code)


def test_more_pixels_than_may_be(serve):
    with serve(store="memory", server={"max_pixels": 30_000}) as found:
        assert post(found.client, "detect", encoded(PIL.Image.new("RGB", (200, 150)))).status_code == 200
        refused = post(found.client, "detect", encoded(PIL.Image.new("RGB", (200, 151))))
        assert (refused.status_code, code(refused)) == (413, "image_too_large")


def test_more_than_may_wait_is_refused_and_says_when_to_come_again(serve, monkeypatch):
    import threading
    from concurrent.futures import ThreadPoolExecutor

    with serve(store="memory", server={"waiting": 2}) as found:
        go_on, inside, really = threading.Event(), threading.Semaphore(0), found.service.decode

        def slowly(upload):
            inside.release()
            assert go_on.wait(30)
            return really(upload)

        monkeypatch.setattr(found.service, "decode", slowly)
        with ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(post, found.client, "detect") for _ in range(2)]
            for _ in tasks:
                assert inside.acquire(timeout=30)
            try:
                refused = post(found.client, "detect")
                assert found.client.get("/v1/me").status_code == 200, "what needs no network is answered"
                assert found.client.get("/v1/system").json()["queue"] == {"waiting": 2, "capacity": 2}
            finally:
                go_on.set()
            assert [one.result().status_code for one in tasks] == [200, 200]
        assert (refused.status_code, code(refused)) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        assert post(found.client, "detect").status_code == 200


def test_what_takes_too_long_is_told_so(serve, monkeypatch):
    import time

    with serve(store="memory", server={"timeout_s": 0.5}) as found:
        really = found.service.decode
        monkeypatch.setattr(found.service, "decode", lambda upload: (time.sleep(1), really(upload))[1])
        refused = post(found.client, "detect")
        assert (refused.status_code, code(refused)) == (504, "timed_out")
