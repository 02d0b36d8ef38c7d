import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.pages.words import columns, printable, shorten


def test_what_can_be_shown_stays():
    text = "Zoë O'Neil <b>&$_ 面\N{NO-BREAK SPACE}%"
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\x1b[31m", "\\x1b[31m"), ("a\nb", "a\\nb"), ("\udcff", "\\udcff"), ("\u202ejpg", "\\u202ejpg")],
)
def test_what_cannot_is_spelt_out(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_what_comes_out_can_be_encoded_and_obeys_nobody(text):
    shown = printable(text)
    shown.encode("utf-8")
    assert not any(c in shown for c in "\x1b\r\n\0\u202e")


def test_chinese_is_twice_as_wide():
    assert (columns("face"), columns("面孔"), columns("e\u0301")) == (4, 4, 1)


@given(st.text(), st.integers(3, 30))
def test_shortened_texts_fit_and_keep_both_ends(text, most):
    short = shorten(text, most)
    assert columns(short) <= most
    if columns(text) <= most:
        assert short == text
    else:
        head, _, tail = short.partition("…") if "…" not in text else (short[:0], "", short[:0])
        assert text.startswith(head)
        assert text.endswith(tail)


def test_a_long_name_is_shortened_in_its_middle():
    assert shorten("detector_and_embedder", 11) == "detec…edder"
