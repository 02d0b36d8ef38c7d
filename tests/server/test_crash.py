"""The server is killed, or told to stop, while it is busy; MIEN_TEST_KILLS says how often."""

import os
import random
import sqlite3
import threading
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mien.gallery.store import audit
from server.people import photograph
from server.process import serving

KILLS = int(os.environ.get("MIEN_TEST_KILLS", "4"))
AT_ONCE = 3


class Enrolling(threading.Thread):
    """Somebody who enrols one person after the other, and notes what was acknowledged."""

    def __init__(self, url, photo, stop):
        super().__init__()
        self.url, self.photo, self.stop = url, photo, stop
        self.acknowledged, self.open = {}, None
        self.refused = []

    def run(self):
        with httpx.Client(base_url=self.url, trust_env=False, timeout=60) as client:
            while not self.stop.is_set():
                self.open = name = uuid.uuid4().hex
                try:
                    answer = enrol(client, name, self.photo)
                except httpx.HTTPError:
                    return
                if answer.status_code == 201:
                    self.acknowledged[name] = answer.json()
                    self.open = None
                elif answer.status_code != 503:
                    self.refused.append(answer.text)
                    return


def enrol(client, name, photo):
    return client.post(
        "/v1/collections/people/people",
        data={"name": name, "keep_picture": "true"},
        files={"photo": ("one.jpg", photo)},
        headers={"idempotency-key": name},
    )


def age(home):
    """Let requests that nobody ended lie for an hour: whoever worked on them is dead by then."""
    before = audit.written(datetime.now(UTC) - timedelta(hours=1))
    with closing(sqlite3.connect(home / "gallery" / "people.db")) as store, store:
        store.execute("UPDATE answer SET created = ? WHERE status IS NULL", (before,))


def everybody(client):
    found, cursor = {}, {}
    while True:
        part = client.get("/v1/collections/people/people", params={"limit": 100, **cursor}).json()
        found |= {one["name"]: one for one in part["items"]}
        if part["next"] is None:
            return found
        cursor = {"cursor": part["next"]}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_acknowledged_is_there_after_a_kill(mien_home, tmp_path, workers):
    photos = [photograph(who) for who in ("Grace", "Eileen", "Barack")]
    chance, acknowledged, unsure, repeated = random.Random(workers), {}, {}, 0
    for round_number in range(KILLS + 1):
        with serving(tmp_path / "home", mien_home, workers=workers) as server:
            with server.client() as client:
                if round_number == 0:
                    client.post("/v1/collections", json={"name": "people"}).raise_for_status()
                found = everybody(client)
                assert acknowledged.keys() <= found.keys(), "somebody acknowledged is missing"
                for name, said in acknowledged.items():
                    assert found[name]["id"] == said["person_id"]
                    assert found[name]["faces"] == 1
                assert found.keys() <= acknowledged.keys() | unsure.keys()
                # Nobody is there by half: whoever is, has a face with its picture.
                for name in found.keys() & unsure.keys():
                    (face,) = client.get(f"/v1/collections/people/people/{name}/faces").json()["items"]
                    picture = client.get(f"/v1/collections/people/faces/{face['id']}/picture")
                    assert picture.content.startswith(b"\xff\xd8")
                # Whoever does not know repeats, and nobody is there twice.
                for name, photo in unsure.items():
                    answer = enrol(client, name, photo)
                    assert answer.status_code == 201, answer.text
                    acknowledged[name] = {"person_id": answer.json()["person_id"], "faces": 1}
                repeated += len(unsure)
                unsure.clear()
                again = everybody(client)
                assert again.keys() == acknowledged.keys()
                assert all(one["faces"] == 1 for one in again.values())
                assert client.get("/v1/audit/verify").status_code == 200
            if round_number == KILLS:
                assert server.stop() == 0
                break
            stop = threading.Event()
            threads = [Enrolling(server.url, photos[i % len(photos)], stop) for i in range(AT_ONCE)]
            for one in threads:
                one.start()
            time.sleep(0.5 + 1.5 * chance.random())
            server.kill()
            stop.set()
            for one in threads:
                one.join()
                assert not one.refused
                acknowledged |= one.acknowledged
                if one.open is not None:
                    unsure[one.open] = one.photo
        age(tmp_path / "home")
    assert len(acknowledged) > KILLS * 2, "the kills came too early to prove anything"
    assert repeated > KILLS, "nobody was hit while it worked"


def test_who_was_accepted_is_answered_when_the_server_is_told_to_stop(mien_home, tmp_path):
    photo = photograph("Grace", 600)
    with serving(tmp_path / "home", mien_home) as server:
        answers, begun = [], threading.Barrier(9)

        def ask():
            with server.client() as client:
                client.get("/v1/health/live")  # the connection is there
                begun.wait()
                answers.append(client.post("/v1/embeddings", files={"photo": photo}).status_code)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for one in threads:
            one.start()
        begun.wait()
        with server.client() as client:
            end = time.monotonic() + 30
            while client.get("/v1/system").json()["queue"]["waiting"] < 8 and not answers:
                assert time.monotonic() < end
        assert server.stop() == 0
        for one in threads:
            one.join()
    assert answers == [200] * 8


def test_workers_share_one_store(mien_home, tmp_path):
    with serving(tmp_path / "home", mien_home, workers=2) as server:
        with server.client() as client:
            client.post("/v1/collections", json={"name": "people"}).raise_for_status()
            made = enrol(client, "Grace", photograph("Grace"))
            assert made.status_code == 201

        def ask(path, **more):
            # A connection of its own each time: sooner or later of the other worker.
            with server.client(headers={"connection": "close"}) as client:
                return client.request(*path, **more)

        for _ in range(12):
            seen = ask(("POST", "/v1/collections/people/identify"), files={"photo": photograph("Grace", 180)})
            assert seen.json()["people"][0]["person"] == "Grace"
        asked = [
            line
            for line in ask(("GET", "/metrics")).text.splitlines()
            if line.startswith("mien_requests_total") and "/identify" in line
        ]
        assert sum(float(line.rpartition(" ")[2]) for line in asked) == 12, "numbers of all workers"
        key = ask(("POST", "/v1/keys"), json={"name": "a", "scopes": ["admin"]}).json()["key"]
        time.sleep(2.1)
        assert {ask(("GET", "/v1/me")).status_code for _ in range(12)} == {401}
        mine = {"x-api-key": key}
        assert {ask(("GET", "/v1/me"), headers=mine).status_code for _ in range(12)} == {200}
        assert server.stop() == 0
