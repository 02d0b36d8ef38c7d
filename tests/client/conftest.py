"""Both clients, driven alike: what a test says about one has to hold for the other."""

import asyncio
import email.message
import email.parser
import email.policy
import inspect
import json
from types import SimpleNamespace

import httpx
import pytest

from mien.client import AsyncClient, Client
from mien.client.operations import Bound


class Blocking:
    """An AsyncClient, or a noun of one, whose methods wait and whose iterators are read with `for`."""

    def __init__(self, thing, runner):
        self._thing, self._runner = thing, runner

    def __repr__(self):
        return repr(self._thing)

    def __getattr__(self, name):
        value = getattr(self._thing, name)
        if isinstance(value, Bound):
            return Blocking(value, self._runner)
        return lambda *args, **kwargs: self._finished(value(*args, **kwargs))

    def _finished(self, made):
        if inspect.iscoroutine(made):
            return self._runner.run(made)
        return self._items(made)

    def _items(self, made):
        async def following():
            return await anext(made, StopAsyncIteration)

        while (item := self._runner.run(following())) is not StopAsyncIteration:
            yield item


@pytest.fixture(params=["Client", "AsyncClient"])
def connect(request):
    """Make a client: of each kind in turn."""
    opened = []
    with asyncio.Runner() as runner:

        def make(address="http://127.0.0.1:8000", key=None, **options):
            if request.param == "Client":
                opened.append(Client(address, key, **options))
            else:
                opened.append(Blocking(AsyncClient(address, key, **options), runner))
            return opened[-1]

        yield make
        for client in opened:
            client.close()


class Server:
    """Answers what it was told to, in order, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status, headers=answer.headers, content=answer.content)

    @property
    def transport(self):
        return httpx.MockTransport(self)


@pytest.fixture
def server():
    return Server


@pytest.fixture
def answering():
    """An answer: JSON, or bytes as they are."""

    def make(status=200, body=b"", **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return SimpleNamespace(
            status=status,
            content=content,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return make


@pytest.fixture
def refusing(answering):
    """An error as the server answers it."""

    def make(status, code, details=None, **headers):
        error = {"code": code, "message": "No.", "hint": "Do not.", "details": details}
        return answering(status, {"error": error, "request_id": "r-1"}, **headers)

    return make


@pytest.fixture
def parts():
    """What a multipart body holds, read by Python's parser of mail: name, file name, type, content."""

    def read(request):
        head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
        body = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.read())
        assert isinstance(body, email.message.EmailMessage)
        found = []
        for part in body.iter_parts():
            name = part.get_param("name", header="content-disposition")
            kind = part.get_content_type() if part["content-type"] else None
            found.append((name, part.get_filename(), kind, part.get_payload(decode=True)))
        return found

    return read
