"""Who keeps the server waiting is let go; who only takes a while is not."""

import socket
import time

import PIL.Image
import pytest

from mien.server import patience
from server.people import encoded, photograph

HEAD = b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\n"
HEAD_S = 1.0


@pytest.fixture
def connect(server, monkeypatch):
    """Open a connection to a server that is less patient than usual."""
    monkeypatch.setattr(patience, "_HEAD_S", HEAD_S)
    host, _, port = server.url.removeprefix("http://").partition(":")
    opened = []

    def connected():
        opened.append(socket.create_connection((host, int(port)), 20))
        return opened[-1]

    yield connected
    for one in opened:
        one.close()


def answer(connection):
    """What is answered, until it is whole."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            return got
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def is_ended(connection, *, sending=b"", every_s=0.1, within_s=10):
    """Whether the server ends a connection, although something is sent on it now and then."""
    connection.settimeout(every_s)
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if connection.recv(65536) == b"":
                return True
        except TimeoutError:
            pass
        except OSError:
            return True
        try:
            connection.send(sending)
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    ("first", "trickle"),
    [(b"", b""), (b"", b"\r\n"), (b"G", b""), (HEAD, b""), (HEAD, b"X: y\r\n"), (HEAD + b"X: ", b"y")],
    ids=["nothing", "empty lines", "a letter", "half a head", "header after header", "a header without end"],
)
def test_a_head_that_does_not_end_is_not_waited_for(connect, first, trickle):
    connection = connect()
    connection.sendall(first)
    assert is_ended(connection, sending=trickle)


@pytest.mark.parametrize(
    "trickle", [b"", b"\r\n", b"G", b"X"], ids=["nothing", "empty lines", "heads", "noise"]
)
def test_nor_is_the_next_one(connect, trickle):
    connection = connect()
    for _ in range(2):
        connection.sendall(HEAD + b"\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 200")
    connection.sendall(trickle)
    assert is_ended(connection, sending=trickle[:1])


def test_what_is_left_of_a_request_that_was_refused_is_not_waited_for(connect):
    connection = connect()
    connection.sendall(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
    assert answer(connection).startswith(b"HTTP/1.1 404")
    assert is_ended(connection, sending=b"x")


def test_a_connection_is_kept_as_long_as_requests_come(connect):
    connection, end = connect(), time.monotonic() + 3 * HEAD_S
    while time.monotonic() < end:
        connection.sendall(HEAD + b"\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 200")
        time.sleep(HEAD_S / 3)


def test_a_head_in_pieces_is_read(connect):
    connection = connect()
    for piece in (HEAD[:9], HEAD[9:30], HEAD[30:], b"\r", b"\n"):
        connection.sendall(piece)
        time.sleep(HEAD_S / 12)
    assert answer(connection).startswith(b"HTTP/1.1 200")


def test_what_takes_longer_than_a_head_may_is_answered(connect, server, monkeypatch):
    really = server.service.decode

    def slowly(upload):
        time.sleep(2 * HEAD_S)
        return really(upload)

    monkeypatch.setattr(server.service, "decode", slowly)
    connection, photo = connect(), photograph("Grace")
    head = b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(photo) + photo
    # The second one waits behind the first, with its head already read.
    connection.sendall(request + request)
    assert answer(connection).startswith(b"HTTP/1.1 200")
    assert answer(connection).startswith(b"HTTP/1.1 200")


def test_a_body_may_take_longer_than_a_head(connect):
    connection, photo = connect(), photograph("Grace")
    connection.sendall(
        b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
        b"Content-Length: %d\r\n\r\n" % len(photo)
    )
    for i in range(0, len(photo), 2000):
        connection.sendall(photo[i : i + 2000])
        time.sleep(HEAD_S / 3)
    assert answer(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "flood",
    [
        b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(400)),
        b"X: " + b"y" * 400_000,
        b"Y" * 400_000,
    ],
    ids=["many headers", "a long header", "a long name"],
)
def test_a_head_that_is_too_long_ends_the_connection(connect, flood, monkeypatch):
    monkeypatch.setattr(patience, "_HEAD_S", 60)
    connection = connect()
    try:
        connection.sendall(HEAD)
        for i in range(0, len(flood), 10_000):
            connection.sendall(flood[i : i + 10_000])
            time.sleep(0.001)
    except OSError:
        return
    assert is_ended(connection)


def test_a_long_address_ends_the_connection_too(connect, monkeypatch):
    monkeypatch.setattr(patience, "_HEAD_S", 60)
    connection = connect()
    try:
        for piece in (b"GET /", *[b"x" * 10_000] * 40):
            connection.sendall(piece)
            time.sleep(0.001)
    except OSError:
        return
    assert is_ended(connection)


def test_a_head_of_a_usual_length_is_read(connect):
    connection = connect()
    connection.sendall(HEAD + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 400) for i in range(100)) + b"\r\n")
    assert answer(connection).startswith(b"HTTP/1.1 200")


def noise_photograph(rng):
    """A photograph whose PNG is much larger than what a connection holds."""
    return encoded(PIL.Image.fromarray(rng.integers(0, 256, (2000, 2000, 3)).astype("uint8")), quality=85)


def ask_for_much(connection, photo):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    connection.sendall(
        b"POST /v1/anonymise HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
        b"Content-Length: %d\r\n\r\n" % len(photo) + photo
    )


def received(connection):
    """How long an answer is and how much of it is left, as it comes, until the connection ends."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(2**16)
        assert piece
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.startswith(b"content-length"))
    left = length - len(body)
    yield length, left
    try:
        while left and (piece := connection.recv(2**20)):
            left -= len(piece)
            yield length, left
    except OSError:
        return


@pytest.fixture
def impatient_reader(monkeypatch):
    monkeypatch.setattr(patience, "_READ_S", 0.5)
    monkeypatch.setattr(patience, "_HEAD_S", 60)


def test_an_answer_that_nobody_reads_is_given_up(connect, rng, impatient_reader):
    connection = connect()
    ask_for_much(connection, noise_photograph(rng))
    reading = received(connection)
    next(reading)
    time.sleep(2)
    length, left = list(reading)[-1]
    assert left > length / 4, "all of it was kept for somebody who did not read"


def test_an_answer_that_is_read_slowly_is_not(connect, rng, impatient_reader, monkeypatch):
    monkeypatch.setattr(patience, "_READ_S", 1.5)
    connection = connect()
    ask_for_much(connection, noise_photograph(rng))
    slow_until = time.monotonic() + 4
    parts = []
    for part in received(connection):
        parts.append(part)
        if time.monotonic() < slow_until:
            time.sleep(0.02)
    assert parts[0][0] > 8_000_000
    assert parts[-1][1] == 0


def test_connections_too_many_are_told_so(server, connect, monkeypatch):
    monkeypatch.setattr(patience, "MOST_CONNECTIONS", 3)
    first, *_ = held = [connect() for _ in range(3)]
    for one in held:
        one.sendall(HEAD + b"\r\n")
        assert answer(one).startswith(b"HTTP/1.1 200")
    late = connect()
    late.sendall(HEAD + b"\r\n")
    told = answer(late)
    assert told.startswith(b"HTTP/1.1 503")
    assert b'"code":"overloaded"' in told
    assert b"retry-after: 5" in told
    assert is_ended(late)
    first.close()
    time.sleep(0.2)
    again = connect()
    again.sendall(HEAD + b"\r\n")
    assert answer(again).startswith(b"HTTP/1.1 200")
