"""Requests that no client sends: answered or ended, never left hanging."""

import pytest

from server.people import photograph
from server.sockets import say

GRACE = photograph("Grace")


def get(address=b"/v1/health/live", *more, version=b"HTTP/1.1", method=b"GET", host=b"Host: localhost"):
    lines = [b" ".join((method, address, version)), host, *more, b"Connection: close"]
    return b"\r\n".join([one for one in lines if one] + [b"", b""])


def post(header, body=b""):
    return get(b"/v1/detect", b"Content-Type: image/jpeg", header, method=b"POST") + body


CHUNKS = b"Transfer-Encoding: chunked"
UPGRADE = (
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)
# What is answered, in one of these ways; "" if the connection is just ended.
ODD = {
    "HTTP/1.0": (get(version=b"HTTP/1.0"), "200"),
    "absolute address": (get(b"http://localhost/v1/health/live"), "200"),
    "no host": (get(host=b""), "403"),
    "two hosts": (get(b"/v1/health/live", b"Host: evil.example"), "403"),
    "HTTP/9.9": (get(version=b"HTTP/9.9"), "400"),
    "no HTTP": (b"HELO localhost\r\n", "400"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300), "400"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
    "a method of nobody": (get(method=b"FROBNICATE"), "400"),
    "a tunnel": (get(b"evil.example:80", method=b"CONNECT"), "400"),
    "every address": (get(b"*", method=b"OPTIONS"), "404"),
    "a NUL in a header": (get(b"/v1/health/live", b"X: \x00"), "400"),
    "a NUL in the address": (get(b"/v1/\x00"), "400"),
    "an address that is none": (get(b"v1/me"), "400"),
    "percents that are none": (get(b"/v1/%zz%%%1"), "404"),
    "a header without a name": (get(b"/v1/health/live", b": x"), "400"),
    "a space before the colon": (get(host=b"Host : localhost"), "400"),
    "a header on two lines": (get(b"/v1/health/live", b"X: a", b" b"), "400"),
    "a length below nothing": (post(b"Content-Length: -1"), "400"),
    "a length that is none": (post(b"Content-Length: x"), "400"),
    "a length with a plus": (post(b"Content-Length: +5", b"hello"), "400"),
    "an endless length": (post(b"Content-Length: " + b"9" * 40), "400"),
    "two lengths": (post(b"Content-Length: 5\r\nContent-Length: 6", b"hello!"), "400"),
    "a length and chunks": (post(b"Content-Length: 5\r\n" + CHUNKS, b"0\r\n\r\n" + get()), "400"),
    "chunks of no size": (post(CHUNKS, b"zz\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunks that are longer than they say": (post(CHUNKS, b"2\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunks of 2**70": (post(CHUNKS, b"f" * 18 + b"\r\nhello"), "400"),
    "an encoding of nobody": (post(b"Transfer-Encoding: gzip, x", b"hello"), "400"),
    "compressed": (post(b"Content-Encoding: gzip\r\nContent-Length: 5", b"hello"), "422"),
    "an upgrade": (get(b"/v1/health/live", *UPGRADE, b"Connection: Upgrade"), "200"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_requests_are_answered_or_ended(server, name):
    request, status = ODD[name]
    got = say(server.url, request)
    assert (got.split()[1].decode() if got else "") == status
    # What would have been smuggled behind it is not answered.
    assert got.count(b"HTTP/1.1 ") <= 1
    assert server.client.get("/v1/health/live").status_code == 200


def test_requests_in_one_breath_are_answered_in_order(server):
    def ask(path):
        return b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"

    photo = b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(GRACE) + GRACE
    got = say(server.url, ask(b"/v1/health/live") + photo + ask(b"/nowhere") + photo + get(b"/v1/me"))
    statuses = [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"404", b"200", b"200"]


def test_hundreds_of_requests_in_one_breath(server):
    request = b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    got = say(server.url, request * 500 + get())
    assert got.count(b"HTTP/1.1 200") == 501
