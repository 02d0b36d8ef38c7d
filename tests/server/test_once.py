"""Requests with an idempotency key, through HTTP: done once, answered as often as they are sent."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mien.errors import StoreLocked
from server.people import nobody, photograph

PEOPLE = "/v1/collections/team/people"


@pytest.fixture(scope="module", autouse=True)
def team(api):
    api.post("/v1/collections", json={"name": "team"}).raise_for_status()


def key():
    return {"idempotency-key": secrets.token_hex(8)}


def enrol(api, headers, name="Grace", who="Grace", **form):
    photo = {"photo": (f"{who}.jpg", photograph(who))}
    return api.post(PEOPLE, files=photo, data={"name": name, **form}, headers=headers)


def faces(api, name):
    answer = api.get(f"{PEOPLE}/{name}")
    return answer.json()["faces"] if answer.status_code == 200 else 0


def replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


def test_a_request_that_is_sent_again_gets_the_same_answer(api):
    headers = key()
    first = enrol(api, headers)
    assert (first.status_code, replayed(first)) == (201, False)
    # httpx draws another boundary for every form.
    again = enrol(api, headers)
    assert (again.status_code, replayed(again)) == (201, True)
    assert again.request.headers["content-type"] != first.request.headers["content-type"]
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert faces(api, "Grace") == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Grace H."},
        {"who": "Eileen"},
        {"tags": "navy"},
        {"face": "largest"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_request_under_the_same_key_is_refused(api, other):
    headers = key()
    name = f"Mismatch {next(iter(other))}"
    assert enrol(api, headers, name=name).status_code == 201
    refused = enrol(api, headers, **{"name": name, **other})
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "idempotency_mismatch"
    assert faces(api, name) == 1
    assert replayed(enrol(api, headers, name=name)), "the first one still has its answer"


def test_another_path_or_query_is_another_request(api):
    headers = key()
    assert enrol(api, headers, name="Paths").status_code == 201
    photo = {"photo": ("Grace.jpg", photograph("Grace"))}
    for path in (f"{PEOPLE}?gate=off", f"{PEOPLE}/Paths/faces", "/v1/collections/other/people"):
        refused = api.post(path, files=photo, data={"name": "Paths"}, headers=headers)
        assert refused.json()["error"]["code"] == "idempotency_mismatch"


def test_the_same_key_of_another_caller_is_another_request(serve):
    with serve(store="memory") as found:
        admin, other = found.key("admin"), found.key("enroll")
        found.client.post("/v1/collections", json={"name": "team"}, headers=admin).raise_for_status()
        headers = key()
        first = enrol(found.client, {**headers, **admin})
        second = enrol(found.client, {**headers, **other}, name="Somebody else")
        assert (first.status_code, second.status_code) == (201, 201)
        assert not replayed(second)


def test_what_failed_may_be_tried_again_under_the_same_key(api):
    headers = key()
    failed = api.post(PEOPLE, files={"photo": nobody()}, data={"name": "Again"}, headers=headers)
    assert failed.status_code == 422
    assert failed.json()["error"]["code"] == "no_face"
    done = enrol(api, headers, name="Again")
    assert (done.status_code, replayed(done)) == (201, False)
    assert replayed(enrol(api, headers, name="Again"))


def test_what_fails_for_a_mistake_of_ours_may_be_tried_again(api, monkeypatch):
    headers = key()

    def mistake(*_args, **_kwargs):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr("mien.server.v1.people.keep", mistake)
        assert enrol(api, headers, name="Defect").status_code == 500
    done = enrol(api, headers, name="Defect")
    assert (done.status_code, replayed(done)) == (201, False)


def test_who_comes_while_it_is_being_done_is_told_to_come_again(api, server, monkeypatch):
    headers, begun, go_on = key(), threading.Event(), threading.Event()
    really = server.service.decode

    def slowly(upload):
        begun.set()
        assert go_on.wait(30)
        return really(upload)

    monkeypatch.setattr(server.service, "decode", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(enrol, api, headers, "Slow")
        try:
            assert begun.wait(30)
            refused = enrol(api, headers, "Slow")
            assert refused.status_code == 409
            assert refused.json()["error"]["code"] == "request_in_progress"
            assert int(refused.headers["retry-after"]) >= 1
        finally:
            go_on.set()
        assert first.result().status_code == 201
    assert replayed(enrol(api, headers, "Slow"))
    assert faces(api, "Slow") == 1


def test_many_at_once_do_it_once(api):
    headers = key()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: enrol(api, headers, "Crowd"), range(16)))
    assert {one.status_code for one in answers} <= {201, 409}
    done = [one for one in answers if one.status_code == 201]
    assert sum(not replayed(one) for one in done) == 1
    assert len({one.content for one in done}) == 1
    assert faces(api, "Crowd") == 1


def test_what_takes_no_photographs_is_done_once_too(api):
    headers = key()
    first = api.post("/v1/collections", json={"name": "once"}, headers=headers)
    again = api.post("/v1/collections", json={"name": "once"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert replayed(again)
    assert again.json() == first.json()
    assert api.post("/v1/collections", json={"name": "once"}).status_code == 409, (
        "without a key it is another"
    )
    assert api.post("/v1/collections", json={"name": "twice"}, headers=headers).status_code == 409


def test_faces_are_added_once(api):
    enrol(api, key(), "Adding").raise_for_status()
    headers, path = key(), f"{PEOPLE}/Adding/faces"
    answers = [api.post(path, files={"photo": photograph("Grace", 190)}, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert [replayed(one) for one in answers] == [False, True]
    assert faces(api, "Adding") == 2


@pytest.mark.parametrize("given", ["", "x" * 201, "é", "a\tb"])
def test_a_key_that_is_none_is_refused(api, given):
    refused = enrol(api, {"idempotency-key": given.encode("latin-1")}, "Nobody")
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "bad_request"
    assert faces(api, "Nobody") == 0


def test_what_only_looks_takes_no_notice(api):
    headers = key()
    photos = [{"photo": photograph(who)} for who in ("Grace", "Eileen")]
    answers = [api.post("/v1/detect", files=photo, headers=headers) for photo in photos]
    assert [one.status_code for one in answers] == [200, 200]
    assert not any(replayed(one) for one in answers)


def test_an_answer_is_not_told_to_anybody_who_may_not_ask(serve):
    with serve(store="memory") as found:
        admin, reader = found.key("admin"), found.key("search")
        found.client.post("/v1/collections", json={"name": "team"}, headers=admin).raise_for_status()
        headers = key()
        assert enrol(found.client, {**headers, **reader}).status_code == 403
        assert enrol(found.client, headers).status_code == 401
        assert not replayed(enrol(found.client, {**headers, **admin}))


def test_after_somebody_was_forgotten_the_answer_is_not_told_and_nothing_is_done_again(api):
    headers = key()
    enrol(api, headers, "Forgotten").raise_for_status()
    assert api.delete(f"{PEOPLE}/Forgotten").status_code == 204
    refused = enrol(api, headers, "Forgotten")
    assert refused.status_code == 409
    assert faces(api, "Forgotten") == 0


def test_who_is_forgotten_once_is_not_forgotten_again_under_that_name(api):
    enrol(api, key(), "Twice").raise_for_status()
    headers = key()
    first = api.delete(f"{PEOPLE}/Twice", headers=headers)
    assert (first.status_code, replayed(first)) == (204, False)
    enrol(api, key(), "Twice").raise_for_status()
    enrol(api, key(), "Other").raise_for_status()
    api.delete(f"{PEOPLE}/Other").raise_for_status()  # wipes what was answered, if it was anything
    again = api.delete(f"{PEOPLE}/Twice", headers=headers)
    assert (again.status_code, replayed(again)) == (204, True)
    assert faces(api, "Twice") == 1


def test_what_was_done_is_answered_although_its_answer_cannot_be_kept(api, monkeypatch):
    """The store fails between the two: the face is there, so the answer has to say so."""
    headers = key()

    def locked(*_args):
        raise StoreLocked("held by somebody else")

    with monkeypatch.context() as broken:
        broken.setattr("mien.server.once.finish", locked)
        answer = enrol(api, headers, "Unkept")
    assert faces(api, "Unkept") == 1
    assert answer.status_code == 201
