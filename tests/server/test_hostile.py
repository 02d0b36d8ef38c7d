"""What hostile senders send: the server answers everybody else meanwhile, and holds no more than it may."""

import base64
import io
import random
import selectors
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import PIL.Image
import pytest

import hostile
from server.people import encoded, photograph
from server.process import serving
from server.sockets import answer, connect, say

UPLOADS = 10_000
GRACE = photograph("Grace")
TIMEOUT_S, HEAD_S = 6, 10
MB = 2**20
# Of the networks, and what they need for an ordinary photograph.
BASE = 600 * MB
# Decoders and networks take so much for a pixel at most (measured: 24, of WebP); there is room for so many.
PIXEL_BYTES, PIXELS = 32, 100_000_000
POST = b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def process(mien_home, tmp_path_factory):
    home = tmp_path_factory.mktemp("hostile") / "home"
    with serving(home, mien_home, MIEN_SERVER_TIMEOUT_S=str(TIMEOUT_S)) as found:
        yield found
        assert found.stop() == 0
        # Nothing of it was a mistake of ours.
        assert [line for line in found.lines() if line["level"] == "error" or line.get("status") == 500] == []
        assert "Traceback" not in found.said()


@pytest.fixture(autouse=True)
def survives(process):
    """Afterwards it answers, holds no connection of those who are gone, and no more memory than ever."""
    files = process.files()
    yield
    with process.client() as client:
        assert client.get("/v1/health/ready").status_code == 200
        detect(client)
        end = time.monotonic() + 20
        while process.files() > files + 5:
            assert time.monotonic() < end, "connections are left over"
            time.sleep(0.1)
        assert client.get("/v1/system").json()["queue"]["waiting"] == 0
    assert process.memory() < BASE + PIXELS * PIXEL_BYTES


@pytest.fixture
def client(process):
    with process.client() as found:
        yield found


def detect(client):
    answer = client.post("/v1/detect", files={"photo": GRACE})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["faces"]) == 1


@contextmanager
def takes_at_most(process, size):
    """Hold no more memory than this on top of what is held now."""
    process.forget_peak()
    before = process.memory()
    yield
    assert process.memory("VmHWM") - before < size


def test_hundreds_that_send_a_byte_now_and_then(process, client):
    heads = [b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nX-A: b"] * 200
    bodies = [POST + b"Content-Length: 100000\r\n\r\n"] * 100
    waiting, statuses = selectors.DefaultSelector(), []
    for begin in heads + bodies:
        connection = connect(process.url)
        connection.sendall(begin)
        connection.setblocking(False)
        waiting.register(connection, selectors.EVENT_READ)
    end, asked = time.monotonic() + HEAD_S + 15, 0
    while waiting.get_map():
        assert time.monotonic() < end, f"{len(waiting.get_map())} are waited for without end"
        detect(client)
        asked += 1
        for key, _ in waiting.select(0):
            said = b""
            with suppress(OSError):
                said = key.fileobj.recv(2**16)
            statuses += [said.split()[1]] if said else []
            waiting.unregister(key.fileobj)
            key.fileobj.close()
        for key in list(waiting.get_map().values()):
            with suppress(OSError):
                key.fileobj.send(b"y")
        time.sleep(0.2)
    assert asked > 10, "who asks properly is answered meanwhile"
    assert statuses == [b"504"] * len(bodies)


def mutated(content, chance):
    """A file with some of it changed, cut, doubled or replaced."""
    made = bytearray(content)
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(made) + 1)
        length = chance.choice((1, 2, 4, 50, 500))
        made[at : at + chance.choice((0, length))] = chance.choice(
            (b"", chance.randbytes(length), bytes(length), b"\xff" * length, bytes(made[:length]))
        )
    return bytes(made[: chance.choice((None, None, chance.randrange(len(made) + 1)))])


def sendings(folder, count):
    """Uploads of broken, hostile and odd files, in all three ways."""
    chance = random.Random(7)
    expected = hostile.build_hostile(folder)
    paths = [folder / name for name in sorted(expected)]
    contents = [path.read_bytes() for path in paths if path.is_file() and not path.is_symlink()]
    for number in range(count):
        content = contents[number % len(contents)]
        if number >= len(contents):
            content = mutated(content, chance)
        way = chance.randrange(4)
        if way == 0:
            yield {"content": content, "headers": {"content-type": "image/png"}}
        elif way == 1:
            yield {"json": {"photo": base64.b64encode(content).decode()}}
        else:
            name = chance.choice(("x.jpg", "../../etc/passwd", "a\0b", "面" * 300))
            yield {"files": {"photo": (name, content)}}


def test_thousands_of_malformed_uploads(process, client, tmp_path):
    def send(sending):
        return client.post("/v1/detect", **sending)

    with takes_at_most(process, 600 * MB), ThreadPoolExecutor(6) as pool:
        sent = list(sendings(tmp_path, UPLOADS))
        answers = list(pool.map(send, sent))
    assert {one.status_code for one in answers} == {200, 400, 413, 422}
    for sending, one in zip(sent, answers, strict=True):
        # A body of nothing is no photograph.
        assert (one.status_code == 400) == (sending.get("content") == b"")
        if one.status_code in {413, 422}:
            said = one.json()["error"]
            assert said["code"] in {"unreadable_image", "image_too_large"}
            assert said["message"].isprintable()
            assert len(one.content) < 5000


def test_malformed_forms_and_json(process, client):
    chance = random.Random(8)
    photo = encoded(PIL.Image.open(io.BytesIO(GRACE)).resize((40, 40)))
    form = (
        b'--b\r\nContent-Disposition: form-data; name="photo"; filename="x.jpg"\r\n\r\n' + photo + b"\r\n"
        b'--b\r\nContent-Disposition: form-data; name="columns"\r\n\r\nbox\r\n--b--\r\n'
    )
    json = b'{"photo": "' + base64.b64encode(photo) + b'", "columns": "box"}'
    kinds = {"multipart/form-data; boundary=b": form, "application/json": json}

    def send(number):
        kind = list(kinds)[number % 2]
        content, headers = mutated(kinds[kind], chance), {"content-type": kind}
        return client.post("/v1/analyze", content=content, headers=headers).status_code

    with takes_at_most(process, 300 * MB), ThreadPoolExecutor(6) as pool:
        statuses = set(pool.map(send, range(UPLOADS // 4)))
    assert statuses <= {200, 400, 413, 422}
    assert {200, 400} <= statuses


@pytest.mark.parametrize("way", ["with its length", "in chunks"])
def test_a_gigabyte(process, way):
    piece = bytes(MB)
    chunk = f"{MB:x}\r\n".encode() + piece + b"\r\n"
    length, chunks = b"Content-Length: %d\r\n\r\n" % 2**30, b"Transfer-Encoding: chunked\r\n\r\n"
    got, sent, begun = b"", 0, time.monotonic()
    # A body is joined once it is whole: for a moment it is there twice.
    with takes_at_most(process, 250 * MB), connect(process.url) as connection:
        connection.sendall(POST + (length if way == "with its length" else chunks))
        connection.setblocking(False)
        left = b""
        while sent < 2**30:
            assert time.monotonic() - begun < HEAD_S + 20, "it is read for ever"
            left = left or (piece if way == "with its length" else chunk)
            with selectors.DefaultSelector() as ready:
                ready.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
                ready.select(5)
            try:
                with suppress(BlockingIOError):
                    read = connection.recv(2**16)
                    got += read
                    if not read:
                        break
                with suppress(BlockingIOError):
                    count = connection.send(left)
                    sent, left = sent + count, left[count:]
            except OSError:
                break
            if got:
                time.sleep(0.01)  # the answer is there; whoever goes on sending does so in vain
        else:
            connection.settimeout(HEAD_S + 10)
            got += answer(connection)
    assert got.startswith(b"HTTP/1.1 413")
    assert b"body_too_large" in got


def huge():
    """Small files of which each claims to be a picture of many gigabytes, and what is said to them."""
    yield from ((name, content) for name, content, _ in hostile.bombs())
    frames = [PIL.Image.new("P", (300, 300), i % 256) for i in range(1500)]
    yield "frames.gif", encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    small, *more = (PIL.Image.new("RGB", (200, 200), (i % 256, 0, 0)) for i in range(200))
    for kind, options in (("WEBP", {"lossless": True, "method": 0}), ("TIFF", {"compression": "tiff_lzw"})):
        yield f"frames.{kind.lower()}", encoded(small, kind, save_all=True, append_images=more, **options)


def test_small_files_that_claim_to_be_large(process, client):
    with takes_at_most(process, 500 * MB):
        statuses = {
            name: client.post("/v1/detect", files={"photo": content}).status_code for name, content in huge()
        }
    assert set(statuses.values()) == {200, 413, 422}
    assert {statuses[f"frames.{kind}"] for kind in ("gif", "webp", "tiff")} == {200}
    assert {statuses[f"bomb.{kind}"] for kind in ("png", "webp", "gif", "tif", "jpg")} == {413}


def test_frames_beyond_the_screen_take_their_room(process, client):
    """A GIF of a pixel whose frame has fifty million: by its screen, all would come in at once."""
    whole = encoded(PIL.Image.new("P", (10_000, 5_000)), "GIF")
    liar = whole[:6] + struct.pack("<HH", 1, 1) + whole[10:]
    assert len(liar) < 200_000
    process.forget_peak()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/detect", files={"photo": liar}), range(10)))
    assert {one.status_code for one in answers} <= {200, 504}
    assert process.memory("VmHWM") < BASE + PIXELS * PIXEL_BYTES


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_as_many_pixels_as_may_be_in_many_requests_at_once(process, client, kind):
    picture = PIL.Image.new("RGB", (10_000, 5_000), (120, 130, 140))
    content = encoded(picture, kind, quality=50, **({"method": 0} if kind == "WEBP" else {}))
    process.forget_peak()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/detect", files={"photo": content}), range(8)))
        # Some may have waited too long: that is said, and they are not worked on any more.
        assert {one.status_code for one in answers} <= {200, 504}
        assert any(one.status_code == 200 for one in answers)
    assert process.memory("VmHWM") < BASE + PIXELS * PIXEL_BYTES


def test_heads_without_end(process):
    with takes_at_most(process, 100 * MB):
        for flood in (b"X-A: " + b"y" * 8000 + b"\r\n", b"y" * 8192, b"a:b\r\n" * 1600):
            got = say(process.url, b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\n", *[flood] * 20_000)
            assert got == b"" or got.startswith(b"HTTP/1.1 4")


def test_requests_that_are_given_up_half_way(process, client):
    chance = random.Random(9)
    form = client.build_request("POST", "/v1/detect", files={"photo": photograph("Grace", 600)})
    body = form.read()
    head = b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\n" + b"".join(
        f"{name}: {form.headers[name]}\r\n".encode() for name in ("content-type", "content-length")
    )
    whole = head + b"\r\n" + body
    for number in range(200):
        with connect(process.url) as connection:
            connection.sendall(whole[: chance.randrange(len(whole))] if number % 4 else whole)
            if number % 3 == 0:  # without a farewell
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    detect(client)
    gone = [line for line in process.lines() if line.get("status") == 499]
    assert len(gone) > 50
