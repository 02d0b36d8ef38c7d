import msgspec
import pytest

from gallery.known import newcomer
from jobs.working import (
    FAILS,
    Eyes,
    Kit,
    ended,
    make_collection,
    many,
    now,
    ordered,
    rows,
    sent,
    vector,
    wait_for,
    working,
)
from mien.errors import BadRequest
from mien.gallery.store import attachments, reading
from mien.jobs.kinds import KINDS, wished


@pytest.fixture
def people(kit):
    found = kit.gallery("people")
    found.enroll_many([newcomer("Ada", vector(1), tags=("red",)), newcomer("Bo", vector(2))], "s")
    return found


def done(kit, job):
    with working(kit):
        assert ended(kit, job).state == "done"
    return rows(kit, job)


def person(gallery, name):
    with gallery.store.reading() as snapshot:
        return reading.named(snapshot, gallery.collection.id, [name]).get(name)


def everything(store, job):
    """All that is attached to a job, opened."""
    with store.reading() as snapshot:
        return b"".join(one.content for one in attachments.page(snapshot, job, limit=10_000))


def test_people_are_identified_by_their_names_of_today(kit, people, store):
    job = ordered(
        kit, "identify", [sent("a.png", 1, 3), sent("none.png"), sent("bad.png", FAILS)], "people", k=2
    )
    first, nobody, bad = done(kit, job)
    assert [(one.person, one.decision) for one in first.people] == [("Ada", "known"), (None, "unknown")]
    assert [[match.person for match in one.candidates] for one in first.people] == [
        ["Ada", "Bo"],
        [one.person for one in first.people[1].candidates],
    ]
    assert nobody.people == []
    assert (bad.people, bad.error.code) == (None, "inference_error")
    assert now(kit, job).job.summary == {"faces": 2, "known": 1, "unknown": 1}
    people.edit("Ada", name="Ada Lovelace")
    assert rows(kit, job)[0].people[0].person == "Ada Lovelace"
    assert b"Ada" not in everything(store, job)
    assert b"Bo" not in everything(store, job)


def test_who_is_forgotten_is_in_no_result(kit, people):
    job = ordered(kit, "identify", [sent("a.png", 1)], "people", k=2)
    before = done(kit, job)[0].people[0]
    assert before.margin is not None
    people.forget("Ada")
    (who,) = rows(kit, job)[0].people
    assert (who.person, who.decision, who.margin) == (None, "unknown", None)
    assert [one.person for one in who.candidates] == ["Bo"]
    assert who.face == before.face
    people.forget("Bo")
    assert rows(kit, job)[0].people[0].candidates == []


def test_candidates_have_the_tags(kit, people):
    job = ordered(kit, "identify", [sent("a.png", 2)], "people", k=5, tags=["red"])
    ((who,),) = [row.people for row in done(kit, job)]
    assert [one.person for one in who.candidates] == ["Ada"]


def test_one_person_by_all_photographs(kit, people):
    photographs = [sent("1.png", 5), sent("2.png", 5, salt=1), sent("x/1.png", 5), sent("3.png", 6, 7)]
    job = ordered(
        kit,
        "enroll",
        photographs,
        "people",
        person="Cy",
        tags=["new"],
        metadata={"room": 7},
        consent_note="signed",
        consent_until="2099-01-31",
    )
    found = done(kit, job)
    assert [(row.person, row.source, len(row.faces), row.repeated) for row in found] == [
        ("Cy", "1.png", 1, 0),
        ("Cy", "2.png", 1, 0),
        ("Cy", "1.png", 0, 1),
        ("Cy", "3.png", 0, 0),
    ], "the third is the first once more"
    assert found[3].error.code == "many_faces"
    cy = people.person("Cy")
    assert (cy.faces, cy.tags, cy.about.metadata) == (2, ("new",), {"room": 7})
    assert (cy.about.consent_note, str(cy.consent_until)) == ("signed", "2099-01-31")
    assert {row.person_id for row in found} == {cy.id}
    assert now(kit, job).job.summary == {"faces": 2, "repeated": 1, "people": 1}
    sources = [face.provenance.source for face in people.faces("Cy")]
    assert sources == ["upload:1.png", "upload:2.png"]


def test_one_person_for_each_folder(kit, people):
    photographs = [
        sent("Cy/1.png", 5),
        sent("all/Di/1.png", 6),
        sent("Cy/2.png", 5, salt=1),
        sent("loose.png", 7),
        sent("Ada/1.png", 1, salt=9),
    ]
    job = ordered(kit, "enroll", photographs, "people", face="largest")
    found = done(kit, job)
    assert [row.person for row in found] == ["Cy", "Di", "Cy", "", "Ada"]
    assert [row.error.code if row.error else None for row in found] == [None, None, None, "bad_request", None]
    assert {one.name: one.faces for one in people.people()} == {"Ada": 2, "Bo": 1, "Cy": 2, "Di": 1}
    assert now(kit, job).job.summary == {"faces": 4, "repeated": 0, "people": 3}


def test_whom_somebody_resembles_is_told_by_todays_name(kit, people, store):
    job = ordered(kit, "enroll", [sent("Twin/1.png", 1)], "people")
    (row,) = done(kit, job)
    assert [one.person for one in row.resembles] == ["Ada"]
    assert b"Ada" not in everything(store, job)
    people.forget("Ada")
    assert rows(kit, job)[0].resembles == []


def test_results_of_an_enrolment_go_with_the_person(kit, people, store):
    photographs = [
        sent("Cy/bad.png", FAILS),
        sent("Di/bad.png", FAILS, salt=1),
        sent("Cy/1.png", 5),
        sent("Cy/none.png", salt=3),
        sent("Ada/none.png", salt=4),
    ]
    job = ordered(kit, "enroll", photographs, "people")
    assert [row.person for row in done(kit, job)] == ["Cy", "Di", "Cy", "Cy", "Ada"]
    people.forget("Cy")
    assert [row.person for row in rows(kit, job)] == ["Di", "Ada"], "the failure from before Cy was known too"
    assert b"Cy" not in everything(store, job)
    people.forget("Ada")
    assert [row.person for row in rows(kit, job)] == ["Di"]


def test_who_is_forgotten_while_the_job_runs_does_not_come_back(kit, people, store):
    eyes = Eyes()
    photographs = [sent(f"Cy/{i}.png", 5, salt=i) for i in range(12)] + [sent("Di/1.png", 6)]
    job = ordered(kit, "enroll", photographs, "people")
    with working(kit, eyes):
        wait_for(lambda: len(eyes.seen) >= 4 and now(kit, job).job.done >= 4)
        eyes.go_on.clear()
        wait_for(lambda: person(people, "Cy"))
        people.forget("Cy")
        eyes.go_on.set()
        ended(kit, job)
    assert person(people, "Cy") is None
    assert person(people, "Di")
    left = rows(kit, job)
    assert [row.error.code for row in left[:-1]] == ["person_unknown"] * (len(left) - 1)
    assert {row.person for row in left} == {"", "Di"}
    assert b"Cy" not in everything(store, job)


def test_who_is_forgotten_in_the_moment_of_enrolling_does_not_come_back(kit, people, monkeypatch):
    from mien.jobs import enrolling

    enroll, calls = enrolling.enroll, []

    def forgotten_first(gallery, told, *more):
        calls.append(told.name)
        if calls == ["Cy"] * 3:
            people.forget("Cy")
        if calls[3:] == ["Di"] * 2:
            people.forget("Di")
            people.edit("Bo", name="Di")
        return enroll(gallery, told, *more)

    monkeypatch.setattr(enrolling, "enroll", forgotten_first)
    photographs = [sent(f"Cy/{i}.png", 5, salt=i) for i in range(4)]
    photographs += [sent(f"Di/{i}.png", 6, salt=i) for i in range(3)]
    job = ordered(kit, "enroll", photographs, "people")
    found = done(kit, job)
    assert [row.error.code for row in found] == ["person_unknown"] * 4, "the others went with them"
    assert {one.name: one.faces for one in people.people()} == {"Ada": 1, "Di": 1}, "Bo, renamed, stays"


def test_an_album_is_grouped(kit, store):
    make_collection(store, "album")
    first = ordered(
        kit, "cluster", [sent("t/1.png", 1, 2), sent("2.png", 1, salt=2), sent("none.png")], "album"
    )
    found = done(kit, first)
    assert [(row.source, row.faces) for row in found] == [("t/1.png", 2), ("2.png", 1), ("none.png", 0)]
    assert now(kit, first).job.summary == {
        "faces": 3,
        "repeated": 0,
        "refused": 0,
        "new_groups": 2,
        "merged_groups": 0,
        "groups": 2,
    }
    second = ordered(kit, "cluster", [sent("t/1.png", 1, 2), sent("3.png", 2, salt=5)], "album")
    assert [(row.faces, row.repeated) for row in done(kit, second)] == [(0, True), (1, False)]
    assert now(kit, second).job.summary["groups"] == 2
    with store.reading() as snapshot:
        here = reading.collection_named(snapshot, "album")
        assert sorted(one.faces for one in reading.people(snapshot, here.id)) == [2, 2]
        assert all(face.has_crop for face in reading.faces(snapshot, here.id))


def test_an_album_that_was_interrupted_counts_on(store):
    make_collection(store, "album")
    eyes = Eyes(0.02)
    kit = Kit(store)
    job = ordered(kit, "cluster", many(30, 1), "album")
    with working(kit, eyes, silent_s=0.3):
        wait_for(lambda: len(eyes.seen) > 5)
    assert 0 < now(kit, job).job.done < 30
    done(Kit(store), job)
    assert now(kit, job).job.summary == {
        "faces": 30,
        "repeated": 0,
        "refused": 0,
        "new_groups": 1,
        "merged_groups": 0,
        "groups": 1,
    }


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("analyze", {"columns": "box,nonsense"}),
        ("analyze", {"columns": 7}),
        ("analyze", {"more": 1}),
        ("identify", {"k": 0}),
        ("identify", {"k": 101}),
        ("identify", {"k": "1"}),
        ("identify", {"tags": "red"}),
        ("enroll", {"person": ""}),
        ("enroll", {"person": "x" * 201}),
        ("enroll", {"gate": "none"}),
        ("enroll", {"consent_until": "tomorrow"}),
        ("enroll", {"face": "smallest"}),
        ("enroll", {"metadata": [1]}),
        ("cluster", {"k": 1}),
        ("video", {}),
    ],
)
def test_wishes_that_make_no_sense_are_refused(kit, kind, options):
    with pytest.raises(BadRequest):
        wished(kit, kind, options)


def test_wishes_are_completed(kit):
    assert wished(kit, "analyze", {"columns": " embedding, box "}) == {
        "columns": ("box", "score", "points", "embedding")
    }
    assert wished(kit, "analyze", {"columns": "all"}) == {"columns": ("box", "score", "points")}
    assert wished(kit, "analyze", {}) == {"columns": ("box", "score", "points")}
    assert wished(kit, "identify", {"tags": ["a"]}) == {"k": 1, "tags": ("a",)}
    assert wished(kit, "enroll", {"consent_until": "2030-01-02"})["consent_until"] == "2030-01-02"


@pytest.mark.parametrize("kind", KINDS)
def test_rows_can_be_kept_and_read(kit, kind):
    """Each kind can say that a photograph failed, in the shape that its results have."""
    from mien.errors import NoFace
    from mien.jobs.photographs import photograph

    result = KINDS[kind].failed(photograph(sent("Ada/1.png", 1)), NoFace("None."))
    assert result.failed
    row = msgspec.json.decode(msgspec.json.encode(result.row), type=KINDS[kind].row)
    assert row == result.row
    assert row.error.code == "no_face"
