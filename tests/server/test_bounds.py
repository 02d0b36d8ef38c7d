"""What one sender, or many together, must not be able to do to the server."""

import asyncio
import base64
import threading
import time

import numpy as np
import PIL.Image
import pytest

from mien.core.analysis import Analysis
from mien.core.faces import Faces
from mien.core.image import Image
from mien.server.batching import Batcher, Limits, without_pixels
from mien.server.guarding import Guarding
from mien.serving import Serving
from server.people import encoded, photograph


def test_json_besides_photographs_is_small(server):
    lists = b'{"photo": "aaaa", "x": [' + b"[]," * 500_000 + b"[]]}"
    begun = time.monotonic()
    answer = server.client.post("/v1/detect", content=lists, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    # Decoded, it would have taken longer than this by far on any machine that passes the other tests.
    assert time.monotonic() - begun < 10
    answer = server.client.post("/v1/collections", content=b'{"name": "' + b"a" * 2_000_000 + b'"}')
    assert answer.json()["error"]["code"] == "body_too_large"
    # The photograph itself may be large.
    large = encoded(PIL.Image.effect_noise((1500, 1200), 80), "PNG")
    assert len(large) > 1_200_000
    sent = {"photo": base64.b64encode(large).decode(), "columns": "box"}
    assert server.client.post("/v1/analyze", json=sent).status_code == 200


@pytest.mark.parametrize("charset", ["utf-7", "utf-16-le", "unicode_escape", "punycode", "no-such"])
def test_a_form_in_an_odd_coding_is_refused_or_read(server, charset):
    body = b'--B\r\ncontent-disposition: form-data; name="name"\r\n\r\n+2AA-\\ud800\r\n--B--\r\n'
    kind = f"multipart/form-data; boundary=B; charset={charset}"
    server.client.post("/v1/collections", json={"name": "odd"})
    for path in ("/v1/jobs", "/v1/collections/odd/people", "/v1/collections/odd/cases"):
        headers = {"content-type": kind, "idempotency-key": f"{charset}{path}"}
        answer = server.client.post(path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500, answer.text


def test_what_no_database_takes_is_nobody(server):
    assert server.client.get("/v1/collections/a%00b/people").status_code == 404
    server.client.post("/v1/collections", json={"name": "here"})
    for cursor in ("AA==", base64.urlsafe_b64encode(b"zz").decode()):
        answer = server.client.get("/v1/collections/here/people", params={"cursor": cursor})
        assert answer.status_code == 400


def test_what_is_found_holds_no_pixels(server):
    answers = []

    async def look():
        batcher = Batcher(lambda images, _columns: [found(one) for one in images], Limits())
        try:
            image = Image(np.full((60, 40, 3), 9, np.uint8), "upload:a", digest="d")
            answers.append(await batcher.look(lambda: image, 2400, ("box",), without_pixels))
        finally:
            await asyncio.to_thread(batcher.close)

    def found(image):
        return Analysis(image, Faces.empty(image.size_wh))

    asyncio.run(look())
    (kept,) = answers
    assert kept.image.rgb.size == 3
    assert (kept.image.original_wh, kept.source, kept.image.digest) == ((40, 60), "upload:a", "d")


def test_pixels_have_their_room_until_something_was_made_of_them():
    inside, most, turn = [0], [0], threading.Lock()

    def making(analysis):
        with turn:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        with turn:
            inside[0] -= 1
        return analysis.source

    async def look():
        limits = Limits(pixels=200, decoders=8, wait_s=0)
        batcher = Batcher(
            lambda images, _columns: [Analysis(one, Faces.empty(one.size_wh)) for one in images], limits
        )
        image = Image(np.zeros((10, 10, 3), np.uint8), "a")
        try:
            looks = [batcher.look(lambda: image, 100, ("box",), making) for _ in range(12)]
            return await asyncio.gather(*looks)
        finally:
            await asyncio.to_thread(batcher.close)

    assert asyncio.run(look()) == ["a"] * 12
    assert most[0] == 2


def test_a_defect_is_told_of_and_fails_one_photograph_only():
    told = []

    def looking(images, _columns):
        for image in images:
            if image.source == "odd":
                raise ZeroDivisionError
            yield Analysis(image, Faces.empty(image.size_wh))

    async def look():
        batcher = Batcher(looking, Limits(wait_s=0.2), defect=told.append)
        images = [Image(np.zeros((2, 2, 3), np.uint8), name) for name in ("a", "odd", "b", "c")]
        try:
            looks = [batcher.look(lambda one=one: one, 4, ("box",), without_pixels) for one in images]
            return await asyncio.gather(*looks, return_exceptions=True)
        finally:
            await asyncio.to_thread(batcher.close)

    results = asyncio.run(look())
    assert [getattr(one, "source", None) for one in results] == ["a", None, "b", "c"]
    assert "ZeroDivisionError" in str(results[1])
    assert {type(one) for one in told} == {ZeroDivisionError}


def test_bodies_of_many_requests_have_an_end_together():
    serving = Serving(max_body_bytes=1000, timeout_s=5)
    statuses, held = [], asyncio.Event

    async def run():
        gate = held()

        async def app(scope, receive, send):
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        guarded = Guarding(refusing(app), serving)

        async def ask():
            parts = iter([b"x" * 900, b""])

            async def receive():
                part = next(parts)
                if not part:
                    await gate.wait()
                return {"type": "http.request", "body": part, "more_body": bool(part)}

            async def send(message):
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])
                    if message["status"] == 503:
                        gate.set()

            scope = {
                "type": "http",
                "scheme": "http",
                "method": "POST",
                "path": "/v1/detect",
                "headers": [(b"host", b"localhost")],
                "state": {},
            }
            await guarded(scope, receive, send)

        await asyncio.gather(*(ask() for _ in range(5)))
        # Room is given back.
        await ask()

    asyncio.run(run())
    assert sorted(statuses) == [200] * 5 + [503]


def refusing(app):
    from mien.errors import MienError
    from mien.server.failing import error_answer

    async def wrapped(scope, receive, send):
        try:
            await app(scope, receive, send)
        except MienError as error:
            await error_answer(error, scope)(scope, receive, send)

    return wrapped


def test_the_store_is_not_told_to_those_who_ask(serve, monkeypatch):
    from mien.errors import StoreLocked

    with serve(wait=False, store="memory") as found:
        found.client.post("/v1/collections", json={"name": "a"})

        def locked(*_args, **_kwargs):
            raise StoreLocked("postgresql://user@secret/db is locked.")

        monkeypatch.setattr(found.service, "known", locked)
        answer = found.client.get("/v1/collections/a/people")
        assert answer.status_code == 503
        assert "secret" not in answer.text
        assert int(answer.headers["retry-after"]) >= 1


def test_nobody_is_locked_out_and_the_door_does_not_open_by_itself(serve):
    with serve(wait=False, store="memory") as found:
        for first in (
            {"scopes": ["detect"]},
            {"scopes": ["admin"], "collections": ["a"]},
            {"scopes": ["admin"], "expires": "2999-01-01"},
        ):
            assert found.client.post("/v1/keys", json={"name": "x", **first}).status_code == 403
        made = found.client.post("/v1/keys", json={"name": "x", "scopes": ["admin"]}).json()
        mine = {"x-api-key": made["key"]}
        assert found.client.delete(f"/v1/keys/{made['id']}", headers=mine).status_code == 403
        found.client.post("/v1/keys", json={"name": "y", "scopes": ["admin"]}, headers=mine)
        assert found.client.delete(f"/v1/keys/{made['id']}", headers=mine).status_code == 204
        limited = found.key("admin", collections=["a"])
        assert found.client.get("/v1/system", headers=limited).json()["store"] is None


def test_a_failure_says_which_photograph_it_was(server):
    files = {"photo_a": ("first.jpg", photograph("Grace")), "photo_b": ("second.jpg", b"no picture")}
    message = server.client.post("/v1/verify", files=files).json()["error"]["message"]
    assert "second.jpg" in message
