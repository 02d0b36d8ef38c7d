import numpy as np
import pytest

from casefiles import SPACE, calibration, enrol, gallery
from mien.errors import BadRequest, CaseUnknown, FaceUnknown, PersonUnknown, VersionStale
from mien.gallery.store import attachments, audit, documents, reading
from mien.people import kept_cases
from mien.people.kept_cases import Shown, Told
from mien.people.probes import Looked

ADA, BO = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
JPEG = b"\xff\xd8\xff a picture"


@pytest.fixture
def people():
    with gallery(0.5) as opened:
        yield opened


def looked(vector, digest="1"):
    return Looked(np.float32(vector), SPACE, digest * 64, b"probe " + digest.encode())


def shown(vector, number=1, **more):
    return Shown(f"{number}.jpg", f"photo {number}".encode(), looked(vector, str(number)), **more)


def begun(people, *vectors, **told):
    photographs = [shown(vector, i + 1) for i, vector in enumerate(vectors or [ADA])]
    return kept_cases.begin(people, Told(**told), photographs).id


def ran(people, case_id, *vectors, **more):
    vectors = vectors or [ADA]
    return kept_cases.run(people, case_id, [looked(one, str(i + 1)) for i, one in enumerate(vectors)], **more)


def everything(people, case_id):
    """All that the store holds of a case, opened."""
    with people.store.reading() as snapshot:
        parts = attachments.page(snapshot, case_id, limit=10_000)
        return documents.read(snapshot, "case", case_id).value + b"".join(one.content for one in parts)


def names(people, case_id):
    with people.store.reading() as snapshot:
        return set(attachments.names(snapshot, case_id))


def test_a_case_holds_what_it_was_begun_with(people):
    photographs = [
        shown(ADA, 1, taken="1998", by_camera="2010-05-10"),
        shown(ADA, 2, by_camera="2010-05-10"),
        shown(ADA, 3),
    ]
    told = Told("Somebody", "since May", ("x",), "largest")
    made = kept_cases.begin(people, told, photographs)
    found = kept_cases.case(people, made.id)
    assert found == made
    case = found.case
    assert (case.title, case.notes, case.tags, case.run, case.reviews) == (
        "Somebody",
        "since May",
        ("x",),
        None,
        {},
    )
    assert case.collection == "default"
    assert [(one.photograph, one.digest[0], one.face, one.taken, one.taken_by) for one in case.probes] == [
        ("1.jpg", "1", "largest", "1998", "user"),
        ("2.jpg", "2", "largest", "2010-05-10", "photograph"),
        ("3.jpg", "3", "largest", "", ""),
    ]
    _, contents = kept_cases.photographs(people, made.id)
    assert contents == (b"photo 1", b"photo 2", b"photo 3")
    assert kept_cases.picture(people, made.id, "probe-2.jpg") == b"probe 2"


@pytest.mark.parametrize(
    ("photographs", "told"),
    [
        ([], {}),
        ([shown(ADA, 1, taken="99")], {}),
        ([shown(ADA, 1), shown(BO, 1)], {}),
        ([shown(ADA, 1)] * 101, {}),
        ([shown(ADA, 1)], {"title": "x" * 201}),
        ([shown(ADA, 1)], {"notes": "x" * 10_001}),
    ],
)
def test_what_makes_no_case(people, photographs, told):
    with pytest.raises(BadRequest):
        kept_cases.begin(people, Told(**told), photographs)
    assert kept_cases.cases(people) == ()


def test_who_is_found(people):
    ada = enrol(people, "Ada", ADA, crop=JPEG, taken="2010")
    bo = enrol(people, "Bo", BO)
    case = begun(people, ADA, (0.9, 0.0, 0.0))
    found = ran(people, case, ADA, (0.9, 0.0, 0.0))
    assert found == kept_cases.case(people, case)
    assert [(one.rank, one.person_id, one.person) for one in found.case.run.candidates] == [
        (1, ada, "Ada"),
        (2, bo, "Bo"),
    ]
    first, second = found.case.run.candidates
    assert first.decision == "known"
    assert first.score == pytest.approx(0.05)
    (face,) = first.faces
    assert face.picture
    assert kept_cases.picture(people, case, f"face-{face.face_id}.jpg") == JPEG
    assert not second.faces[0].picture
    assert found.version == 2
    people.edit("Ada", name="Ada L.")
    assert kept_cases.case(people, case).case.run.candidates[0].person == "Ada L."
    assert b"Ada" not in everything(people, case)


def test_a_second_run_replaces_the_first(people):
    enrol(people, "Ada", ADA, crop=JPEG)
    case = begun(people)
    ran(people, case)
    before = names(people, case)
    people.drop_faces([one.id for one in people.faces("Ada")])
    cy = enrol(people, "Cy", (0.9, 0.1, 0.0), crop=b"\xff\xd8\xff cy")
    found = ran(people, case).case.run.candidates
    assert [one.person_id for one in found] == [cy]
    after = names(people, case)
    assert {name[:5] for name in before & after} == {"photo", "probe"}
    assert len(after) == len(before)


def test_reviews(people):
    ada, bo = enrol(people, "Ada", ADA), enrol(people, "Bo", BO)
    cy = enrol(people, "Cy", (0.0, 0.0, 90.0))
    case = begun(people, tags=())
    with pytest.raises(PersonUnknown):
        kept_cases.review(people, case, ada, "yes")
    ran(people, case)
    found = kept_cases.review(people, case, ada, "yes", "the ear")
    assert (found.case.reviews[ada].says, found.case.reviews[ada].note, found.reviewed) == (
        "yes",
        "the ear",
        1,
    )
    found = kept_cases.review(people, case, bo, "no")
    found = kept_cases.review(people, case, ada, "unsure")
    assert {who: one.says for who, one in found.case.reviews.items()} == {ada: "unsure", bo: "no"}
    with pytest.raises(BadRequest):
        kept_cases.review(people, case, ada, "yes", "x" * 10_001)
    for nobody in ("", "Ada", "nobody", "\0", "x/../y", cy[:-1]):
        with pytest.raises(PersonUnknown):
            kept_cases.review(people, case, nobody, "yes")
    (listed,) = kept_cases.cases(people)
    assert (listed.reviewed, len(listed.case.probes), listed.case.run.candidates) == (2, 1, ())
    people.drop_faces([one.id for one in people.faces("Bo")])
    ran(people, case)
    assert kept_cases.review(people, case, bo, "unsure").case.reviews[bo].says == "unsure", "reviewed before"


def test_who_is_forgotten_disappears_from_the_case(people):
    ada = enrol(people, "Ada", ADA, crop=JPEG, source="upload:ada-on-the-beach.jpg", digest="5" * 64)
    enrol(people, "Bo", BO, crop=b"\xff\xd8\xff bo")
    case = begun(people)
    (face, _) = (one.faces[0] for one in ran(people, case).case.run.candidates)
    kept_cases.review(people, case, ada, "yes", "Ada has this scar")
    assert b"beach" in everything(people, case)
    people.forget("Ada")
    found = kept_cases.case(people, case)
    assert [one.person for one in found.case.run.candidates] == ["Bo"]
    assert found.case.reviews == {}
    with pytest.raises(FaceUnknown):
        kept_cases.picture(people, case, f"face-{face.face_id}.jpg")
    left = everything(people, case)
    for trace in (b"Ada", b"beach", b"scar", JPEG, ada.encode(), face.face_id.encode()):
        assert trace not in left
    assert kept_cases.cases(people)[0].reviewed == 0


def test_who_is_merged_is_not_shown_and_who_is_forgotten_then_takes_it_along(people):
    enrol(people, "Ada", ADA, crop=JPEG)
    enrol(people, "Bo", BO)
    case = begun(people)
    ran(people, case)
    people.merge("Bo", ["Ada"])
    found = kept_cases.case(people, case).case.run.candidates
    assert [one.person for one in found] == ["Bo"]
    people.forget("Bo")
    assert JPEG not in everything(people, case)
    assert kept_cases.case(people, case).case.run.candidates == ()


def test_a_face_that_was_moved_goes_with_whom_it_was_moved_to(people):
    enrol(people, "Ada", ADA, (0.9, 0.0, 0.0), crop=JPEG)
    enrol(people, "Bo", BO)
    case = begun(people)
    moved = ran(people, case).case.run.candidates[0].faces
    people.move([face.face_id for face in moved], "Bo")
    assert JPEG in everything(people, case)
    people.forget("Bo")
    assert JPEG not in everything(people, case)


def test_a_face_that_is_gone_is_not_shown(people):
    enrol(people, "Ada", ADA, (0.9, 0.0, 0.0), crop=JPEG)
    case = begun(people)
    (found,) = ran(people, case).case.run.candidates
    gone, stays = found.faces
    people.drop_faces([gone.face_id])
    (found,) = kept_cases.case(people, case).case.run.candidates
    assert found.faces == (stays,)
    with pytest.raises(FaceUnknown):
        kept_cases.picture(people, case, f"face-{gone.face_id}.jpg")
    with people.store.reading() as snapshot:
        kept = attachments.names(snapshot, case, beginning="face-")
    assert kept == (f"face-{stays.face_id}.jpg",)


@pytest.mark.parametrize(
    "name", ["photo-001", "candidate-x", "face-.jpg", "probe-9.jpg", "../x", "PROBE-1.JPG", "\0"]
)
def test_nothing_but_pictures_is_a_picture(people, name):
    ada = enrol(people, "Ada", ADA)
    case = begun(people)
    ran(people, case)
    for one in (name, f"candidate-{ada}"):
        with pytest.raises(FaceUnknown):
            kept_cases.picture(people, case, one)


def test_nobody_overwrites_what_he_has_not_seen(people):
    ada = enrol(people, "Ada", ADA)
    case = begun(people)
    assert ran(people, case, version=1).version == 2
    with pytest.raises(VersionStale):
        ran(people, case, version=1)
    with pytest.raises(VersionStale):
        kept_cases.review(people, case, ada, "yes", version=1)
    with pytest.raises(VersionStale):
        kept_cases.delete(people, case, version=1)
    assert kept_cases.case(people, case).case.reviews == {}
    assert kept_cases.review(people, case, ada, "yes", version=2).version == 3
    kept_cases.delete(people, case, version=3)


def test_what_is_deleted_is_gone(people):
    case, other = begun(people), begun(people)
    kept_cases.delete(people, case)
    assert [one.id for one in kept_cases.cases(people)] == [other]
    assert names(people, case) == set()
    for lost in (
        lambda: kept_cases.case(people, case),
        lambda: kept_cases.photographs(people, case),
        lambda: ran(people, case),
        lambda: kept_cases.review(people, case, "x", "yes"),
        lambda: kept_cases.picture(people, case, "probe-1.jpg"),
        lambda: kept_cases.delete(people, case),
    ):
        with pytest.raises(CaseUnknown):
            lost()


def test_a_case_is_of_its_collection_only(people):
    from mien.gallery.gallery import Gallery

    others = Gallery(people.store, people.rule, "others")
    case = begun(people)
    with pytest.raises(CaseUnknown):
        kept_cases.case(others, case)
    with pytest.raises(CaseUnknown):
        kept_cases.delete(others, case)
    assert kept_cases.cases(others) == ()


def test_pages_of_cases(people):
    ids = [begun(people) for _ in range(5)]
    first = kept_cases.cases(people, limit=2)
    rest = kept_cases.cases(people, after=first[-1].id, limit=9)
    assert [one.id for one in (*first, *rest)] == ids[::-1]


def test_only_among_those_who_have_the_tags(people):
    enrol(people, "Ada", ADA, tags=("x",))
    enrol(people, "Bo", (0.9, 0.0, 0.0))
    case = begun(people, tags=("x",))
    assert [one.person for one in ran(people, case).case.run.candidates] == ["Ada"]


def test_what_was_sent_is_no_file_here(people, tmp_path, monkeypatch):
    """Whatever somebody calls a photograph, a file of this machine that is called so is not opened."""
    import hashlib

    from casefiles import photograph

    monkeypatch.chdir(tmp_path)
    path = photograph(tmp_path / "upload:a.png")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    enrol(people, "Ada", ADA, source="upload:a.png", digest=digest)
    enrol(people, "Bo", BO, source=str(path), digest=digest)
    case = begun(people)
    ada, bo = ran(people, case).case.run.candidates
    assert not ada.faces[0].picture
    assert bo.faces[0].picture, "the same file by its path"


def test_the_log_names_nobody(people):
    ada = enrol(people, "Ada Lovelace", ADA)
    case = begun(people, title="Missing Mary")
    ran(people, case)
    kept_cases.review(people, case, ada, "yes", "the scar")
    kept_cases.delete(people, case)
    with people.store.reading() as snapshot:
        entries = [(one.action, str(one.detail)) for one in audit.entries(snapshot.connection)]
    said = {action for action, _ in entries}
    assert {"made case", "reviewed case", "deleted case", "searched"} <= said
    for _, detail in entries:
        assert not any(word in detail for word in ("Lovelace", "Mary", "scar"))
    for shown_one in (shown(ADA), Told("Missing Mary", "notes")):
        assert "Mary" not in repr(shown_one)
        assert "photo 1" not in repr(shown_one)


def test_candidates_far_apart_are_kept_with_their_figures(people):
    rule_people = gallery(0.5, calibration=calibration([0.2, 0.5, 0.9], [1e-3, 1e-2, 0.1], 0.5), fmr=1e-2)
    with rule_people as opened:
        enrol(opened, "Ada", (0.6, 0.0, 0.0), year="1990")
        case = kept_cases.begin(opened, Told(), [shown(ADA, 1, taken="2020")]).id
        (one,) = kept_cases.run(opened, case, [looked(ADA)]).case.run.candidates
    assert (one.gap_years, one.far_apart) == (30, True)
    assert one.probability is not None


def test_a_person_of_another_collection_is_not_found_by_a_review(people):
    enrol(people, "Ada", ADA)
    case = begun(people)
    ran(people, case)
    with people.store.reading() as snapshot:
        (who,) = reading.ids_of_people(snapshot)
    people.forget("Ada")
    with pytest.raises(PersonUnknown):
        kept_cases.review(people, case, who, "yes")
