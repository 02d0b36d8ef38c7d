"""What distances mean, measured with people who are enrolled."""

import itertools

import numpy as np
import pytest

from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, about
from server.people import enrol, photograph
from server.serving import served

PEOPLE, FACES = 60, 3


@pytest.fixture(scope="module")
def filled(mien_home, tmp_path_factory):
    """A server with people whose templates are known: around sixty points far from each other."""
    with served(tmp_path_factory.mktemp("calibrating"), mien_home) as one:
        rng, kit = np.random.default_rng(5), one.service.kit
        one.client.post("/v1/collections", json={"name": "team"}).raise_for_status()
        centres = rng.normal(0, 1, (PEOPLE, 1, 128))
        centres /= np.linalg.norm(centres, axis=2, keepdims=True)
        vectors = centres + 0.3 * rng.normal(0, 1, (PEOPLE, FACES, 128)) / np.sqrt(128)
        people = [
            Newcomer(about(f"p{number}"), [NewFace(vector) for vector in own.astype(np.float32)])
            for number, own in enumerate(vectors)
        ]
        kit.gallery("team").enroll_many(people, kit.space())
        yield one


@pytest.fixture
def found(filled):
    """That server, without a calibration."""
    yield filled
    filled.client.delete("/v1/calibration").raise_for_status()


def recognise(found):
    photo = {"photo": photograph("Grace")}
    return found.client.post("/v1/collections/team/identify", files=photo).json()


def test_before_the_manifest_decides(found):
    row = found.client.get("/v1/calibration").json()
    rule = found.service.kit.rule()
    assert row["calibration"] is None
    assert (row["decision"]["distance"], row["decision"]["source"]) == (rule.distance, "manifest")


def test_a_calibration_is_made_used_and_dropped(found):
    before = found.client.get("/v1/calibration").json()["decision"]
    answer = found.client.post("/v1/collections/team/calibrate", json={"fmr": 0.05})
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["decision"]["fmr"], made["decision"]["source"]) == (0.05, "calibration")
    assert made["decision"]["distance"] != before["distance"]
    assert made["calibration"]["space"] == found.service.kit.space()
    assert made["report"]
    now = found.client.get("/v1/calibration").json()
    assert now == {name: made[name] for name in ("decision", "calibration")}
    assert found.client.get("/v1/system").json()["decision"] == made["decision"]
    # It decides from now on, also in collections that were in use before.
    enrol(found.client, "team", "Grace", photograph("Grace")).raise_for_status()
    identified = found.client.post(
        "/v1/collections/team/identify", files={"photo": photograph("Grace")}
    ).json()
    assert identified["threshold"] == made["decision"]["distance"]
    assert identified["rule"] == "calibration"
    assert found.client.delete("/v1/calibration").status_code == 204
    assert found.client.get("/v1/calibration").json()["decision"] == before
    identified = found.client.post(
        "/v1/collections/team/identify", files={"photo": photograph("Grace")}
    ).json()
    assert identified["threshold"] == before["distance"]
    assert found.client.delete("/v1/calibration").status_code == 204, "there is nothing to drop any more"


def test_the_threshold_lets_as_many_strangers_pass_as_was_asked_for(found):
    made = found.client.post("/v1/collections/team/calibrate", json={"fmr": 0.05}).json()
    templates = found.service.kit.gallery("team").templates()
    owner = templates.person
    strangers = [
        np.linalg.norm(templates.vectors[i] - templates.vectors[j])
        for i, j in itertools.combinations(range(len(owner)), 2)
        if owner[i] != owner[j]
    ]
    share = np.mean(np.array(strangers) <= made["decision"]["distance"])
    assert 0 < share <= 0.06


@pytest.mark.parametrize("body", [{"fmr": 0}, {"fmr": 1}, {"fmr": "x"}, {"rate": 0.1}, []], ids=str)
def test_rates_that_are_none(found, body):
    refused = found.client.post("/v1/collections/team/calibrate", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_request")


def test_what_cannot_be_measured_is_said(found):
    refused = found.client.post("/v1/collections/team/calibrate", json={"fmr": 1e-9})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "rate_unsupported")
    found.client.post("/v1/collections", json={"name": "empty"}).raise_for_status()
    refused = found.client.post("/v1/collections/empty/calibrate", json={"fmr": 0.05})
    assert refused.status_code in {400, 409}
    missing = found.client.post("/v1/collections/none/calibrate", json={"fmr": 0.05})
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "collection_unknown")
    assert found.client.get("/v1/calibration").json()["calibration"] is None
