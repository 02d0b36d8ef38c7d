"""Photographs and parameters out of requests, however they are sent, and whatever else is sent instead."""

import asyncio
import base64
import tempfile
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st
from starlette.requests import Request

from mien.errors import BadRequest, MediaTypeUnsupported
from mien.server.asking import fitted
from mien.server.plans import PHOTO
from mien.server.uploads import Texts, Upload, given_values, read_given, shown_name

PIXELS = bytes(range(256)) * 40
FORM = "multipart/form-data; boundary=b"


def part(name, content, filename=None, **headers):
    said = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    lines = {"Content-Disposition": said, **headers}
    head = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
    return head.encode() + b"\r\n" + (content if isinstance(content, bytes) else content.encode()) + b"\r\n"


def form(*parts, boundary="b"):
    line = f"--{boundary}\r\n".encode()
    return b"".join(line + one for one in parts) + f"--{boundary}--\r\n".encode()


def read(body, kind=FORM, query=None, fields=PHOTO, most=100, pieces=1000):
    """What a request holds that arrives in pieces."""
    messages = [
        {"type": "http.request", "body": body[i : i + pieces], "more_body": i + pieces < len(body)}
        for i in range(0, max(len(body), 1), pieces)
    ]

    async def receive():
        return messages.pop(0)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": urlencode(query or {}, doseq=True).encode(),
        "headers": [(b"content-type", kind.encode("latin-1"))] if kind else [],
    }
    return asyncio.run(read_given(Request(scope, receive), fields, most))


def as_json(**values):
    return msgspec.json.encode(values)


def base64_of(content):
    return base64.b64encode(content).decode()


WAYS = {
    "form, photo": (form(part("photo", PIXELS, "a.jpg")), FORM),
    "form, file": (form(part("file", PIXELS, "a.jpg")), FORM),
    "form, photos": (form(part("photos", PIXELS, "a.jpg")), FORM),
    "form, quoted boundary": (
        form(part("photo", PIXELS, "a.jpg"), boundary="a b"),
        'multipart/form-data; boundary="a b"',
    ),
    "form, upper case": (form(part("photo", PIXELS, "a.jpg")), "Multipart/Form-Data; Boundary=b"),
    "form, of a type": (form(part("photo", PIXELS, "a.jpg", **{"Content-Type": "text/html"})), FORM),
    "json": (as_json(photo=base64_of(PIXELS)), "application/json"),
    "json, list": (as_json(photos=[base64_of(PIXELS)]), "application/json; charset=utf-8"),
    "json, data": (as_json(photo=f"data:image/jpeg;base64,{base64_of(PIXELS)}"), "application/json"),
    "json, lines": (as_json(photo=base64.encodebytes(PIXELS).decode()), "application/json"),
    "raw": (PIXELS, "image/jpeg"),
    "raw, of any type": (PIXELS, "application/octet-stream"),
    "raw, of no type": (PIXELS, ""),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pieces", [7, 10**9])
def test_every_way_gives_the_photograph_as_it_was(way, pieces):
    found = read(*WAYS[way], pieces=pieces)
    ((_, upload),) = found.uploads
    assert upload.content == PIXELS
    assert upload.name == ("a.jpg" if way.startswith("form") else "photograph")
    assert found.values == {}


def test_several_come_in_the_order_in_which_they_were_sent():
    names = [f"{number}.jpg" for number in range(100)]
    parts = [part("photo" if i % 3 else "file", str(i), name) for i, name in enumerate(names)]
    found = read(form(*parts))
    assert [(one.name, one.content) for _, one in found.uploads] == [
        (name, str(i).encode()) for i, name in enumerate(names)
    ]
    encoded = [base64_of(str(i).encode()) for i in range(100)]
    listed = read(as_json(photos=encoded), "application/json")
    assert [one.content for _, one in listed.uploads] == [str(i).encode() for i in range(100)]


def test_two_photographs_are_told_apart_by_their_fields():
    fields = ("photo_a", "photo_b")
    swapped = read(form(part("photo_b", "b", "x"), part("photo_a", "a", "x")), fields=fields)
    assert {name: one.content for name, one in swapped.uploads} == {"photo_a": b"a", "photo_b": b"b"}
    body = as_json(photo_b=base64_of(b"b"), photo_a=base64_of(b"a"))
    assert {name: one.content for name, one in read(body, "application/json", fields=fields).uploads} == {
        "photo_a": b"a",
        "photo_b": b"b",
    }


def test_parameters_come_from_the_query_and_from_the_body_which_is_nearer():
    query = {"name": "query", "tag": ["a", "b"]}
    assert read(PIXELS, "image/png", query).values == {"name": ["query"], "tag": ["a", "b"]}
    both = read(form(part("photo", PIXELS, "x"), part("name", "Zoë"), part("k", "3")), query=query)
    assert both.values == {"name": ["Zoë"], "tag": ["a", "b"], "k": ["3"]}
    in_json = read(as_json(photo=base64_of(PIXELS), name="j", tags=["x"]), "application/json", query)
    assert in_json.values == {"name": "j", "tag": ["a", "b"], "tags": ["x"]}
    assert read(b"", "", query).values == {"name": ["query"], "tag": ["a", "b"]}


NAMES = {
    "portrait.jpg": ("", "portrait.jpg"),
    "../../etc/passwd": ("../../etc", "passwd"),
    "/etc/passwd": ("/etc", "passwd"),
    "C:\\Users\\ada\\me.png": ("", "me.png"),
    "Ada/1.jpg": ("Ada", "1.jpg"),
    "a/": ("a", "photograph"),
    "": ("", "photograph"),
    "a\0b.jpg": ("", "a�b.jpg"),
    "\x1b[2Jred\x07.jpg": ("", "�[2Jred�.jpg"),
    "名字 😀.png": ("", "名字 😀.png"),
    "evil\u202egpj.exe": ("", "evil�gpj.exe"),
    "é" * 500: ("", "é" * 200),
    "-rf": ("", "-rf"),
    "..": ("", ".."),
    "upload:x": ("", "upload:x"),
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_photographs_are_names_and_nothing_else(name):
    escaped = name.replace("\\", "\\\\")
    ((_, upload),) = read(form(part("photo", PIXELS, escaped))).uploads
    folder, called = NAMES[name]
    assert upload.name == called
    assert upload.folder.replace("//", "/") == folder
    assert upload.source == f"upload:{called}"
    assert shown_name(upload.source) == called


BROKEN = {
    "no boundary is named": (form(part("photo", PIXELS, "x")), "multipart/form-data"),
    "an empty boundary": (form(part("photo", PIXELS, "x")), "multipart/form-data; boundary="),
    "another boundary": (form(part("photo", PIXELS, "x"), boundary="other"), FORM),
    "a boundary of another alphabet": (b"--\xe9\xe9", "multipart/form-data; boundary=\xe9"),
    "nothing": (b"", FORM),
    "noise": (bytes(range(256)), FORM),
    "no name": (form(b"Content-Disposition: form-data\r\n\r\nx\r\n"), FORM),
    "no disposition": (form(b"Content-Type: text/plain\r\n\r\nx\r\n"), FORM),
    "a header that is none": (form(b"\x00\x01\x02: \r\n\r\nx\r\n"), FORM),
    "lines without returns": (form(part("photo", PIXELS, "x")).replace(b"\r\n", b"\n"), FORM),
    "cut off in a head": (form(part("photo", PIXELS, "x"))[:30], FORM),
    "cut off in a photograph": (form(part("photo", PIXELS, "x"))[:4000], FORM),
    "cut off in the second photograph": (
        form(part("photo", PIXELS, "x"), part("photo", PIXELS, "y"))[:-2000],
        FORM,
    ),
    "no end": (form(part("photo", PIXELS, "x"))[:-4], FORM),
    "only a beginning": (b"--b\r\n", FORM),
    "a file that nobody wants": (form(part("photo", PIXELS, "x"), part("passwd", PIXELS, "y")), FORM),
    "1001 fields": (form(*[part("x", "y")] * 1001), FORM),
    "a field of more than a megabyte": (form(part("name", b"x" * (2**20 + 1))), FORM),
    "an endless name of a field": (form(part("x" * 2**20, "y", "z")), FORM),
    "JSON: nothing like it": (b"{", "application/json"),
    "JSON: not UTF-8": (b'{"a": "\xff"}', "application/json"),
    "JSON: half a character": (b'{"a": "\\ud800"}', "application/json"),
    "JSON: a list": (b"[]", "application/json"),
    "JSON: null": (b"null", "application/json"),
    "JSON: nested 10,000 deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "application/json"),
    "JSON: lists nested 10,000 deep": (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "application/json"),
    "JSON: a number for a photograph": (b'{"photo": 7}', "application/json"),
    "JSON: an object for a photograph": (b'{"photo": {"data": "AAAA"}}', "application/json"),
    "JSON: lists of lists": (b'{"photos": [["AAAA"]]}', "application/json"),
    "JSON: null among photographs": (b'{"photos": ["AAAA", null]}', "application/json"),
    "JSON: not base64": (b'{"photo": "*****"}', "application/json"),
    "JSON: not base64 but letters": ('{"photo": "äöü"}'.encode(), "application/json"),
    "JSON: padding missing": (b'{"photo": "AAAAA"}', "application/json"),
    "JSON: an address": (b'{"photo": "http://127.0.0.1:22/"}', "application/json"),
    "JSON: a path": (b'{"photo": "/etc/passwd!"}', "application/json"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("pieces", [100, 10**9])
def test_what_cannot_be_understood_is_said_to_be_so(name, pieces):
    with pytest.raises(BadRequest) as caught:
        read(*BROKEN[name], pieces=pieces)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/html; charset=utf-8",
        "application/x-www-form-urlencoded",
        "application/xml",
        "multipart/mixed; boundary=b",
        "video/mp4",
        "\x1b[31m",
        "nonsense",
    ],
)
def test_other_types_are_refused_by_name(kind):
    with pytest.raises(MediaTypeUnsupported) as caught:
        read(PIXELS, kind)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("way", ["form", "json"])
def test_more_photographs_than_may_be_are_refused(way):
    def sent(count):
        if way == "form":
            return form(*[part("photo", "x", "x")] * count), FORM
        return as_json(photos=["AAAA"] * count), "application/json"

    assert len(read(*sent(3), most=3).uploads) == 3
    for count in (4, 5, 1200):
        with pytest.raises(BadRequest, match=r"3|4"):
            read(*sent(count), most=3)


def test_nothing_is_written_to_temporary_files(monkeypatch):
    def refuse(*_args, **_kwargs):
        pytest.fail("a photograph was put into a file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "mkstemp", "_mkstemp_inner"):
        monkeypatch.setattr(tempfile, name, refuse)
    large = bytes(8 * 2**20)
    ((_, upload),) = read(form(part("photo", large, "x")), pieces=2**16).uploads
    assert upload.content == large


def test_what_is_sent_is_not_shown():
    found = read(form(part("photo", b"secret pixels", "Ada/x.jpg"), part("name", "Ada")))
    assert not any(word in repr(found) for word in ("secret", "Ada"))
    assert "secret" not in repr(found.uploads[0][1])


def test_the_digest_is_that_of_the_content():
    base = read(form(part("photo", PIXELS, "x.jpg"), part("name", "Ada"), part("tag", "t")))
    otherwise = form(part("name", "Ada"), part("tag", "t"), part("photo", PIXELS, "x.jpg"), boundary="zzzz")
    assert read(otherwise, "multipart/form-data; boundary=zzzz", pieces=9).digest == base.digest
    different = [
        form(part("photo", PIXELS[:-1], "x.jpg"), part("name", "Ada"), part("tag", "t")),
        form(part("photo", PIXELS, "y.jpg"), part("name", "Ada"), part("tag", "t")),
        form(part("photo", PIXELS, "a/x.jpg"), part("name", "Ada"), part("tag", "t")),
        form(part("file", PIXELS, "x.jpg"), part("name", "Ada"), part("tag", "t")),
        form(part("photo", PIXELS, "x.jpg"), part("name", "Bea"), part("tag", "t")),
        form(part("photo", PIXELS, "x.jpg"), part("name", "Ada"), part("tag", "t"), part("tag", "u")),
        form(part("photo", PIXELS, "x.jpg"), part("photo", PIXELS, "x.jpg"), part("name", "Ada")),
    ]
    digests = {read(body).digest for body in different}
    assert len(digests) == len(different)
    assert base.digest not in digests
    a_b = form(part("photo", b"a", "1"), part("photo", b"b", "2"))
    assert read(a_b).digest != read(form(part("photo", b"b", "2"), part("photo", b"a", "1"))).digest


@settings(max_examples=200, deadline=None)
@any_of(
    body=st.binary(max_size=400),
    kind=st.sampled_from([FORM, "application/json", "image/png"]),
    pieces=st.integers(1, 50),
)
def test_any_bytes_are_understood_or_refused(body, kind, pieces):
    with suppress(BadRequest):
        read(body, kind, pieces=pieces)


@settings(max_examples=200, deadline=None)
@any_of(data=st.data())
def test_any_damage_to_a_form_is_understood_or_refused(data):
    body = bytearray(form(part("name", "Ada"), part("photo", PIXELS[:100], "x"), part("tag", "t")))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=5))
    try:
        found = read(bytes(body))
    except BadRequest:
        return
    assert sum(len(one.content) for _, one in found.uploads) <= len(body)


# Parameters as structs want them


class Wanted(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=5)] = "n"
    k: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    share: float = 0.5
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] | None = None
    until: date | None = None
    gate: Literal["off", "strict"] | None = None
    keep: bool | None = None


def values(**given):
    return fitted(given_values(given, Wanted), Wanted)


def said(*texts):
    """What a form says."""
    return Texts(texts)


FITTING = {
    "texts": (
        {
            "name": said("Ada"),
            "k": said("7"),
            "share": said("1e-3"),
            "until": said("2030-12-31"),
            "gate": said("off"),
            "keep": said("true"),
        },
        Wanted("Ada", 7, 1e-3, (), None, date(2030, 12, 31), "off", True),
    ),
    "JSON": ({"name": "Ada", "k": 7, "keep": False}, Wanted("Ada", 7, keep=False)),
    "lists": ({"tags": ["a", "[b]"]}, Wanted(tags=("a", "[b]"))),
    "several": ({"tags": said("a", "[b]")}, Wanted(tags=("a", "[b]"))),
    "one of several": ({"tags": said("a")}, Wanted(tags=("a",))),
    "a list in text": ({"tags": said('["a", "[b]"]')}, Wanted(tags=("a", "[b]"))),
    "nothing": ({}, Wanted()),
    "empty": ({"until": said(""), "gate": said(""), "keep": said(""), "metadata": said("")}, Wanted()),
    "JSON in text": ({"metadata": said('{"a": [1, null]}')}, Wanted(metadata={"a": [1, None]})),
    "JSON in JSON": ({"metadata": {"a": 1}}, Wanted(metadata={"a": 1})),
}


@pytest.mark.parametrize("name", FITTING)
def test_what_fits(name):
    given, wanted = FITTING[name]
    assert values(**given) == wanted


UNFITTING = [
    {"nmae": said("Ada")},
    {"\x1b[2J": said("x")},
    {"name": said("Ada", "Bea")},
    {"name": []},
    {"k": []},
    {"metadata": []},
    {"name": said("")},
    {"name": said("sixsix")},
    {"name": {"a": 1}},
    {"name": None},
    {"k": said("0")},
    {"k": said("10")},
    {"k": said("7.5")},
    {"k": said("９" * 5000)},
    {"k": said("9" * 5000)},
    {"k": 1e400},
    {"k": [[1]]},
    {"share": said("half")},
    {"tags": "a"},
    {"tags": [1]},
    {"tags": said("[1]")},
    {"tags": said("[a")},
    {"metadata": said("[]")},
    {"metadata": said("{")},
    {"metadata": said('{"a":' * 10_000)},
    {"metadata": [1]},
    {"until": said("yesterday")},
    {"until": said("0000-00-00")},
    {"gate": said("open")},
    {"keep": said("perhaps")},
]


@pytest.mark.parametrize("given", UNFITTING, ids=lambda given: ascii(given)[:40])
def test_what_does_not_fit_is_refused(given):
    with pytest.raises(BadRequest) as caught:
        values(**given)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


def test_an_upload_without_a_name_is_called_something():
    assert Upload("photograph", b"").source == "upload:photograph"
    assert shown_name(None) == ""
