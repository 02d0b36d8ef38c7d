"""People: enrolled, looked at, changed, forgotten."""

import base64
import hashlib
import json
from datetime import date

import pytest

from mien.gallery.store.identifiers import is_identifier
from server.people import enrol, nobody, photograph, together

GRACE, EILEEN, BARACK = (photograph(who) for who in ("Grace", "Eileen", "Barack"))
ROOT = "/v1/collections/team"
PEOPLE = f"{ROOT}/people"


@pytest.fixture(autouse=True)
def team(api):
    """Everybody is new to every test."""
    api.post("/v1/collections", json={"name": "team"}).raise_for_status()
    yield
    api.delete(ROOT).raise_for_status()


def code(answer):
    return answer.json()["error"]["code"]


def person(api, who):
    answer = api.get(f"{PEOPLE}/{who}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(api, **params):
    return [one["name"] for one in api.get(PEOPLE, params=params).json()["items"]]


def test_somebody_is_enrolled_with_all_that_is_said(api):
    answer = enrol(
        *(api, "team", "Grace 面", GRACE, photograph("Grace", 190)),
        tags=["navy", "science"],
        metadata='{"rank": 7, "ships": ["Mark I"]}',
        consent_note="signed",
        consent_until="2999-01-01",
    )
    assert answer.status_code == 201
    row = answer.json()
    assert (row["person"], row["repeated"], row["resembles"], row["failures"]) == ("Grace 面", 0, [], [])
    assert is_identifier(row["person_id"])
    assert len(set(row["faces"])) == 2
    found = person(api, row["person_id"])
    assert found["created"].endswith("Z") or "+00:00" in found["created"]
    del found["created"]
    assert found == {
        "id": row["person_id"],
        "name": "Grace 面",
        "tags": ["navy", "science"],
        "metadata": {"rank": 7, "ships": ["Mark I"]},
        "consent_note": "signed",
        "consent_until": "2999-01-01",
        "faces": 2,
        "version": 1,
    }
    assert person(api, "Grace 面")["id"] == row["person_id"]


def test_json_says_the_same(api):
    told = {"name": "Grace", "tags": ["navy"], "metadata": {"rank": 7}, "consent_until": "2999-01-01"}
    photos = [base64.b64encode(one).decode() for one in (GRACE, photograph("Grace", 190))]
    answer = api.post(PEOPLE, json={**told, "photos": photos})
    assert answer.status_code == 201
    found = person(api, "Grace")
    assert found["faces"] == 2
    assert {name: found[name] for name in told} == told


def test_who_is_known_gets_the_faces(api):
    first = enrol(api, "team", "Grace", GRACE, tags="navy").json()
    second = enrol(api, "team", "Grace", photograph("Grace", 190)).json()
    assert second["person_id"] == first["person_id"]
    found = person(api, "Grace")
    assert (found["faces"], found["tags"]) == (2, ["navy"])
    repeated = enrol(api, "team", "Grace", GRACE)
    assert repeated.status_code == 201
    assert (repeated.json()["repeated"], repeated.json()["faces"]) == (1, [])
    assert person(api, "Grace")["faces"] == 2


def test_whom_somebody_resembles_is_said(api):
    grace = enrol(api, "team", "Grace", GRACE).json()
    again = enrol(api, "team", "Mary", photograph("Grace", 190)).json()
    (like,) = again["resembles"]
    assert (like["person"], like["person_id"]) == ("Grace", grace["person_id"])


def test_photographs_that_give_no_face_are_told_of(api):
    files = [
        ("photo", ("one.jpg", GRACE)),
        ("photo", ("../../empty.jpg", b"")),
        ("photo", ("wall.jpg", nobody())),
        ("photo", ("two.jpg", together("Grace", "Eileen"))),
    ]
    answer = api.post(PEOPLE, files=files, data={"name": "Grace"})
    assert answer.status_code == 201
    failures = [(one["source"], one["error"]["code"]) for one in answer.json()["failures"]]
    assert failures == [
        ("empty.jpg", "unreadable_image"),
        ("wall.jpg", "no_face"),
        ("two.jpg", "many_faces"),
    ]
    assert person(api, "Grace")["faces"] == 1


def test_if_none_gives_a_face_nobody_is_enrolled(api):
    files = [("photo", ("wall.jpg", nobody())), ("photo", ("x.jpg", b"junk"))]
    refused = api.post(PEOPLE, files=files, data={"name": "Grace"})
    assert (refused.status_code, code(refused)) == (422, "no_face")
    told = refused.json()["error"]["details"]["failures"]
    assert [(one["source"], one["error"]["code"]) for one in told] == [
        ("wall.jpg", "no_face"),
        ("x.jpg", "unreadable_image"),
    ]
    assert listed(api) == []


def test_which_face_and_how_good(api):
    both = together("Grace", "Eileen")
    assert code(enrol(api, "team", "x", both)) == "many_faces"
    assert enrol(api, "team", "x", both, face="largest").status_code == 201
    assert enrol(api, "team", "y", both, face="1").status_code == 201
    assert code(enrol(api, "team", "z", both, face="2")) == "bad_request"
    assert code(enrol(api, "team", "z", GRACE, gate="strict")) == "pack_missing", (
        "the starter reads no quality"
    )
    for form in ({"face": "all"}, {"gate": "open"}, {"keep_picture": "perhaps"}):
        assert enrol(api, "team", "z", GRACE, **form).status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"name": ["a", "b"]},
        {"name": "a\0b"},
        {"tags": "\x00"},
        {"metadata": "[]"},
        {"metadata": "{"},
        {"metadata": '{"a": ' * 5000},
        {"metadata": '{"a": NaN}'},
        {"consent_until": "tomorrow"},
        {"consent_until": "2999-13-01"},
        {"person_id": "0000000000000"},
    ],
    ids=lambda form: ascii(form)[:30],
)
def test_what_cannot_be_said_of_anybody(api, form):
    refused = api.post(PEOPLE, files={"photo": GRACE}, data={"name": "Grace", **form})
    assert (refused.status_code, code(refused)) == (400, "bad_request")
    assert listed(api) == []


def test_a_name_is_wanted_and_a_photograph(api):
    assert api.post(PEOPLE, files={"photo": GRACE}).status_code == 400
    assert api.post(PEOPLE, json={"name": "Grace"}).status_code == 400
    assert api.post(PEOPLE, json={"name": "Grace", "photos": []}).status_code == 400
    raw = api.post(PEOPLE, params={"name": "Grace"}, content=GRACE, headers={"content-type": "image/jpeg"})
    assert raw.status_code == 201, "the name may be in the query"
    assert code(enrol(api, "none", "Grace", GRACE)) == "collection_unknown"


def test_people_are_listed_in_parts_in_the_order_of_enrolment(api):
    names = ["Zoë", "adam", "Ada", "面"]
    for name in names:
        enrol(api, "team", name, GRACE).raise_for_status()
    found, cursor = [], None
    while True:
        part = api.get(PEOPLE, params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        found += [one["name"] for one in part["items"]]
        if (cursor := part["next"]) is None:
            break
    assert found == names


def test_people_are_found_by_tags_and_names(api):
    for name, tags in (("Ada Lovelace", ["a", "b"]), ("Adam", ["a"]), ("Lova", ["b"]), ("Straße", [])):
        enrol(api, "team", name, GRACE, tags=tags).raise_for_status()
    assert listed(api, tag="a") == ["Ada Lovelace", "Adam"]
    assert listed(api, tag=["a", "b"]) == ["Ada Lovelace"]
    assert listed(api, tag="c") == []
    assert listed(api, q="LOV") == ["Ada Lovelace", "Lova"]
    assert listed(api, q="strasse") == ["Straße"]
    assert listed(api, q="%") == []
    assert listed(api, name="Adam") == ["Adam"]
    assert listed(api, name="adam") == []
    assert listed(api, tag="b", q="ada") == ["Ada Lovelace"]
    first = api.get(PEOPLE, params={"q": "a", "limit": 2}).json()
    assert [one["name"] for one in first["items"]] == ["Ada Lovelace", "Adam"]
    rest = api.get(PEOPLE, params={"q": "a", "limit": 2, "cursor": first["next"]}).json()
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["Lova", "Straße"], None)


def test_what_is_known_is_changed(api):
    row = enrol(api, "team", "Grace", GRACE, tags="navy", metadata='{"a": 1}').json()
    path = f"{PEOPLE}/{row['person_id']}"
    told = {"name": "Grace H.", "tags": [], "consent_note": "by letter", "consent_until": "2999-12-31"}
    answer = api.patch(path, json=told)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in told} == told
    assert answer.json()["metadata"] == {"a": 1}, "what is not given stays"
    assert answer.json()["version"] == 2
    assert api.patch(path, json={"consent_until": None, "metadata": {}}).json()["consent_until"] is None
    assert person(api, "Grace H.")["metadata"] == {}
    assert api.get(f"{PEOPLE}/Grace").status_code == 404


def test_a_change_of_what_somebody_else_changed_is_refused(api):
    enrol(api, "team", "Grace", GRACE).raise_for_status()
    path = f"{PEOPLE}/Grace"
    etag = api.get(path).headers["etag"]
    assert etag == '"1"'

    def change(tags, etag):
        return api.patch(path, json={"tags": tags}, headers={"if-match": etag})

    first = change(["one"], etag)
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    stale = change(["two"], etag)
    assert (stale.status_code, code(stale)) == (412, "version_stale")
    assert person(api, "Grace")["tags"] == ["one"]
    assert change(["three"], first.headers["etag"]).status_code == 200
    assert change(["four"], 'W/"3"').status_code == 200
    assert change(["five"], "*").status_code == 200
    for none in ("", "1", "abc", '"abc"', '"1", "2"', '"9999999999"', '"-1"'):
        assert change(["six"], none).status_code == 412, none
    assert person(api, "Grace")["tags"] == ["five"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": None},
        {"name": "x" * 201},
        {"tags": "navy"},
        {"tags": None},
        {"tags": [1]},
        {"metadata": []},
        {"metadata": None},
        {"consent_until": "soon"},
        {"id": "0000000000000"},
        {"faces": 7},
        [],
        None,
        "x",
    ],
    ids=ascii,
)
def test_a_change_that_cannot_be(api, body):
    enrol(api, "team", "Grace", GRACE).raise_for_status()
    refused = api.patch(f"{PEOPLE}/Grace", content=json.dumps(body))
    assert (refused.status_code, code(refused)) == (400, "bad_request")
    assert person(api, "Grace")["version"] == 1


def test_a_name_that_somebody_has_is_not_given_again(api):
    enrol(api, "team", "Grace", GRACE).raise_for_status()
    enrol(api, "team", "Eileen", EILEEN).raise_for_status()
    refused = api.patch(f"{PEOPLE}/Eileen", json={"name": "Grace"})
    assert (refused.status_code, code(refused)) == (409, "person_exists")


def test_who_is_forgotten_is_found_nowhere(api):
    row = enrol(api, "team", "Grace", GRACE, keep_picture="true").json()
    enrol(api, "team", "Eileen", EILEEN).raise_for_status()
    assert api.delete(f"{PEOPLE}/Grace").status_code == 204
    for path in (
        *(f"{PEOPLE}/Grace", f"{PEOPLE}/{row['person_id']}", f"{PEOPLE}/Grace/faces"),
        *(f"{ROOT}/faces/{row['faces'][0]}", f"{ROOT}/faces/{row['faces'][0]}/picture"),
    ):
        assert api.get(path).status_code == 404
    assert listed(api) == ["Eileen"]
    found = api.post(f"{ROOT}/identify", files={"photo": GRACE}).json()
    assert found["people"][0]["person"] is None
    again = api.delete(f"{PEOPLE}/Grace")
    assert (again.status_code, code(again)) == (404, "person_unknown")


def test_faces_are_added_listed_and_have_their_origin(api):
    enrol(api, "team", "Grace", GRACE).raise_for_status()
    files = {"photo": ("../second one.jpg", photograph("Grace", 190))}
    added = api.post(f"{PEOPLE}/Grace/faces", files=files)
    assert added.status_code == 201
    assert (added.json()["person"], len(added.json()["faces"])) == ("Grace", 1)
    listed_faces = api.get(f"{PEOPLE}/Grace/faces").json()
    assert listed_faces["next"] is None
    assert [one["source"] for one in listed_faces["items"]] == ["upload:0.jpg", "upload:second one.jpg"]
    assert [one["digest"] for one in listed_faces["items"]] == [
        hashlib.sha256(one).hexdigest() for one in (GRACE, photograph("Grace", 190))
    ]
    box = api.post("/v1/detect", files={"photo": GRACE}).json()["faces"][0]["box"]
    assert listed_faces["items"][0]["box"] == pytest.approx(box, abs=0.01)
    part = api.get(f"{PEOPLE}/Grace/faces", params={"limit": 1}).json()
    rest = api.get(f"{PEOPLE}/Grace/faces", params={"limit": 1, "cursor": part["next"]}).json()
    assert part["items"] + rest["items"] == listed_faces["items"]
    assert api.post(f"{PEOPLE}/Nobody/faces", files=files).status_code == 404
    assert api.post(f"{PEOPLE}/Grace/faces").status_code == 400


def test_two_people_are_made_one(api):
    grace = enrol(api, "team", "Grace", GRACE, tags="navy").json()
    mary = enrol(api, "team", "Mary", photograph("Grace", 190), tags="science").json()
    merged = api.post(f"{PEOPLE}/Grace/merge", json={"others": [mary["person_id"]]})
    assert merged.status_code == 200
    assert merged.headers["etag"] == f'"{merged.json()["version"]}"'
    assert (merged.json()["id"], merged.json()["faces"]) == (grace["person_id"], 2)
    assert set(merged.json()["tags"]) == {"navy", "science"}
    assert listed(api) == ["Grace"]
    for others in (["Grace"], ["Nobody"], [], "Mary", [7]):
        refused = api.post(f"{PEOPLE}/Grace/merge", json={"others": others})
        assert refused.status_code in {400, 404}
    assert person(api, "Grace")["faces"] == 2


def test_one_person_is_made_two(api):
    row = enrol(api, "team", "Grace", GRACE, photograph("Grace", 190), photograph("Grace", 180)).json()
    split = api.post(f"{PEOPLE}/Grace/split", json={"faces": row["faces"][:1], "to": "Mary"})
    assert (split.status_code, split.json()["name"], split.json()["faces"]) == (200, "Mary", 1)
    unnamed = api.post(f"{PEOPLE}/Grace/split", json={"faces": row["faces"][1:2]}).json()
    assert (unnamed["name"], unnamed["faces"]) == (None, 1)
    assert person(api, "Grace")["faces"] == 1
    for faces in (row["faces"][2:], row["faces"], [], ["0000000000000"], "x"):
        assert api.post(f"{PEOPLE}/Grace/split", json={"faces": faces}).status_code in {400, 404}
    no_name = api.post(f"{PEOPLE}/{unnamed['id']}/faces", files={"photo": GRACE})
    assert (no_name.status_code, code(no_name)) == (400, "bad_request")
    named = api.patch(f"{PEOPLE}/{unnamed['id']}", json={"name": "Murray"})
    assert named.json()["name"] == "Murray"


def test_a_photograph_is_compared_with_one_person(api):
    enrol(api, "team", "Grace", GRACE).raise_for_status()
    row = enrol(api, "team", "Eileen", EILEEN).json()

    def verify(who, photo, **form):
        return api.post(f"{PEOPLE}/{who}/verify", files={"photo": photo}, data=form)

    same = verify("Grace", photograph("Grace", 240)).json()
    assert (same["verified"], same["person"]) == (True, "Grace")
    other = verify(row["person_id"], GRACE).json()
    assert (other["verified"], other["person"], other["person_id"]) == (False, "Eileen", row["person_id"])
    assert same["distance"] < same["threshold"] < other["distance"]
    assert code(verify("Grace", nobody())) == "no_face"
    assert code(verify("Grace", together("Grace", "Eileen"))) == "many_faces"
    assert verify("Grace", together("Grace", "Eileen"), face="largest").status_code == 200
    assert code(verify("Nobody", GRACE)) == "person_unknown"


def test_whose_consent_has_run_out_is_not_compared_nor_found(api, monkeypatch):
    enrol(api, "team", "Grace", GRACE, consent_until="2030-01-31").raise_for_status()
    monkeypatch.setattr("mien.gallery.store.audit.today", lambda: date(2030, 2, 1))
    refused = api.post(f"{PEOPLE}/Grace/verify", files={"photo": GRACE})
    assert (refused.status_code, code(refused)) == (409, "consent_expired")
    found = api.post(f"{ROOT}/identify", files={"photo": GRACE}).json()
    assert found["people"][0]["candidates"] == []


@pytest.mark.parametrize(
    "who", ["nobody", "0000000000000", "%00", "%2e%2e", "a%2Fb", "x" * 300, "%F0%9F%98%80"]
)
def test_nobody_is_there(api, who):
    for method, path in (
        *(("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/faces")),
        *(("POST", "/merge"), ("POST", "/split")),
    ):
        body = {"others": ["x"]} if path == "/merge" else {"faces": ["x"]} if path == "/split" else {}
        answer = api.request(method, f"{PEOPLE}/{who}{path}", json=body)
        assert answer.status_code == 404, f"{method} {path}"
        assert code(answer) in {"person_unknown", "route_unknown"}
