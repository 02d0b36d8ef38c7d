"""Parts of lists: together they are the list, whatever their size."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.server.asking import fitted
from mien.server.cursors import MOST, Part, after, cut, page

KEYS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True).map(sorted)


def parts(limit, ask):
    """Everything, part by part, and how long the parts were."""
    found, lengths, cursor = [], [], None
    while True:
        part = ask(Part(limit, cursor))
        found += part.items
        lengths.append(len(part.items))
        cursor = part.next
        if cursor is None:
            return found, lengths
        assert lengths[-1] == limit, "only the last part is shorter"


@given(keys=KEYS, limit=st.integers(1, 9))
def test_parts_of_a_whole_list_are_the_list(keys, limit):
    found, lengths = parts(limit, lambda part: cut(keys, part, lambda key: key, str.upper))
    assert found == [key.upper() for key in keys]
    assert len(lengths) == max(1, -(-len(keys) // limit))


@given(keys=KEYS, limit=st.integers(1, 9))
def test_parts_of_what_is_left_are_the_list(keys, limit):
    def ask(part):
        left = [key for key in keys if key > after(part.cursor)]
        return page(left[: part.limit + 1], part.limit, lambda key: key, lambda key: key)

    assert parts(limit, ask)[0] == keys


def test_what_goes_or_comes_between_parts_shifts_nothing():
    def ask(keys, cursor):
        return cut(keys, Part(2, cursor), lambda key: key, lambda key: key)

    first = ask(["b", "d", "f", "h"], None)
    assert first.items == ["b", "d"]
    second = ask(["a", "c", "e", "f", "h"], first.next)
    assert second.items == ["e", "f"]
    assert ask(["h"], second.next).items == ["h"]
    assert ask([], second.next) == page([], 2, str, str)


@pytest.mark.parametrize(
    "cursor", ["é", "a", base64.urlsafe_b64encode(b"\xff\xfe").decode(), "\ud800", "a" * 5]
)
def test_a_cursor_that_was_not_given_out(cursor):
    with pytest.raises(BadRequest, match="cursor"):
        after(cursor)


def test_no_cursor_is_the_beginning():
    assert after(None) == after("") == ""


@pytest.mark.parametrize("limit", ["0", "-1", str(MOST + 1), "all", "1.5", ""])
def test_a_part_is_neither_empty_nor_everything(limit):
    with pytest.raises(BadRequest):
        fitted({"limit": limit}, Part)
    assert fitted({"limit": str(MOST)}, Part) == Part(MOST)


def test_cursors_do_not_show_what_they_hold():
    cursor = cut(["Ada", "Bea"], Part(1), lambda key: key, lambda key: key).next
    assert "Ada" not in cursor
    assert msgspec.json.decode(msgspec.json.encode(cursor)) == cursor
