import json
from datetime import date

import msgspec
import pytest

from mien.answers.service import AliveRow, Page
from mien.client.call import Call, Form, Picture, Received, page, pairs, path, picture, row
from mien.client.call import json as spelled
from mien.errors import BadRequest, ServerUnreachable


def test_segments_are_quoted_so_that_they_stay_segments():
    assert path("collections", "a b?c#d%2F", "people", "李雷") == (
        "/v1/collections/a%20b%3Fc%23d%252F/people/%E6%9D%8E%E9%9B%B7"
    )


@pytest.mark.parametrize("segment", ["", ".", "..", "a/b", "../keys", "a\\b"])
def test_segments_that_lead_elsewhere_are_refused(segment):
    with pytest.raises(BadRequest, match="address") as caught:
        path("collections", segment, "people")
    assert "identifier" in caught.value.hint


def test_bytes_of_a_name_that_are_not_utf8_are_spelt_out():
    assert path("keys", "a\udcff") == "/v1/keys/a%5Cudcff"


def test_parameters_are_spelt_as_forms_want_them():
    found = pairs(
        a=None,
        b="text",
        c=True,
        d=1.5,
        e=["x", "y"],
        f=(),
        g={"k": [1, None]},
        h=date(2031, 2, 3),
        i=0,
        j="",
    )
    assert found == (
        ("b", "text"),
        ("c", "true"),
        ("d", "1.5"),
        ("e", "x"),
        ("e", "y"),
        ("g", '{"k":[1,null]}'),
        ("h", "2031-02-03"),
        ("i", "0"),
        ("j", ""),
    )


def test_what_is_unset_is_left_out_and_none_is_not():
    body = json.loads(spelled(a=msgspec.UNSET, b=None, c=date(2031, 2, 3)))
    assert body == {"b": None, "c": "2031-02-03"}


def test_unknown_fields_are_of_a_newer_server():
    assert row(AliveRow)(Received(200, {}, b'{"status": "live", "mood": "good"}')) == AliveRow("live")


@pytest.mark.parametrize(
    "content", [b"<html>", b"", b"[]", b"null", b'{"status": "asleep"}', b'{"s":"\xff"}']
)
def test_something_else_than_mien_is_told_of(content):
    with pytest.raises(ServerUnreachable, match="AliveRow") as caught:
        row(AliveRow)(Received(200, {}, content))
    assert caught.value.hint


def test_pages_are_read():
    found = page(AliveRow)(Received(200, {}, b'{"items": [{"status": "live"}], "next": "abc"}'))
    assert found == Page([AliveRow("live")], "abc")


def test_pictures_have_a_type():
    found = picture(Received(200, {"content-type": "Image/PNG; q=1"}, b"1234"))
    assert (found.media_type, found.content) == ("image/png", b"1234")
    with pytest.raises(ServerUnreachable, match="text/html"):
        picture(Received(200, {"content-type": "text/html"}, b"<html>"))


def test_a_cursor_takes_the_place_of_the_one_before():
    call = Call("GET", "/v1/keys", bytes, (("tag", "a"), ("cursor", "1"), ("tag", "b")))
    assert call.at("2").query == (("tag", "a"), ("tag", "b"), ("cursor", "2"))


def test_one_may_bring_an_idempotency_key():
    call = Call("POST", "/v1/keys", bytes, repeat="keyed")
    assert call.keyed("order 7").key == "order 7"
    for wrong in ("", "x" * 201, "schön", "a\nb"):
        with pytest.raises(BadRequest, match="1 to 200"):
            call.keyed(wrong)
    with pytest.raises(BadRequest, match="takes no"):
        Call("GET", "/v1/keys", bytes).keyed("a")


def test_nothing_shows_what_it_holds():
    body = b'{"name": "Ada Lovelace"}'
    shown = repr(Call("POST", "/v1/people/Ada", bytes, (("name", "Ada"),), body))
    shown += repr(Form((("name", "Ada"),)))
    shown += repr(Received(200, {"x": "Ada"}, body)) + repr(Picture("image/png", body))
    assert "Ada" not in shown
    assert f"{len(body)} bytes" in shown
