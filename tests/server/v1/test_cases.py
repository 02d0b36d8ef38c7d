import io

import PIL.Image
import pytest

PATH = "/v1/collections/people/cases"


@pytest.fixture(scope="module")
def found(server, photos):
    server.client.post("/v1/collections", json={"name": "people"}).raise_for_status()
    for folder in sorted((photos / "known").iterdir()):
        sent = [("photo", (path.name, path.read_bytes())) for path in sorted(folder.iterdir())]
        server.client.post(
            "/v1/collections/people/people",
            data={"name": folder.name, "keep_picture": "true"},
            files=sent,
        ).raise_for_status()
    return server


@pytest.fixture(scope="module")
def portrait(photos):
    return (photos / "unknown" / "portrait-2012.jpg").read_bytes()


@pytest.fixture(scope="module")
def blue(photos):
    return (photos / "known" / "Barack Obama" / "blue-room-2010.jpg").read_bytes()


@pytest.fixture
def case(found, portrait):
    answer = found.client.post(PATH, data={"title": "Somebody"}, files={"photo": ("p.jpg", portrait)})
    assert answer.status_code == 201, answer.text
    return f"{PATH}/{answer.json()['id']}"


def test_somebody_is_looked_for_and_found(found, portrait, blue):
    told = {"title": "Missing", "notes": "since May", "taken": ["2012", ""]}
    sent = [("photo", ("one.jpg", portrait)), ("photo", ("two.jpg", blue))]
    answer = found.client.post(PATH, data=told, files=sent)
    assert answer.status_code == 201, answer.text
    row = answer.json()
    assert (row["title"], row["notes"], row["collection"], row["run"], row["reviews"]) == (
        "Missing",
        "since May",
        "people",
        None,
        {},
    )
    assert [one["photograph"] for one in row["probes"]] == ["one.jpg", "two.jpg"]
    assert (row["probes"][0]["taken"], row["probes"][0]["taken_by"]) == ("2012", "user")
    path = f"{PATH}/{row['id']}"
    assert answer.headers["etag"] == '"1"'

    answer = found.client.post(f"{path}/run")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    first, *others = answer.json()["run"]["candidates"]
    assert (first["rank"], first["person"], first["decision"]) == (1, "Barack Obama", "known")
    assert {one["person"] for one in others} == {"Eileen Collins", "Grace Hopper"}
    assert found.client.get(path).json() == answer.json()
    for name in ("probe-1.jpg", "probe-2.jpg", f"face-{first['faces'][0]['face_id']}.jpg"):
        picture = found.client.get(f"{path}/pictures/{name}")
        assert picture.headers["content-type"] == "image/jpeg"
        assert PIL.Image.open(io.BytesIO(picture.content)).format == "JPEG"

    review = f"{path}/reviews/{first['person_id']}"
    answer = found.client.put(review, json={"says": "yes", "note": "the ear"}, headers={"if-match": '"2"'})
    assert answer.json()["reviews"][first["person_id"]]["says"] == "yes"
    stale = found.client.put(review, json={"says": "no"}, headers={"if-match": '"2"'})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "version_stale")
    (listed,) = [one for one in found.client.get(PATH).json()["items"] if one["id"] == row["id"]]
    assert (listed["probes"], listed["reviewed"], listed["ran"]) == (2, 1, answer.json()["run"]["made"])
    assert found.client.delete(path, headers={"if-match": '"3"'}).status_code == 204
    assert found.client.get(path).json()["error"]["code"] == "case_unknown"


def test_every_photograph_has_to_show_the_person(found, portrait, photos):
    into = io.BytesIO()
    PIL.Image.new("RGB", (64, 64)).save(into, "PNG")
    sent = [("photo", ("p.jpg", portrait)), ("photo", ("n.png", into.getvalue())), ("photo", ("x.jpg", b"x"))]
    answer = found.client.post(PATH, data={"title": "A"}, files=sent)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "no_face")
    assert [one["error"]["code"] for one in error["details"]["failures"]] == ["no_face", "unreadable_image"]
    assert found.client.post(PATH, json={"title": "A"}).status_code == 400


@pytest.mark.parametrize(
    "data",
    [{"taken": "99"}, {"taken": ["1998", "1999"]}, {"title": "x" * 201}, {"face": "smallest"}, {"x": "y"}],
)
def test_cases_that_make_no_sense(found, portrait, data):
    answer = found.client.post(PATH, data=data, files={"photo": portrait})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request"), answer.text


def test_one_photograph_twice_is_refused(found, portrait):
    sent = [("photo", ("a.jpg", portrait)), ("photo", ("b.jpg", portrait))]
    assert found.client.post(PATH, files=sent).status_code == 400


def test_of_several_faces_the_largest(found, photos):
    group = next(path for path in sorted((photos / "unknown").iterdir()) if path.name == "blue-room.jpg")
    faces = len(found.client.post("/v1/detect", files={"photo": group.read_bytes()}).json()["faces"])
    answer = found.client.post(PATH, files={"photo": group.read_bytes()})
    assert (answer.status_code == 201) == (faces == 1)
    answer = found.client.post(PATH, data={"face": "largest"}, files={"photo": group.read_bytes()})
    assert answer.status_code == 201
    assert answer.json()["probes"][0]["face"] == "largest"


def test_who_is_forgotten_is_no_candidate(found, case, photos):
    sent = {"photo": (photos / "known" / "Grace Hopper" / "portrait.jpg").read_bytes()}
    made = found.client.post(
        "/v1/collections/people/people", data={"name": "Twin", "keep_picture": "1"}, files=sent
    )
    twin = made.json()["person_id"]
    row = found.client.post(f"{case}/run").json()
    (candidate,) = [one for one in row["run"]["candidates"] if one["person_id"] == twin]
    picture = f"{case}/pictures/face-{candidate['faces'][0]['face_id']}.jpg"
    assert found.client.get(picture).status_code == 200
    assert found.client.put(f"{case}/reviews/{twin}", json={"says": "no"}).status_code == 200
    assert found.client.delete(f"/v1/collections/people/people/{twin}").status_code == 204
    text = found.client.get(case).text
    assert twin not in text
    assert "Twin" not in text
    assert found.client.get(picture).json()["error"]["code"] == "face_unknown"
    answer = found.client.put(f"{case}/reviews/{twin}", json={"says": "no"})
    assert answer.json()["error"]["code"] == "person_unknown"


def test_a_case_belongs_to_its_collection(found, case):
    found.client.post("/v1/collections", json={"name": "others"})
    other = case.replace("/people/cases", "/others/cases")
    for method, end in (("GET", ""), ("POST", "/run"), ("DELETE", ""), ("GET", "/pictures/probe-1.jpg")):
        answer = found.client.request(method, other + end)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "case_unknown"), end
    assert found.client.get("/v1/collections/others/cases").json()["items"] == []
    assert found.client.get("/v1/collections/nowhere/cases").status_code == 404


@pytest.mark.parametrize("name", ["photo-001", "candidate-1", "probe-2.jpg", "%2e%2e", "face-.jpg"])
def test_only_pictures_are_given(found, case, name):
    answer = found.client.get(f"{case}/pictures/{name}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "face_unknown")


def test_reviews_say_something(found, case):
    for body in ({}, {"says": "maybe"}, {"says": "yes", "note": "x" * 10_001}, {"says": "yes", "more": 1}):
        answer = found.client.put(f"{case}/reviews/0000000000000", json=body)
        assert answer.status_code == 400, body


def test_cases_come_in_parts(found, portrait):
    ids = [found.client.post(PATH, files={"photo": portrait}).json()["id"] for _ in range(3)]
    part = found.client.get(PATH, params={"limit": 2}).json()
    assert [one["id"] for one in part["items"]] == ids[:0:-1]
    part = found.client.get(PATH, params={"limit": 1, "cursor": part["next"]}).json()
    assert [one["id"] for one in part["items"]] == ids[:1]
