import ssl

import httpx
import pytest

from mien.client import Retries
from mien.client.call import Call, Form
from mien.client.photographs import Upload
from mien.client.retrying import ALL, NONE, REPEATABLE
from mien.client.wire import line_to, lost, received, request_of
from mien.errors import BadRequest, ServerUnreachable, TimedOut

KEY = "mien_0123456789abc_" + "s" * 43


@pytest.mark.parametrize(
    "address",
    [
        "https://mien.example",
        "http://127.0.0.1:8000",
        "http://127.8.9.10",
        "http://[::1]:8000",
        "http://localhost",
        "HTTP://LocalHost:80/",
    ],
)
def test_keys_travel_encrypted_or_not_at_all_beyond_this_machine(address):
    assert line_to(address, KEY, {}).headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "address",
    [
        "http://mien.example",
        "http://192.168.1.7:8000",
        "http://0.0.0.0",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://[::ffff:127.0.0.1]",
        "http://2130706433",
    ],
)
def test_keys_are_not_sent_in_the_open(address):
    with pytest.raises(BadRequest, match="without encryption") as caught:
        line_to(address, KEY, {})
    assert KEY not in str(caught.value) + caught.value.hint
    assert "authorization" in line_to(address, KEY, {"allow_insecure": True}).headers
    assert "authorization" not in line_to(address, None, {}).headers


@pytest.mark.parametrize(
    "address",
    [
        "",
        "mien.example",
        "ftp://mien.example",
        "https://",
        "https://mien.example:port",
        "https://mien.example:70000",
        "https://ada:secret@mien.example",
        "https://mien.example/?key=secret",
        "https://mien.example/#secret",
        "https://mien .example",
        "https://mien.example\n",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(address):
    with pytest.raises(BadRequest) as caught:
        line_to(address, None, {})
    assert "secret" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "schlüssel", "a\r\nx-admin: 1"])
def test_what_is_no_key_is_refused_without_repeating_it(key):
    with pytest.raises(BadRequest) as caught:
        line_to("https://mien.example", key, {})
    assert "admin" not in str(caught.value)


def test_keys_are_not_shown():
    assert KEY not in repr(line_to("https://mien.example", KEY, {}))


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_is_no_choice(seconds):
    with pytest.raises(BadRequest, match="timeout_s"):
        line_to("https://mien.example", None, {"timeout_s": seconds})


def test_the_library_obeys_nobody_else():
    choices = line_to("https://mien.example", None, {"timeout_s": 3}).choices
    assert choices["trust_env"] is False
    assert choices["follow_redirects"] is False
    assert choices["proxy"] is None
    assert choices["verify"] is True
    assert choices["timeout"] == httpx.Timeout(3, connect=3)
    tls = ssl.create_default_context()
    given = line_to(
        "https://mien.example",
        None,
        {"tls": tls, "trust_env": True, "proxy": "http://p", "retries": Retries(0)},
    )
    assert given.choices["verify"] is tls
    assert given.choices["trust_env"] is True
    assert given.choices["proxy"] == "http://p"
    assert given.choices["timeout"] == httpx.Timeout(60, connect=10)
    assert given.retries.again == 0


def test_an_address_may_have_a_path():
    line = line_to("https://example.org/mien/", None, {})
    assert request_of(line, Call("GET", "/v1/me", bytes))["url"] == "https://example.org/mien/v1/me"


def test_only_writes_have_an_idempotency_key_and_each_its_own():
    line = line_to("https://mien.example", None, {})
    keys = [
        request_of(line, Call("POST", "/v1/keys", bytes, repeat="keyed"))["headers"]["idempotency-key"]
        for _ in range(2)
    ]
    assert keys[0] != keys[1]
    assert all(len(key) >= 22 and key.isascii() and key.isprintable() for key in keys)
    own = Call("POST", "/v1/keys", bytes, repeat="keyed").keyed("mine")
    assert request_of(line, own)["headers"]["idempotency-key"] == "mine"
    assert "idempotency-key" not in request_of(line, Call("POST", "/v1/keys", bytes))["headers"]
    assert "idempotency-key" not in line.headers


def test_versions_are_quoted():
    line = line_to("https://mien.example", None, {})
    call = Call("PATCH", "/v1/x", bytes, if_match=7, body=b"{}")
    headers = request_of(line, call)["headers"]
    assert headers["if-match"] == '"7"'
    assert headers["content-type"] == "application/json"


def test_forms_stay_multipart_and_keep_their_order(parts):
    photo = Upload('a"\r\nx.jpg', "image/png", b"\r\n--boundary")
    form = Form((("tags", "a"), ("tags", "b"), ("name", "李雷")), (("photo", photo), ("photo", photo)))
    line = line_to("https://mien.example", None, {})
    request = httpx.Client().build_request(**request_of(line, Call("POST", "/v1/x", bytes, body=form)))
    found = parts(request)
    assert [(one[0], one[3].decode()) for one in found[:3]] == [
        ("tags", "a"),
        ("tags", "b"),
        ("name", "李雷"),
    ]
    assert [one[1] is None for one in found] == [True, True, True, False, False]
    assert found[3][2:] == ("image/png", b"\r\n--boundary")
    assert b"\nx.jpg" not in request.read()
    alone = httpx.Client().build_request(
        **request_of(line, Call("POST", "/v1/x", bytes, body=Form((("kind", "analyze"),))))
    )
    assert alone.headers["content-type"].startswith("multipart/form-data")


REQUEST = httpx.Request("GET", "https://mien.example/v1/people/Ada", headers={"authorization": KEY})


@pytest.mark.parametrize(
    ("error", "kind", "again", "words"),
    [
        (httpx.ConnectError("refused"), ServerUnreachable, ALL, "cannot be reached: refused"),
        (httpx.ConnectTimeout("slow"), ServerUnreachable, ALL, "cannot be reached"),
        (httpx.ProxyError("403"), ServerUnreachable, ALL, "cannot be reached"),
        (
            httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
            ServerUnreachable,
            NONE,
            "not who it says",
        ),
        (httpx.ReadTimeout("slow"), TimedOut, NONE, "within 60 s"),
        (httpx.WriteTimeout(""), TimedOut, NONE, "within 60 s"),
        (httpx.PoolTimeout(""), TimedOut, NONE, "within 60 s"),
        (httpx.ReadError(""), ServerUnreachable, REPEATABLE, "broke off: ReadError"),
        (httpx.WriteError("pipe"), ServerUnreachable, REPEATABLE, "broke off: pipe"),
        (httpx.RemoteProtocolError("gone"), ServerUnreachable, REPEATABLE, "broke off"),
        (httpx.DecodingError("gzip"), ServerUnreachable, REPEATABLE, "broke off"),
    ],
)
def test_what_kept_an_answer_away_says_who_may_ask_again(error, kind, again, words):
    error.request = REQUEST
    found = lost(error, line_to("https://mien.example", KEY, {}))
    assert type(found.error) is kind
    assert found.again == again
    assert words in found.error.message
    assert "https://mien.example" in found.error.message
    assert found.error.hint
    # Tools that report errors with what they hold find no key.
    assert found.error.__cause__ is None
    assert "Ada" not in found.error.message


def test_answers_are_taken_with_small_names():
    answer = httpx.Response(201, headers={"X-Request-Id": "r"}, content=b"x")
    assert received(answer).headers["x-request-id"] == "r"
    assert (received(answer).status, received(answer).content) == (201, b"x")
