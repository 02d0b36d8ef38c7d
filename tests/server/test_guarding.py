"""What is refused before anything is looked at, and the headers of every answer."""

import json
import re

import pytest

from server.people import photograph
from server.serving import served
from server.sockets import say

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture(scope="module")
def found(mien_home, tmp_path_factory):
    """A server that knows a name and an origin besides its own, and takes 100,000 bytes."""
    settings = {
        "hosts": ("faces.example", "intranet"),
        "origins": ("https://intranet.example:8443", "http://other"),
        "max_body_bytes": 100_000,
        "timeout_s": 3.0,
    }
    with served(tmp_path_factory.mktemp("guarded"), mien_home, server=settings) as one:
        yield one


def status_under(found, host):
    request = b"GET /v1/me HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\nConnection: close\r\n\r\n"
    return int(say(found.url, request).split()[1])


def test_it_is_asked_under_its_own_names_only(found):
    port = found.url.rpartition(":")[2]
    for ours in (
        *("127.0.0.1", f"127.0.0.1:{port}", "localhost", "LocalHost:1", "[::1]", f"[::1]:{port}"),
        *("faces.example", "FACES.example:443", "intranet"),
    ):
        assert status_under(found, ours) == 200, ours
    for strangers in (
        *("evil.example", "127.0.0.2", "0.0.0.0", "localhost.evil.example", "evil.example:8000"),
        *("faces.example.", "xfaces.example", "127.0.0.1@evil.example", "evil.example#localhost"),
        *(
            "localhost/",
            "localhost?",
            "localhost\\",
            "local host",
            "",
            "[",
            "[::1",
            "::1",
            "[v1.x]",
            "a]b",
            "%6c",
        ),
        *("é", "½", "127.0.0.1, evil.example"),
    ):
        assert status_under(found, strangers) == 403, strangers
    without = say(found.url, b"GET /v1/me HTTP/1.0\r\n\r\n")
    assert without.startswith(b"HTTP/1.1 403")


def test_pages_of_other_origins_may_not_ask(found):
    get = found.client.get
    for ours in (found.url, "https://intranet.example:8443", "http://other"):
        assert get("/v1/me", headers={"origin": ours}).status_code == 200, ours
    for theirs in (
        *("null", "", "https://evil.example", "http://127.0.0.1:1", found.url.replace("http", "https")),
        *("https://intranet.example", "http://intranet.example:8443", "https://intranet.example:8443.evil"),
        *(
            "*",
            "https://INTRANET.example:8443",
            f"{found.url}/",
            "file://",
            "http://other, https://evil.example",
        ),
    ):
        refused = get("/v1/me", headers={"origin": theirs})
        assert refused.status_code == 403, theirs
        assert refused.json()["error"]["code"] == "forbidden"
        assert "access-control-allow-origin" not in refused.headers


def test_a_preflight_is_answered_for_those_that_may_ask(found):
    asked = {
        "origin": "http://other",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "if-match,content-type",
    }
    answer = found.client.options("/v1/collections/x/people/y", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "http://other"
    allowed = answer.headers["access-control-allow-methods"].split(", ")
    assert set(allowed) == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    headers = set(answer.headers["access-control-allow-headers"].split(", "))
    assert {"authorization", "x-api-key", "content-type", "if-match", "idempotency-key"} <= headers
    assert "access-control-allow-credentials" not in answer.headers, (
        "keys are sent on purpose, never by browsers"
    )
    refused = found.client.options("/v1/me", headers={**asked, "origin": "https://evil.example"})
    assert refused.status_code == 403
    assert "access-control-allow-methods" not in refused.headers


def test_an_answer_tells_whom_it_is_for(found):
    own = found.client.get("/v1/me")
    assert own.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in own.headers
    other = found.client.get("/v1/me", headers={"origin": "http://other"})
    assert other.headers["cross-origin-resource-policy"] == "cross-origin"
    assert other.headers["access-control-allow-origin"] == "http://other"
    assert {"etag", "retry-after", "x-request-id"} <= set(
        other.headers["access-control-expose-headers"].split(", ")
    )
    for answer in (own, other):
        assert "Origin" in answer.headers["vary"]


def answers(found):
    """Answers of every kind: of the API, files, pictures, refusals, errors."""
    client, photo = found.client, photograph("Grace")
    yield client.get("/v1/me")
    yield client.get("/v1/health/live")
    yield client.get("/openapi.json")
    yield client.get("/metrics")
    yield client.get("/")
    yield client.get("/docs")
    yield client.get("/console/../../etc/passwd")
    yield client.get("/console/%2e%2e/%2e%2e/app.py")
    yield client.get("/nothing/here")
    yield client.get("/v1/collections/none")
    yield client.put("/v1/me")
    yield client.options("/v1/me")
    yield client.head("/v1/me")
    yield client.get("/v1/me", headers={"host": "evil.example"})
    yield client.get("/v1/me", headers={"origin": "https://evil.example"})
    yield client.post("/v1/detect", content=b"x" * 200_000)
    yield client.post("/v1/detect", files={"photo": b"no picture"})
    yield client.post("/v1/detect", content="<script>", headers={"content-type": "text/html"})
    yield client.post("/v1/anonymise", files={"photo": photo})
    yield client.post("/v1/detect", files={"photo": photo})


def test_every_answer_has_the_headers_that_guard_it(found):
    statuses = set()
    for answer in answers(found):
        place = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
        statuses.add(answer.status_code)
        for name, value in ALWAYS.items():
            assert answer.headers[name] == value, place
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["x-request-id"]), place
        assert answer.headers["cache-control"] in {"no-store", "no-cache"}, place
        assert "camera=(self)" in answer.headers["permissions-policy"], place
        assert "strict-transport-security" not in answer.headers, "this is not HTTPS"
        policy = dict(
            line.strip().partition(" ")[::2] for line in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'", place
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'", place
        assert "unsafe" not in answer.headers["content-security-policy"], place
        if answer.status_code >= 400 and answer.request.method != "HEAD":
            assert answer.headers["content-type"] == "application/json", place
            assert answer.json()["request_id"] == answer.headers["x-request-id"], place
            assert set(answer.json()["error"]) == {"code", "message", "hint", "details"}, place
    assert {200, 403, 404, 405, 413, 415, 422} <= statuses


def test_files_of_the_console_are_those_of_the_console(found):
    for path in (
        "/console/../app.py",
        "/console/..%2fapp.py",
        "/console/%2e%2e/%2e%2e/app.py",
        "/console//etc/passwd",
    ):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        assert say(found.url, request).startswith(b"HTTP/1.1 404"), path


@pytest.mark.parametrize("way", ["with its length", "in pieces"])
def test_a_body_that_is_too_large_is_refused(found, way):
    body = b"x" * 100_001
    content = (
        body if way == "with its length" else iter([body[i : i + 1000] for i in range(0, len(body), 1000)])
    )
    answer = found.client.post("/v1/detect", content=content, headers={"content-type": "image/jpeg"})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
    assert "100,000" in answer.json()["error"]["message"]
    fits = found.client.post("/v1/detect", content=body[:100_000], headers={"content-type": "image/jpeg"})
    assert fits.status_code == 422


def test_what_says_that_it_is_too_large_is_refused_before_it_is_sent(found):
    head = (
        b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
        b"Content-Length: 99999999999\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    answer = say(found.url, head)
    assert answer.startswith(b"HTTP/1.1 413"), "and is not told to go on"


def test_a_body_that_does_not_come_is_not_waited_for_without_end(found):
    head = (
        b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nabc"
    )
    answer = say(found.url, head)
    assert answer.startswith(b"HTTP/1.1 504")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "timed_out"


def test_beyond_loopback_any_name_will_do_unless_some_are_given(serve, mien_home, tmp_path):
    with serve(wait=False, server={"host": "0.0.0.0"}) as anywhere:
        assert status_under(anywhere, "any.example") == 401, "but a key is needed"
    with served(
        tmp_path / "named", mien_home, wait=False, server={"host": "0.0.0.0", "hosts": ("ours",)}
    ) as named:
        assert [status_under(named, host) for host in ("ours", "any.example", "localhost")] == [401, 403, 401]
