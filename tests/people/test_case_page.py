import base64
import io

import msgspec
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefiles import a_case
from htmlpages import Reader
from mien.people.case_page import case_page
from mien.people.cases import Review, picture_names

HOSTILE = '</style><script>alert(1)</script><img src=x onerror=y> "&\x1b[31m\u202e'


def jpeg(shade):
    file = io.BytesIO()
    PIL.Image.new("L", (4, 4), shade).save(file, "JPEG")
    return file.getvalue()


def pictures(case):
    return {name: jpeg(i) for i, name in enumerate(picture_names(case))}


def changed(case, **fields):
    """The case with other fields of its first candidate."""
    one, *others = case.run.candidates
    candidates = (msgspec.structs.replace(one, **fields), *others)
    return msgspec.structs.replace(case, run=msgspec.structs.replace(case.run, candidates=candidates))


def test_a_page_shows_who_is_looked_for_and_who_it_may_be():
    case = a_case(title="Lost", notes="since May\n\nblue coat")
    shown = pictures(case)
    page = Reader(case_page(case, shown))
    assert not page.wrong
    assert not page.open
    for words in (
        "Lost",
        "since May",
        "blue coat",
        "Ada",
        "Bo",
        "one.jpg",
        "2010-05-10, by the photograph",
        "undated",
    ):
        assert words in page.words
    assert page.words.index("Ada") < page.words.index("Bo")
    # Each probe on top, and beside each candidate the probe that is nearest to it.
    inside = [base64.b64decode(value.partition("base64,")[2]) for value in page.fetched]
    probes, faces = [shown["probe-1.jpg"], shown["probe-2.jpg"]], [shown["f1.jpg"], shown["f2.jpg"]]
    assert inside == [*probes, probes[1], faces[0], probes[1], faces[1]]


def test_numbers_come_with_words():
    case = changed(a_case(), probability=0.731, log10_evidence=0.43, score=0.25, margin=0.15)
    text = Reader(case_page(case, {})).words
    assert "0.250, threshold 0.500" in text
    assert "73.1 % at even odds before" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "is 0.150 further" in text
    assert "7 years" in text
    assert "counts as the same person" in text


def test_where_each_face_came_from_is_said():
    text = Reader(case_page(a_case(), {})).words
    assert "/album/1.jpg" in text
    assert "2003" in text


def test_a_page_needs_no_network_and_runs_no_code():
    case = a_case(title=HOSTILE, notes=HOSTILE, collection=HOSTILE, tags=(HOSTILE,), names=(HOSTILE, "Bo"))
    case = msgspec.structs.replace(case, reviews={"p1": Review("no", HOSTILE, HOSTILE)})
    face = msgspec.structs.replace(case.run.candidates[0].faces[0], source=HOSTILE, taken=HOSTILE)
    case = changed(case, faces=(face,))
    made = case_page(case, pictures(case))
    page = Reader(made)
    assert not page.wrong
    assert "script" not in page.tags
    assert all(value.startswith("data:image/jpeg;base64,") for value in page.fetched)
    assert "\x1b" not in made
    assert "\u202e" not in made


@given(st.text(), st.text())
def test_any_words_of_users_make_a_sound_page(title, name):
    page = Reader(case_page(a_case(title=title, notes=title, names=(name, "Bo")), {}))
    assert not page.wrong
    assert not page.open
    assert not set(page.tags) & {"script", "iframe", "img", "a", "form", "link", "svg"}


def test_without_pictures_their_places_say_so():
    page = Reader(case_page(a_case(), {}))
    assert page.words.count("no picture is kept") == 6
    assert not page.fetched


def test_before_the_first_run_a_page_says_what_to_do():
    page = Reader(case_page(a_case(run=None), {}))
    assert "mien missing run" in page.words
    assert not page.wrong


def test_where_nobody_is_enrolled_a_page_says_so():
    assert "Nobody is enrolled in default." in Reader(case_page(a_case(names=()), {})).words
    assert "with these tags" in Reader(case_page(a_case(names=(), tags=("x",)), {})).words


@pytest.mark.parametrize("says", ["yes", "no", "unsure"])
def test_what_was_said_is_shown(says):
    case = a_case(reviews={"p2": Review(says, "2026-02-03T00:00:00Z", "the chin")})
    made = case_page(case, {})
    assert f"Reviewed: {says} : the chin (2026-02-03)" in Reader(made).words
    assert made.count(f"said-{says}") == 1 + made.partition("</style>")[0].count(f"said-{says}")
    assert Reader(made).words.count("Not reviewed.") == 1
    assert "mien missing review . p1 --say yes|no|unsure" in Reader(made).words


def test_the_page_says_that_nothing_protects_it():
    assert "nothing in it is encrypted" in Reader(case_page(a_case(), {})).words
