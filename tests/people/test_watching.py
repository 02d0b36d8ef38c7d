from pathlib import Path

import msgspec
import pytest

from casefiles import Eyes, a_case, enrol, gallery
from mien.errors import MienError, UnreadableImage
from mien.people.case_folder import review
from mien.people.case_run import Wanted, begin_case, run_case
from mien.people.cases import Review
from mien.people.watching import due, news, watch

HERE = Path("case")
ADA, BO = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def after(*candidates):
    """A run with candidates by rank: identifier, score, decision."""
    run = a_case().run
    first = run.candidates[0]
    made = (
        msgspec.structs.replace(first, rank=i + 1, person_id=who, person=who, score=score, decision=decision)
        for i, (who, score, decision) in enumerate(candidates)
    )
    return msgspec.structs.replace(run, candidates=tuple(made))


def told(before, now, reviews=None):
    return [(one.what, one.person_id) for one in news(HERE, before, now, reviews or {})]


def test_everybody_is_new_at_first():
    run = after(("a", 0.1, "known"), ("b", 0.9, "unknown"))
    assert told(None, run) == [("new", "a"), ("new", "b")]
    assert told(run, run) == []


def test_who_comes_is_new_and_who_is_pushed_down_is_not():
    before = after(("a", 0.3, "known"), ("b", 0.5, "unknown"))
    now = after(("c", 0.2, "known"), ("a", 0.3, "uncertain"), ("b", 0.5, "unknown"))
    assert told(before, now) == [("new", "c")]


def test_who_comes_nearer_and_higher_is_told_of():
    before = after(("a", 0.3, "known"), ("b", 0.5, "unknown"), ("c", 0.6, "unknown"))
    now = after(("b", 0.2, "known"), ("a", 0.3, "uncertain"), ("c", 0.55, "unknown"))
    assert told(before, now) == [("decision", "b")]
    now = after(("a", 0.3, "known"), ("c", 0.4, "unknown"), ("b", 0.5, "unknown"))
    assert told(before, now) == [("rank", "c")]


def test_who_moves_up_because_others_left_is_no_news():
    before = after(("a", 0.3, "known"), ("b", 0.5, "unknown"))
    assert told(before, after(("b", 0.5, "unknown"))) == []
    assert told(before, after(("b", 0.499999, "unknown"))) == []


def test_a_better_decision_at_the_same_distance_is_told_of():
    before = after(("a", 0.3, "known"), ("b", 0.31, "uncertain"))
    assert told(before, after(("b", 0.31, "known"))) == [("decision", "b")]


@pytest.mark.parametrize(("says", "count"), [("no", 0), ("yes", 1), ("unsure", 1)])
def test_of_who_is_not_meant_nothing_is_told(says, count):
    before = after(("a", 0.3, "known"), ("b", 0.5, "unknown"))
    now = after(("b", 0.2, "known"), ("a", 0.3, "uncertain"))
    assert len(told(before, now, {"b": Review(says, "")})) == count


def test_news_say_what_was_before():
    before = after(("a", 0.3, "known"), ("b", 0.5, "unknown"))
    (one,) = news(HERE, before, after(("b", 0.2, "known"), ("a", 0.3, "uncertain")), {})
    assert (one.case, one.rank, one.was_rank, one.decision, one.was_decision) == (
        "case",
        1,
        2,
        "known",
        "unknown",
    )
    (new,) = news(HERE, None, after(("a", 0.3, "known")), {})
    assert (new.was_rank, new.was_decision) == (None, None)


@pytest.fixture
def eyes():
    return Eyes()


@pytest.fixture
def people():
    with gallery(0.5) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path, eyes):
    path = eyes.photograph(tmp_path / "ada.png", ADA)
    begin_case(tmp_path / "case", Wanted(((path, ""),)), eyes.analyze)
    return tmp_path / "case"


def watching(folders, people, eyes, *events):
    """What is told; each event happens in a pause, and the watch ends after the last."""
    waiting = iter(events)

    def pause():
        event = next(waiting, None)
        if event is None:
            return False
        event()
        return True

    def run(folder):
        return run_case(folder, lambda _: people, eyes.analyze)

    return list(watch(folders, people.store, run, pause))


def test_a_case_is_run_when_people_come_and_only_then(folder, people, eyes):
    enrol(people, "Bo", BO)
    begun = eyes.calls
    found = watching(
        [folder], people, eyes, lambda: None, lambda: enrol(people, "Ada", [1, 0.1, 0]), lambda: None
    )
    assert [(one.what, one.person, one.rank) for one in found] == [("new", "Bo", 1), ("new", "Ada", 1)]
    assert eyes.calls - begun == 2
    assert watching([folder], people, eyes) == [], "what was told once is not told again"


def test_a_search_is_no_change(folder, people, eyes):
    enrol(people, "Bo", BO)
    watching([folder], people, eyes)
    calls = eyes.calls
    people.people()
    watching([folder], people, eyes)
    assert eyes.calls == calls


def test_another_store_is_another_gallery(folder, people, eyes):
    enrol(people, "Bo", BO)
    case, _ = run_case(folder, lambda _: people, eyes.analyze)
    assert not due(case, people.store)
    with gallery(0.5) as other:
        assert due(case, other.store)


def test_who_was_ruled_out_is_not_told_of_again(folder, people, eyes):
    enrol(people, "Bo", [0.5, 0.5, 0])
    watching([folder], people, eyes)
    review(folder, "Bo", "no")
    found = watching([folder], people, eyes, lambda: enrol(people, "Bo", ADA))
    assert found == []


def test_a_case_that_fails_stops_no_other_and_is_told_of_once(folder, people, eyes, tmp_path):
    path = eyes.photograph(tmp_path / "bo.png", BO)
    begin_case(tmp_path / "second", Wanted(((path, ""),)), eyes.analyze)
    photo = tmp_path / "ada.png"
    content = photo.read_bytes()
    photo.unlink()
    enrol(people, "Bo", BO)
    found = watching(
        [folder, tmp_path / "second"], people, eyes, lambda: None, lambda: photo.write_bytes(content)
    )
    failures = [one for one in found if isinstance(one, tuple)]
    assert [(where, type(error)) for where, error in failures] == [(folder, UnreadableImage)]
    assert [Path(one.case).name for one in found if not isinstance(one, tuple)] == ["second", "case"]


def test_a_case_that_is_gone_is_told_of(people, eyes, tmp_path):
    ((where, error),) = watching([tmp_path / "none"], people, eyes)
    assert where == tmp_path / "none"
    assert isinstance(error, MienError)
