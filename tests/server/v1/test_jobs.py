import base64
import io
import json
import threading
import time

import PIL.Image
import pytest


@pytest.fixture(scope="module")
def found(server):
    server.client.post("/v1/collections", json={"name": "people"}).raise_for_status()
    server.client.post("/v1/collections", json={"name": "album"}).raise_for_status()
    return server


@pytest.fixture(scope="module")
def rocket(photos):
    return (photos / "unknown" / "rocket.jpg").read_bytes()


@pytest.fixture(scope="module")
def empty():
    into = io.BytesIO()
    PIL.Image.new("RGB", (64, 64), "grey").save(into, "PNG")
    return into.getvalue()


def files(*named):
    return [("photo", (name, content, "image/jpeg")) for name, content in named]


def make(found, named=(), headers=None, **fields):
    if not named:
        return found.client.post("/v1/jobs", json=fields, headers=headers)
    fields = {name: json.dumps(one) if isinstance(one, dict) else one for name, one in fields.items()}
    return found.client.post("/v1/jobs", data=fields, files=files(*named), headers=headers)


def ended(found, job, seconds=60):
    end = time.monotonic() + seconds
    while (row := found.client.get(f"/v1/jobs/{job}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < end, row
        time.sleep(0.05)
    return row


def results(found, job, **params):
    answer = found.client.get(f"/v1/jobs/{job}/results", params=params)
    answer.raise_for_status()
    return answer.json()


def test_photographs_are_analysed(found, ada, empty):
    answer = make(found, [("x/a.jpg", ada[0]), ("b.png", empty), ("c.jpg", b"nothing")], kind="analyze")
    assert answer.status_code == 202
    row = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{row['id']}"
    assert (row["state"], row["total"], row["owner"], row["collection"]) == ("queued", 3, "local", None)
    row = ended(found, row["id"])
    assert (row["state"], row["done"], row["failed"], row["summary"]) == ("done", 3, 1, {"faces": 1})
    items = results(found, row["id"])["items"]
    assert [one["source"] for one in items] == ["x/a.jpg", "b.png", "c.jpg"]
    alone = found.client.post("/v1/analyze", files={"photo": ada[0]}).json()
    assert items[0]["size_wh"] == alone["size_wh"]
    assert items[0]["faces"][0].keys() == alone["faces"][0].keys()
    assert items[0]["faces"][0]["age"] == pytest.approx(alone["faces"][0]["age"], abs=0.1)
    assert items[1]["faces"] == []
    assert items[2]["error"]["code"] == "unreadable_image"


def test_people_are_enrolled_by_folder_and_identified(found, photos, rocket):
    known = [
        (f"{path.parent.name}/{path.name}", path.read_bytes())
        for path in sorted((photos / "known").rglob("*.jpg"))
    ]
    job = make(
        found, [*known, ("Grace Hopper/rocket.jpg", rocket[:1000])], kind="enroll", collection="people"
    )
    row = ended(found, job.json()["id"])
    assert (row["state"], row["failed"]) == ("done", 1)
    assert row["summary"] == {"faces": len(known), "repeated": 0, "people": 3}
    listed = found.client.get("/v1/collections/people/people").json()["items"]
    assert {one["name"]: one["faces"] for one in listed} == {
        "Barack Obama": 2,
        "Eileen Collins": 1,
        "Grace Hopper": 1,
    }
    kept = results(found, row["id"])["items"]
    assert {one["person"] for one in kept} == {one["name"] for one in listed}
    assert kept[-1]["error"]["code"] == "unreadable_image"

    unknown = (photos / "unknown" / "portrait-2012.jpg").read_bytes()
    job = make(
        found, [("p.jpg", unknown), ("r.jpg", rocket)], kind="identify", collection="people", options={"k": 2}
    )
    row = ended(found, job.json()["id"])
    first, second = results(found, row["id"])["items"]
    (who,) = first["people"]
    assert (who["person"], who["decision"], len(who["candidates"])) == ("Barack Obama", "known", 2)
    assert second["people"] == [], "nobody is found in it"

    obama = next(one["id"] for one in listed if one["name"] == "Barack Obama")
    assert found.client.delete(f"/v1/collections/people/people/{obama}").status_code == 204
    text = found.client.get(f"/v1/jobs/{row['id']}/results").text
    assert "Obama" not in text
    assert obama not in text


def test_an_album_is_made_of_a_folder(serve, photos, tmp_path):
    link = tmp_path / "photos"
    link.mkdir()
    (link / "in").symlink_to(photos)
    with serve(server={"folders": (photos,)}) as found:
        found.client.post("/v1/collections", json={"name": "album"}).raise_for_status()
        for bad in ("/", "/etc", f"{photos}/..", str(tmp_path), "photos", f"{photos}/truth.json"):
            answer = make(found, kind="cluster", collection="album", folder=bad)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request"), bad
        answer = make(found, kind="cluster", collection="album", folder=str(link / "in" / "known"))
        assert answer.status_code == 202, answer.text
        row = ended(found, answer.json()["id"])
        assert (row["state"], row["total"], row["failed"]) == ("done", 4, 0)
        assert row["summary"]["groups"] == 3
        groups = found.client.get("/v1/collections/album/clusters").json()["items"]
        assert sorted(len(one["faces"]) for one in groups) == [1, 1, 2]
        key = found.key("detect", "enroll")
        answer = make(found, headers=key, kind="analyze", folder=str(photos))
        assert answer.status_code == 403


def test_without_allowed_folders_none_can_be_named(found, photos):
    answer = make(found, kind="analyze", folder=str(photos))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert "MIEN_SERVER_FOLDERS" in answer.json()["error"]["hint"]


def test_photographs_follow_until_it_is_started(found, ada, empty):
    row = make(found, kind="analyze", options={"columns": "box"}, start=False).json()
    path = f"/v1/jobs/{row['id']}"
    assert (row["state"], row["total"]) == ("waiting", 0)
    answer = found.client.post(f"{path}/start")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job_refused")
    sent = {"photos": [base64.b64encode(one).decode() for one in (ada[0], empty)]}
    assert found.client.post(f"{path}/photographs", json=sent).json()["total"] == 2
    assert found.client.post(f"{path}/photographs", files=files(("3.png", empty))).json()["total"] == 3
    assert found.client.post(f"{path}/start").status_code == 202
    assert ended(found, row["id"])["done"] == 3
    assert found.client.post(f"{path}/photographs", files=files(("4.png", empty))).status_code == 409
    assert found.client.post(f"{path}/photographs").status_code == 400
    assert found.client.post(f"{path}/cancel").status_code == 409


def test_uploads_are_taken_once(found, empty):
    headers = {"idempotency-key": "the same"}
    first = make(found, [("1.png", empty)], headers, kind="analyze", start="false")
    second = make(found, [("1.png", empty)], headers, kind="analyze", start="false")
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    path = f"/v1/jobs/{first.json()['id']}/photographs"
    headers = {"idempotency-key": "another"}
    for _ in range(2):
        answer = found.client.post(path, files=files(("2.png", empty)), headers=headers)
    assert answer.json()["total"] == 2
    assert found.client.delete(f"/v1/jobs/{first.json()['id']}").status_code == 204


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"kind": "video"}, 400, "bad_request"),
        ({}, 400, "bad_request"),
        ({"kind": "identify"}, 400, "bad_request"),
        ({"kind": "analyze", "collection": "people"}, 400, "bad_request"),
        ({"kind": "identify", "collection": "nowhere"}, 404, "collection_unknown"),
        ({"kind": "analyze", "options": {"columns": ["nonsense"]}}, 400, "bad_request"),
        ({"kind": "analyze", "options": {"colour": 1}}, 400, "bad_request"),
        ({"kind": "analyze", "more": "x"}, 400, "bad_request"),
        ({"kind": "enroll", "collection": "people", "options": {"person": " "}}, 400, "bad_request"),
    ],
)
def test_jobs_that_make_no_sense(found, empty, fields, status, code):
    answer = make(found, [("1.png", empty)], **fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


def test_progress_as_events(found, ada, empty):
    many = [(f"{i}.jpg", ada[0]) for i in range(12)] + [("x.png", empty)]
    job = make(found, many, kind="analyze", options={"columns": "all"}).json()["id"]
    events = []
    with found.client.stream("GET", f"/v1/jobs/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
    assert [name for name, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    name, last = events[-1]
    assert (name, last["state"], last["done"]) == ("end", "done", 13)
    done = [row["done"] for _, row in events]
    assert done == sorted(done)
    assert found.client.get(f"/v1/jobs/{job}").json() == last
    again = found.client.get(f"/v1/jobs/{job}/events").text
    assert again.startswith("event: end\ndata: {")


def test_events_end_with_their_job(found, ada):
    job = make(found, [("1.jpg", ada[0])], kind="analyze", start="false").json()["id"]
    timer = threading.Timer(1.0, lambda: found.client.delete(f"/v1/jobs/{job}"))
    timer.start()
    text = found.client.get(f"/v1/jobs/{job}/events").text
    timer.join()
    assert text.count("event: ") == 1
    assert found.client.get(f"/v1/jobs/{job}").status_code == 404
    assert found.client.get(f"/v1/jobs/{job}/events").json()["error"]["code"] == "job_unknown"


def test_a_job_is_cancelled(found, ada):
    job = make(found, [(f"{i}.jpg", ada[0]) for i in range(80)], kind="analyze", options={"columns": "all"})
    path = f"/v1/jobs/{job.json()['id']}"
    assert found.client.post(f"{path}/cancel").status_code == 200
    row = ended(found, job.json()["id"])
    assert row["state"] == "cancelled"
    assert row["done"] < 80
    assert len(results(found, row["id"])["items"]) == row["done"]
    assert found.client.post(f"{path}/cancel").json() == row
    assert found.client.post(f"{path}/start").status_code == 409


def test_results_come_in_parts(found, empty):
    job = make(found, [(f"{i}.png", empty) for i in range(5)], kind="analyze").json()["id"]
    ended(found, job)
    names, cursor = [], None
    while True:
        part = results(found, job, limit=2, **({"cursor": cursor} if cursor else {}))
        assert len(part["items"]) <= 2
        names += [one["source"] for one in part["items"]]
        cursor = part["next"]
        if cursor is None:
            break
    assert names == [f"{i}.png" for i in range(5)]
    for bad in ("x", "eA==", base64.urlsafe_b64encode(b"9" * 30).decode()):
        answer = found.client.get(f"/v1/jobs/{job}/results", params={"cursor": bad})
        assert answer.status_code == 400, bad


def test_jobs_are_listed_newest_first(found, empty):
    ids = [make(found, [("1.png", empty)], kind="analyze").json()["id"] for _ in range(3)]
    part = found.client.get("/v1/jobs", params={"limit": 2}).json()
    assert [one["id"] for one in part["items"]] == ids[:0:-1]
    part = found.client.get("/v1/jobs", params={"limit": 1, "cursor": part["next"]}).json()
    assert [one["id"] for one in part["items"]] == ids[:1]


def test_keys_and_jobs(serve, empty):
    with serve() as found:
        found.client.post("/v1/collections", json={"name": "people"}).raise_for_status()
        admin, eve, mal = found.key("admin"), found.key("detect"), found.key("detect", "search")
        job = make(found, [("1.png", empty)], eve, kind="analyze").json()
        assert job["owner"].startswith("key:")
        path = f"/v1/jobs/{job['id']}"
        for method, end in (
            ("GET", ""),
            ("GET", "/results"),
            ("GET", "/events"),
            ("POST", "/cancel"),
            ("DELETE", ""),
        ):
            answer = found.client.request(method, path + end, headers=mal)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job_unknown")
        assert found.client.get(path, headers=eve).status_code == 200
        assert found.client.get(path, headers=admin).status_code == 200
        assert found.client.get("/v1/jobs", headers=mal).json()["items"] == []
        assert len(found.client.get("/v1/jobs", headers=admin).json()["items"]) == 1
        refused = make(found, [("1.png", empty)], eve, kind="identify", collection="people")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
        limited = found.key("search", collections=["other"])
        refused = make(found, [("1.png", empty)], limited, kind="identify", collection="people")
        assert refused.status_code == 403


def test_a_server_that_stops_lets_the_next_go_on(serve, ada):
    with serve() as found:
        many = [(f"{i}.jpg", ada[0]) for i in range(60)]
        job = make(found, many, kind="analyze", options={"columns": "all"}).json()["id"]
        while not found.client.get(f"/v1/jobs/{job}").json()["done"]:
            time.sleep(0.05)
    with serve() as found:
        before = found.client.get(f"/v1/jobs/{job}").json()
        assert before["state"] in {"queued", "running"}, "nobody waits for half a minute"
        row = ended(found, job)
        assert (row["state"], row["done"], row["failed"]) == ("done", 60, 0)
        items = results(found, job)["items"]
        assert [one["source"] for one in items] == [f"{i}.jpg" for i in range(60)]
