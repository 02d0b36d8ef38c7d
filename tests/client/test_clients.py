"""Answers, repetitions, lists, events and procedures; both clients."""

import asyncio
import json
import logging
import subprocess
import sys
import threading

import httpx
import pytest

import mien.client
from mien.answers.service import AliveRow
from mien.client import AsyncClient, Client, Photograph, Refused, Retries
from mien.client import calls as asked
from mien.errors import (
    JobUnknown,
    Overloaded,
    PersonUnknown,
    RequestInProgress,
    ServerUnreachable,
    TimedOut,
    UnreadableImage,
)

NOW = Retries(again=3, first_s=0)
KEY = "mien_0123456789abc_" + "s" * 43
LIVE = {"status": "live"}
ENROLLED = {"person": "Ada", "person_id": "p1", "faces": ["f1"]}
PERSON = {
    "id": "p1",
    "name": "Ada",
    "tags": [],
    "metadata": {},
    "consent_note": "",
    "consent_until": "2031-02-03",
    "faces": 1,
    "created": "2030-01-01T00:00:00Z",
    "version": 2,
}
COLLECTION = {
    "id": "c1",
    "people": 1,
    "faces": 2,
    "unsearchable": 0,
    "embedder": "e",
    "space": "s",
    "next_space": None,
}


def job(state="running", done=0, **more):
    return {
        "id": "j1",
        "kind": "analyze",
        "collection": None,
        "state": state,
        "owner": "local",
        "done": done,
        "failed": 0,
        "total": 3,
        "created": "2031-02-03T04:05:06Z",
        "started": None,
        "finished": None,
        **more,
    }


def event(name, row):
    return f"event: {name}\ndata: {json.dumps(row)}\n\n".encode()


@pytest.fixture
def pauses(monkeypatch):
    """Pauses that were made, and none that are waited for."""
    made = []

    async def pause(seconds):
        made.append(seconds)

    monkeypatch.setattr("mien.client.blocking.time.sleep", made.append)
    monkeypatch.setattr("mien.client.asynchronous.asyncio.sleep", pause)
    return made


def test_answers_are_structs(connect, server, answering):
    told = server(answering(200, LIVE))
    assert connect(transport=told.transport).live() == AliveRow("live")


def test_ready_is_answered_before_it_is_true(connect, server, answering):
    told = server(answering(503, {"status": "starting"}, retry_after="1"))
    assert connect(transport=told.transport).ready() == AliveRow("starting")
    assert len(told.requests) == 1


def test_nothing_and_something_forgotten(connect, server, answering):
    told = {"people": ["p1"], "faces": 2, "backups": [], "unreached": ["/backup.db"]}
    told = server(answering(204), answering(200, told))
    client = connect(transport=told.transport)
    assert client.people.forget("Ada") is None
    left = client.people.forget("Ada")
    assert (left.people, left.faces, left.unreached) == (("p1",), 2, ("/backup.db",))


def test_pictures_come_as_bytes(connect, server, answering):
    told = server(answering(200, b"\x89PNG", content_type="image/png"))
    found = connect(transport=told.transport).anonymise(b"x")
    assert (found.media_type, found.content) == ("image/png", b"\x89PNG")


def test_errors_are_those_of_this_machine_and_tell_more(connect, server, refusing):
    details = {"fields": [{"field": "name", "message": "too long"}]}
    told = server(refusing(404, "person_unknown", details))
    with pytest.raises(PersonUnknown) as caught:
        connect(transport=told.transport).people.get("Ada")
    assert isinstance(caught.value, Refused)
    assert (caught.value.status, caught.value.request_id) == (404, "r-1")
    assert caught.value.details == details
    assert len(told.requests) == 1


def test_a_redirection_is_not_followed(connect, server, answering):
    told = server(answering(307, b"", location="https://thief.example/"))
    with pytest.raises(ServerUnreachable, match="points to") as caught:
        connect(key=KEY, transport=told.transport).me()
    assert caught.value.status == 307
    assert len(told.requests) == 1


def test_writes_are_repeated_under_one_key(connect, server, answering, refusing, pauses, parts):
    told = server(
        httpx.ReadError("gone"),
        refusing(409, "request_in_progress"),
        refusing(503, "store_locked", retry_after="2"),
        answering(201, ENROLLED),
    )
    client = connect(transport=told.transport, retries=Retries(again=3, first_s=8, longest_s=100))
    assert client.people.enroll([b"1", b"2"], "Ada").person_id == "p1"
    assert len(told.requests) == 4
    assert len({request.headers["idempotency-key"] for request in told.requests}) == 1
    sent = [[part[3] for part in parts(request)] for request in told.requests]
    assert sent == [[b"Ada", b"1", b"2"]] * 4
    least = [4, 8, 2 + 16]
    assert all(low <= pause <= 2 * low for low, pause in zip(least, pauses, strict=True))
    client.people.enroll(b"1", "Ada")
    keys = [request.headers["idempotency-key"] for request in told.requests]
    assert keys[-1] != keys[0]


def test_a_key_of_ones_own_is_sent(connect, server, answering):
    told = server(answering(201, ENROLLED))
    client = connect(transport=told.transport)
    client.send(asked.people.enroll(b"1", "Ada").keyed("file 7"))
    assert told.requests[0].headers["idempotency-key"] == "file 7"


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.people.edit("p1", name="Ada"),
        lambda c: c.keys.edit("k1", name="Ada"),
        lambda c: c.keys.rotate("k1"),
    ],
)
@pytest.mark.parametrize("trouble", ["broken", "busy"])
def test_what_is_not_safe_is_not_repeated(act, trouble, connect, server, refusing):
    answer, kind = {
        "broken": (httpx.ReadError("gone"), ServerUnreachable),
        "busy": (refusing(503, "overloaded"), Overloaded),
    }[trouble]
    told = server(answer)
    with pytest.raises(kind):
        act(connect(transport=told.transport, retries=NOW))
    assert len(told.requests) == 1
    assert "idempotency-key" not in told.requests[0].headers


def test_what_never_arrived_is_repeated_always(connect, server, answering):
    told = server(httpx.ConnectError("refused"), httpx.ConnectTimeout(""), answering(200, PERSON))
    found = connect(transport=told.transport, retries=NOW).people.edit("p1", name="Ada")
    assert (found.version, found.consent_until.isoformat()) == (2, "2031-02-03")
    assert len(told.requests) == 3


def test_in_the_end_it_is_given_up(connect, server):
    told = server(httpx.ConnectError("refused"))
    with pytest.raises(ServerUnreachable, match="cannot be reached: refused") as caught:
        connect(transport=told.transport, retries=NOW).live()
    assert len(told.requests) == 4
    assert not isinstance(caught.value, Refused)
    assert caught.value.__cause__ is None


def test_who_was_too_slow_is_not_asked_again(connect, server):
    told = server(httpx.ReadTimeout("slow"))
    with pytest.raises(TimedOut):
        connect(transport=told.transport, retries=NOW).live()
    assert len(told.requests) == 1


def test_a_photograph_that_cannot_be_read_is_not_sent(connect, server):
    told = server(AssertionError("nothing is to be sent"))
    with pytest.raises(UnreadableImage):
        connect(transport=told.transport).verify(b"x", "/nowhere/b.jpg")
    assert told.requests == []


def test_lists_are_read_as_far_as_they_are_wanted(connect, server, answering):
    def part(names, following):
        return answering(200, {"items": [{"name": name, **COLLECTION} for name in names], "next": following})

    told = server(part("ab", "one two"), part("", "3"), part("c", None))
    found = connect(transport=told.transport).collections.list()
    assert told.requests == []
    assert next(found).name == "a"
    assert next(found).name == "b"
    assert len(told.requests) == 1
    assert [one.name for one in found] == ["c"]
    cursors = [request.url.params.get("cursor") for request in told.requests]
    assert cursors == [None, "one two", "3"]


def test_arguments_of_lists_are_kept_on_every_page(connect, server, answering):
    told = server(answering(200, {"items": [], "next": "2"}), answering(200, {"items": [], "next": None}))
    assert list(connect(transport=told.transport).people.list(tags=["a", "b"])) == []
    assert [request.url.params.get_list("tag") for request in told.requests] == [["a", "b"]] * 2


def test_events_are_followed_to_the_end(connect, server, answering):
    body = b": hello\n\nid: 7\nretry: 5\n" + event("progress", job(done=1)) + b"data:\n\n"
    body += b"event:progress\r\ndata:{\r\ndata:" + event("x", job(done=2)).split(b"data: {")[1]
    body += event("end", job("done", 3)) + event("progress", job(done=9))
    told = server(answering(200, body, content_type="text/event-stream"))
    found = list(connect(transport=told.transport).jobs.events("j1"))
    assert [(one.state, one.done) for one in found] == [("running", 1), ("running", 2), ("done", 3)]
    assert len(told.requests) == 1


class Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that breaks off, or that says nothing."""

    def __init__(self, content, error):
        self.content, self.error = content, error

    def __iter__(self):
        yield self.content
        raise self.error

    async def __aiter__(self):
        yield self.content
        raise self.error


def streams(*bodies):
    waiting = list(bodies)
    requests = []

    def answer(request):
        requests.append(request)
        return httpx.Response(200, stream=waiting.pop(0))

    return httpx.MockTransport(answer), requests


def test_events_go_on_over_another_connection(connect, pauses):
    transport, requests = streams(
        Breaking(event("progress", job(done=1)) + b"event: end\nda", httpx.ReadError("gone")),
        Breaking(b"", httpx.ReadTimeout("silence")),
        Breaking(b"", httpx.RemoteProtocolError("gone")),
        Breaking(event("progress", job(done=2)), httpx.ReadError("gone")),
        httpx.ByteStream(b"data: " + event("end", job("done", 3)).split(b"data: ")[1]),
        httpx.ByteStream(event("end", job("done", 3))),
    )
    client = connect(transport=transport, retries=Retries(again=2, first_s=1))
    found = list(client.jobs.events("j1"))
    assert [one.done for one in found] == [1, 2, 3, 3]
    assert len(requests) == 6
    assert len(pauses) == 5
    assert pauses[1] == 0  # silence is no fault


def test_events_that_break_off_again_and_again_are_given_up(connect, pauses):
    transport, requests = streams(*[Breaking(b"", httpx.ReadError("gone")) for _ in range(9)])
    client = connect(transport=transport, retries=Retries(again=2, first_s=1))
    with pytest.raises(ServerUnreachable, match="broke off: gone"):
        list(client.jobs.events("j1"))
    assert len(requests) == 3
    transport, requests = streams(*[httpx.ByteStream(b"") for _ in range(9)])
    with pytest.raises(ServerUnreachable, match="before their end"):
        list(connect(transport=transport, retries=Retries(again=1)).jobs.events("j1"))
    assert len(requests) == 2


def test_events_of_an_unknown_job(connect, server, refusing):
    told = server(refusing(404, "job_unknown"))
    with pytest.raises(JobUnknown):
        list(connect(transport=told.transport).jobs.events("j1"))


def test_nobody_waits_longer_than_told(connect):
    def answer(request):
        patience.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, stream=Breaking(event("progress", job()), httpx.ReadTimeout("")))

    patience = []
    client = connect(transport=httpx.MockTransport(answer))
    with pytest.raises(TimedOut, match=r"within 0\.05 s") as caught:
        client.jobs.wait("j1", timeout_s=0.05)
    assert "goes on" in caught.value.hint
    assert 0.05 >= patience[0] > patience[-1] > 0


def test_waiting_ends_with_the_job_as_it_is(connect):
    def answer(request):
        if request.url.path.endswith("/events"):
            return httpx.Response(200, content=b"event: end\ndata:\n\n")
        return httpx.Response(200, content=json.dumps(job("failed", 2)))

    found = connect(transport=httpx.MockTransport(answer)).jobs.wait("j1")
    assert (found.state, found.done) == ("failed", 2)


class Jobs:
    """Enough of a server of jobs to send photographs to."""

    def __init__(self, parts, fail_at=None):
        self.parts, self.fail_at = parts, fail_at
        self.portions, self.asked = [], []

    def __call__(self, request):
        self.asked.append(f"{request.method} {request.url.path}")
        if request.url.path.endswith("/photographs"):
            self.portions.append([part[1] for part in self.parts(request)])
            if len(self.portions) == self.fail_at:
                error = {"error": {"code": "body_too_large", "message": "No.", "hint": ""}, "request_id": ""}
                return httpx.Response(413, content=json.dumps(error))
        if request.method == "DELETE":
            return httpx.Response(204)
        state = "queued" if request.url.path.endswith("/start") else "waiting"
        return httpx.Response(202, content=json.dumps(job(state)))


def test_many_photographs_are_sent_in_portions(connect, parts):
    told = Jobs(parts)
    photos = (Photograph(b"x", f"Ada/{n}.jpg") for n in range(60))
    made = connect(transport=httpx.MockTransport(told)).jobs.run("enroll", photos, collection="staff")
    assert made.state == "queued"
    assert [len(portion) for portion in told.portions] == [25, 25, 10]
    assert [name for portion in told.portions for name in portion] == [f"Ada/{n}.jpg" for n in range(60)]
    assert told.asked == ["POST /v1/jobs", *["POST /v1/jobs/j1/photographs"] * 3, "POST /v1/jobs/j1/start"]


def test_large_photographs_make_small_portions(connect, parts):
    told = Jobs(parts)
    photos = [bytes(7 * 1024 * 1024)] * 3 + [bytes(20 * 1024 * 1024)] + [b"x"]
    connect(transport=httpx.MockTransport(told)).jobs.run("analyze", photos)
    assert [len(portion) for portion in told.portions] == [2, 1, 1, 1]


def test_a_job_whose_photographs_cannot_be_sent_is_forgotten(connect, parts):
    told = Jobs(parts, fail_at=2)
    with pytest.raises(Refused) as caught:
        connect(transport=httpx.MockTransport(told)).jobs.run("analyze", [b"x"] * 60)
    assert caught.value.status == 413
    assert told.asked[-1] == "DELETE /v1/jobs/j1"
    told = Jobs(parts)
    with pytest.raises(UnreadableImage):
        connect(transport=httpx.MockTransport(told)).jobs.run("analyze", [b"x", "/nowhere.jpg"])
    assert told.asked == ["POST /v1/jobs", "DELETE /v1/jobs/j1"]


def test_keys_and_names_are_shown_nowhere(connect, server, refusing, caplog):
    told = server(refusing(403, "forbidden"))
    with caplog.at_level(logging.DEBUG):
        client = connect("https://mien.example", KEY, transport=told.transport)
        with pytest.raises(Refused) as caught:
            client.people.enroll(b"x", "Ada")
    shown = repr(client) + repr(client.people) + repr(caught.value) + caplog.text
    assert "s" * 43 not in shown
    assert "Ada" not in shown
    assert "https://mien.example" in repr(client)


def test_without_the_extra_it_says_what_to_install():
    code = """if True:
        import sys
        sys.modules["httpx"] = None
        import mien.client
        from mien.errors import ExtraMissing
        mien.client.Photograph(b"x", "a.jpg")
        for name in ("Client", "AsyncClient"):
            try:
                getattr(mien.client, name)
            except ExtraMissing as error:
                print(error.hint)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'mien[client]'") == 2


def test_the_door_has_no_other_names():
    with pytest.raises(AttributeError, match="Clientt"):
        getattr(mien.client, "Clientt")  # noqa: B009 - not known to be missing
    assert {"AsyncClient", "Client", "Refused"} <= set(dir(mien.client))


def test_a_client_closes(server, answering):
    told = server(answering(200, LIVE))
    with Client("http://localhost", transport=told.transport) as client:
        client.live()
    with pytest.raises(RuntimeError, match="closed"):
        client.live()

    async def briefly():
        async with AsyncClient("http://localhost", transport=told.transport) as open_client:
            await open_client.live()
        with pytest.raises(RuntimeError, match="closed"):
            await open_client.live()

    asyncio.run(briefly())


def test_questions_are_asked_at_a_time():
    """Sixteen photographs are out before the first answer comes."""
    out, all_out = [], asyncio.Event()

    async def answer(request):
        out.append(request)
        if len(out) == 16:
            all_out.set()
        await asyncio.wait_for(all_out.wait(), 20)
        return httpx.Response(200, content=b'{"source": "", "faces": []}')

    async def ask():
        async with AsyncClient("http://localhost", transport=httpx.MockTransport(answer)) as client:
            return await asyncio.gather(*(client.detect(b"x") for _ in range(16)))

    assert len(asyncio.run(ask())) == 16


def test_a_client_is_shared_by_threads():
    barrier = threading.Barrier(8, timeout=20)

    def answer(request):
        barrier.wait()
        return httpx.Response(200, content=b'{"status": "live"}')

    client = Client("http://localhost", transport=httpx.MockTransport(answer))
    found = []
    threads = [threading.Thread(target=lambda: found.append(client.live())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [AliveRow("live")] * 8


def test_request_in_progress_of_others_is_told_in_the_end(connect, server, refusing):
    told = server(refusing(409, "request_in_progress"))
    with pytest.raises(RequestInProgress):
        connect(transport=told.transport, retries=NOW).collections.create("staff")
    assert len(told.requests) == 4
