import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefiles import a_case
from mien.people.case_words import explained, gap_words, list_words, margin_words, percent, taken_words


@given(st.floats(0, 1))
def test_no_probability_is_certain(share):
    said = percent(share).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "> 99.9 %" or float(said.removesuffix(" %")) < 100
    if said != "> 99.9 %":
        assert float(said.removesuffix(" %")) == pytest.approx(100 * share, abs=0.051, rel=0.06)
    if share:
        assert re.search("[1-9]", said)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0.0 %"), (0.001, "0.1 %"), (1e-6, "0.0001 %"), (0.65, "65.0 %"), (0.99951, "> 99.9 %")],
)
def test_percent(share, said):
    assert percent(share).replace("\N{NO-BREAK SPACE}", " ") == said


def test_years():
    assert [gap_words(n) for n in (None, 0, 1, 7)] == ["unknown", "less than one", "1 year", "7 years"]
    assert (taken_words(""), taken_words("1998")) == ("undated", "1998")


@pytest.mark.parametrize(
    ("decision", "score", "gap", "said", "unsaid"),
    [
        ("known", 0.2, 7, "counts as the same person", "rules nobody out"),
        ("uncertain", 0.2, 7, "so is somebody who comes nearer", "beyond"),
        ("uncertain", 0.6, 7, "7 years lie between the photographs: this rules nobody out", "Within"),
        ("uncertain", 0.6, 2, "Somewhat beyond the threshold", "rules nobody out"),
        ("unknown", 0.9, 7, "7 years lie between the photographs: this rules nobody out", "somebody else"),
        ("unknown", 0.9, None, "Nobody knows how many years", "somebody else"),
        ("unknown", 0.9, 2, "counts as somebody else", "rules nobody out"),
    ],
)
def test_a_decision_is_explained(decision, score, gap, said, unsaid):
    case = a_case()
    one = msgspec.structs.replace(
        case.run.candidates[0],
        decision=decision,
        score=score,
        gap_years=gap,
        far_apart=gap is None or gap > 6,
    )
    words = explained(case.run, one)
    assert said in words
    assert unsaid not in words


def test_a_rate_that_nobody_measured_is_not_made_up():
    run = a_case().run
    assert "0.1" in explained(run, run.candidates[0])
    unmeasured = msgspec.structs.replace(run, fmr=None)
    assert "was not measured" in explained(unmeasured, run.candidates[0])


def test_the_list_says_why_it_is_long():
    run = a_case().run
    assert "no distance rules any of them out" in list_words(run)
    banded = msgspec.structs.replace(run, far_review_distance=0.6)
    assert "count as uncertain further beyond" in list_words(banded)
    near = tuple(msgspec.structs.replace(one, far_apart=False) for one in run.candidates)
    assert "years" not in list_words(msgspec.structs.replace(run, candidates=near))


def test_the_last_has_nobody_after_it():
    first, last = a_case().run.candidates
    assert margin_words(first) == "is 0.200 further"
    assert margin_words(last) == "nobody comes after"
