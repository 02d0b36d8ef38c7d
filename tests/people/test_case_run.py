import json
import stat

import numpy as np
import pytest

from casefiles import Eyes, calibration, digest, enrol, gallery
from mien.errors import BadRequest, ManyFaces, NoFace, SpaceMismatch, UnreadableImage
from mien.gallery.gallery import memory_gallery
from mien.gallery.nearby import IndexChoices
from mien.gallery.rule import DecisionRule
from mien.gallery.store import audit
from mien.people.case_folder import read_case, review
from mien.people.case_run import Wanted, begin_case, run_case
from mien.people.shortlist import FAR_PLACES, NEAR_PLACES

ADA, BO = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
JPEG = b"\xff\xd8\xff a picture"


@pytest.fixture
def eyes():
    return Eyes()


@pytest.fixture
def people():
    with gallery(0.5) as opened:
        yield opened


@pytest.fixture
def begin(tmp_path, eyes):
    """Begin a case with a photograph for each vector; gives its folder."""

    def make(*vectors, years=(), folder="case", **options):
        photographs = []
        for i, vector in enumerate(vectors):
            path = eyes.photograph(tmp_path / f"{folder}-{i}.png", vector)
            photographs.append((path, years[i] if i < len(years) else ""))
        begin_case(tmp_path / folder, Wanted(tuple(photographs), **options), eyes.analyze)
        return tmp_path / folder

    return make


@pytest.fixture
def run(people, eyes):
    def ran(folder, known=None):
        return run_case(folder, lambda _: known or people, eyes.analyze)[0]

    return ran


def found(case):
    return [one.person for one in case.run.candidates]


def test_a_case_says_what_it_was_begun_with(tmp_path, eyes):
    one = eyes.photograph(tmp_path / "one.png", ADA, day="2010:05:10 10:00:00")
    two = eyes.photograph(tmp_path / "case" / "two.png", ADA)
    three = eyes.photograph(tmp_path / "three.png", ADA, day="2010:05:10 10:00:00")
    wanted = Wanted(((one, ""), (two, ""), (three, "1998")), "Ada", "since May", "town", ("x",))
    case = begin_case(tmp_path / "case", wanted, eyes.analyze)
    assert case == read_case(tmp_path / "case")
    assert (case.title, case.notes, case.collection, case.tags, case.run) == (
        "Ada",
        "since May",
        "town",
        ("x",),
        None,
    )
    assert [(p.photograph, p.taken, p.taken_by) for p in case.probes] == [
        (str(one), "2010-05-10", "photograph"),
        ("two.png", "", ""),
        (str(three), "1998", "user"),
    ]
    assert [p.digest for p in case.probes] == [digest(one), digest(two), digest(three)]


def test_without_a_title_a_case_is_called_like_its_folder(begin):
    assert read_case(begin(ADA, folder="somebody")).title == "somebody"


def test_nobody_else_may_look_into_a_case(begin, run, people):
    enrol(people, "Ada", ADA, crop=JPEG)
    folder = begin(ADA)
    run(folder)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    ("vectors", "options", "error"),
    [
        ((), {}, BadRequest),
        ((ADA,) * 101, {}, BadRequest),
        ((ADA,), {"title": "x" * 201}, BadRequest),
        ((ADA,), {"notes": "x" * 10_001}, BadRequest),
        ((ADA,), {"years": ("99",)}, BadRequest),
        ((ADA,), {"years": ("2010-5",)}, BadRequest),
    ],
)
def test_what_makes_no_case(begin, tmp_path, vectors, options, error):
    with pytest.raises(error):
        begin(*vectors, **options)
    assert not (tmp_path / "case").exists()


def test_every_photograph_shows_the_one_who_is_meant(tmp_path, eyes):
    nobody = eyes.photograph(tmp_path / "nobody.png")
    several = eyes.photograph(tmp_path / "several.png", ADA, BO)
    folder = tmp_path / "case"
    for path, error in (
        (nobody, NoFace),
        (several, ManyFaces),
        (tmp_path / "none.png", UnreadableImage),
        (tmp_path, BadRequest),
    ):
        with pytest.raises(error, match=path.name):
            begin_case(folder, Wanted(((path, ""),)), eyes.analyze)
    assert not folder.exists()
    begin_case(folder, Wanted(((several, ""),), face="largest"), eyes.analyze)
    assert read_case(folder).probes[0].face == "largest"


def test_one_photograph_counts_once(tmp_path, eyes):
    one = eyes.photograph(tmp_path / "one.png", ADA)
    copy = tmp_path / "copy.png"
    copy.write_bytes(one.read_bytes())
    with pytest.raises(BadRequest, match=r"copy.png is given twice"):
        begin_case(tmp_path / "case", Wanted(((one, ""), (copy, ""))), eyes.analyze)


def test_a_folder_that_is_in_use_is_left_alone(begin, tmp_path, eyes):
    folder = begin(ADA)
    before = (folder / "case.json").read_bytes()
    other = eyes.photograph(tmp_path / "other.png", BO)
    with pytest.raises(BadRequest, match="already"):
        begin_case(folder, Wanted(((other, ""),)), eyes.analyze)
    assert (folder / "case.json").read_bytes() == before
    own = tmp_path / "mine" / "pictures" / "holiday.jpg"
    own.parent.mkdir(parents=True)
    own.write_bytes(JPEG)
    with pytest.raises(BadRequest, match="folder of pictures"):
        begin_case(tmp_path / "mine", Wanted(((other, ""),)), eyes.analyze)
    assert own.read_bytes() == JPEG


def test_candidates_are_ranked_by_all_probes(begin, run, people, rng):
    known = {f"p{i}": rng.normal(size=(rng.integers(1, 4), 3)) for i in range(15)}
    for name, vectors in known.items():
        enrol(people, name, *vectors)
    probes = rng.normal(size=(3, 3)).astype(np.float32)
    case = run(begin(*probes.tolist()))
    score = {
        name: np.mean([min(np.linalg.norm(probe - np.float32(face)) for face in faces) for probe in probes])
        for name, faces in known.items()
    }
    assert found(case) == sorted(score, key=score.get)
    for one, after in zip(case.run.candidates, (*case.run.candidates[1:], None), strict=True):
        assert one.score == pytest.approx(score[one.person], abs=1e-6)
        assert one.score == pytest.approx(np.mean([c.distance for c in one.probes]))
        assert one.margin == (None if after is None else pytest.approx(after.score - one.score))
        assert one.faces[0].distance == pytest.approx(min(c.distance for c in one.probes))
        assert one.probability is one.log10_evidence is None


def test_people_who_are_far_down_for_every_probe_alone_are_found_by_all(begin, run, people, rng):
    # Each probe has a crowd of its own beside it; Ada is between them.
    probes = np.eye(3)
    for i in range(180):
        enrol(people, f"p{i}", probes[i % 3] * (1 + i / 1000))
    enrol(people, "Ada", probes.mean(axis=0))
    assert found(run(begin(*probes.tolist())))[0] == "Ada"


def test_the_calibration_says_how_probable(begin, eyes):
    known = calibration([1.0, 1.5, 2.0], [1e-3, 1e-2, 1e-1], 1.0)
    with gallery(1.0, calibration=known, fmr=1e-3) as people:
        enrol(people, "Ada", [0.5, 0, 0])
        folder = begin([0, 0, 0], [0, 0, 0.1])
        case, _ = run_case(folder, lambda _: people, eyes.analyze)
    (one,) = case.run.candidates
    score = np.mean([0.5, np.hypot(0.5, 0.1)])
    ratio = 4 - 4 * score  # between 4 at 0 and -4 at 2
    assert one.log10_evidence == pytest.approx(ratio)
    assert one.probability == pytest.approx(10**ratio / (1 + 10**ratio))
    assert (case.run.threshold, case.run.fmr, case.run.source) == (1.0, 1e-3, "calibration")
    assert case.run.far_review_distance == pytest.approx(1.5)


def test_years_come_from_photographs_and_from_what_is_known_about_people(begin, run, people):
    enrol(people, "photographed", [1, 0, 0], taken="2005-01-31", year=1950)
    enrol(people, "told", [1, 0.1, 0], year=2018)
    enrol(people, "undated", [1, 0.2, 0])
    enrol(people, "nonsense", [1, 0.3, 0], year="long ago")
    candidates = run(begin(ADA, years=("2019",))).run.candidates
    assert [(one.person, one.gap_years, one.far_apart) for one in candidates] == [
        ("photographed", 14, True),
        ("told", 1, False),
        ("undated", None, True),
        ("nonsense", None, True),
    ]
    assert [one.faces[0].taken for one in candidates] == ["2005-01-31", "2018", "", ""]


@pytest.mark.parametrize(("year", "places"), [("2003", NEAR_PLACES), ("2019", FAR_PLACES), ("", FAR_PLACES)])
def test_the_list_is_longer_where_years_lie_between(begin, run, people, year, places):
    for i in range(70):
        enrol(people, f"p{i}", [1, i / 50, 0], year=2001)
    assert len(run(begin(ADA, years=(year,))).run.candidates) == places


def test_only_among_people_with_the_tags(begin, run, people):
    enrol(people, "Ada", ADA, tags=("town",))
    enrol(people, "Bo", BO, tags=("town", "north"))
    assert found(run(begin(ADA, tags=("town", "north")))) == ["Bo"]


def test_nobody_is_enrolled(begin, run):
    case = run(begin(ADA, BO))
    assert case.run.candidates == ()


def test_means_of_people_do_not_hide_a_face_of_long_ago(begin, eyes):
    with gallery(0.5, choices=IndexChoices(policy="centroid")) as people:
        enrol(people, "Ada", [1, 0, 0], [-9, 0, 0])
        for i in range(120):
            enrol(people, f"p{i}", [0, 1, i / 1000])
        case, _ = run_case(begin(ADA), lambda _: people, eyes.analyze)
    assert found(case)[0] == "Ada"
    assert case.run.candidates[0].score == pytest.approx(0, abs=1e-6)


def test_a_case_holds_no_embeddings(begin, run, people, rng):
    vector = rng.normal(size=64)
    enrol(people, "Ada", vector)
    folder = begin(vector.tolist())
    run(folder)
    for file in folder.rglob("*"):
        assert not file.is_file() or np.float32(vector).tobytes()[:16] not in file.read_bytes()
    values = json.loads((folder / "case.json").read_bytes())
    assert max((len(v) for v in lists(values)), default=0) <= 4, "no list of 64 numbers"


def lists(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from lists(one)
    elif isinstance(value, list):
        yield value
        for one in value:
            yield from lists(one)


def test_the_log_says_who_was_seen_and_no_names(begin, run, people):
    ada = enrol(people, "Ada", ADA, crop=JPEG)
    run(begin(ADA, title="Ada"))
    with people.store.reading() as snapshot:
        log = list(audit.entries(snapshot.connection))
        audit.verify(snapshot.connection, snapshot.ring.audit_key)
    assert [entry.action for entry in log[-2:]] == ["searched", "saw"]
    assert log[-1].detail == {"people": [ada], "faces": 1, "picture": True}
    assert "Ada" not in str([entry.detail for entry in log])


def test_a_photograph_that_is_gone_or_another_is_named(begin, run, people, tmp_path, eyes):
    enrol(people, "Ada", ADA)
    folder = begin(ADA, BO)
    run(folder)
    before = (folder / "case.json").read_bytes()
    second = tmp_path / "case-1.png"
    content = second.read_bytes()
    second.unlink()
    with pytest.raises(UnreadableImage, match=r"case-1.png"):
        run(folder)
    eyes.photograph(second, BO)
    second.write_bytes(content + b"x")
    eyes.known[digest(second)] = (BO,)
    with pytest.raises(BadRequest, match=r"case-1.png is not the photograph"):
        run(folder)
    assert (folder / "case.json").read_bytes() == before
    second.write_bytes(content)
    run(folder)


def test_a_case_can_be_taken_along_with_its_photographs(tmp_path, eyes, run, people):
    enrol(people, "Ada", ADA)
    inside = eyes.photograph(tmp_path / "case" / "ada.png", ADA)
    begin_case(tmp_path / "case", Wanted(((inside, ""),)), eyes.analyze)
    (tmp_path / "case").rename(tmp_path / "moved")
    assert found(run(tmp_path / "moved")) == ["Ada"]


def test_pictures_come_from_crops_and_from_photographs_that_are_unchanged(begin, run, people, tmp_path, eyes):
    there = eyes.photograph(tmp_path / "there.png", BO)
    other = eyes.photograph(tmp_path / "other.png", BO)
    ids = [
        enrol(people, "crop", [1, 0, 0], crop=JPEG),
        enrol(people, "there", [1, 0.1, 0], source=str(there), digest=digest(there)),
        enrol(people, "changed", [1, 0.2, 0], source=str(other), digest=digest(there)),
        enrol(people, "gone", [1, 0.3, 0], source=str(tmp_path / "gone.png"), digest="0" * 64),
        enrol(people, "nowhere", [1, 0.4, 0]),
    ]
    folder = begin(ADA)
    case = run(folder)
    assert [one.person_id for one in case.run.candidates] == ids
    shown = [one.faces[0] for one in case.run.candidates]
    assert [face.picture for face in shown] == [True, True, False, False, False]
    assert (folder / "pictures" / f"{shown[0].face_id}.jpg").read_bytes() == JPEG
    assert (folder / "pictures" / f"{shown[1].face_id}.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert len(list((folder / "pictures").iterdir())) == 3, "and the probe"


def test_who_is_forgotten_leaves_the_case_when_it_is_run(begin, run, people):
    enrol(people, "Ada", ADA, crop=JPEG)
    enrol(people, "Bo", BO, crop=JPEG)
    folder = begin(ADA)
    case = run(folder)
    review(folder, "Ada", "yes", "sure of it")
    gone = case.run.candidates[0]
    people.forget("Ada")
    run(folder)
    for file in folder.rglob("*"):
        assert gone.faces[0].face_id not in file.name
        if file.is_file():
            assert b"Ada" not in file.read_bytes()
            assert gone.person_id.encode() not in file.read_bytes()


def test_what_was_said_survives_another_run(begin, run, people):
    enrol(people, "Ada", ADA)
    bo = enrol(people, "Bo", BO)
    folder = begin(ADA)
    run(folder)
    said = review(folder, "Bo", "no", "taller").reviews
    enrol(people, "Cy", [1, 0.1, 0])
    case = run(folder)
    assert case.reviews == said
    assert {who: (one.says, one.note) for who, one in case.reviews.items()} == {bo: ("no", "taller")}


def test_what_is_said_while_a_case_is_run_is_kept(begin, people, eyes):
    ada = enrol(people, "Ada", ADA)
    folder = begin(ADA)
    run_case(folder, lambda _: people, eyes.analyze)

    def meanwhile(sources, columns):
        review(folder, "Ada", "yes")
        return eyes.analyze(sources, columns)

    case, _ = run_case(folder, lambda _: people, meanwhile)
    assert case.reviews[ada].says == "yes"


def test_who_comes_while_a_case_is_run_is_a_reason_to_run_it_again(begin, people, eyes):
    enrol(people, "Ada", ADA)
    folder = begin(ADA)
    with people.store.reading() as snapshot:
        before = snapshot.change
    real = people.identify

    def slow(*words, **options):
        answer = real(*words, **options)
        enrol(people, "late", [1, 0.1, 0])
        return answer

    people.identify = slow
    case, _ = run_case(folder, lambda _: people, eyes.analyze)
    assert found(case) == ["Ada"]
    assert case.run.change == before < people.store.change


def test_people_of_another_embedder_are_refused(begin, eyes):
    folder = begin(ADA)
    with (
        memory_gallery(DecisionRule("other", "euclidean", 1.0, None)) as people,
        pytest.raises(SpaceMismatch),
    ):
        run_case(folder, lambda _: people, eyes.analyze)
    assert read_case(folder).run is None


def test_the_same_twice_is_the_same(begin, run, people, rng):
    for i in range(30):
        enrol(people, f"p{i}", rng.normal(size=3))
    folder = begin(ADA, BO)
    assert run(folder).run.candidates == run(folder).run.candidates
