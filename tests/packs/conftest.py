"""Toy packs, and a web server that misbehaves on request."""

import hashlib
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from mien.packs import builtin
from mien.packs.manifest import Source

TOY = """
name = "{name}"
version = {version}
gives = {gives}
family = "toy"
summary = "A toy."

[licence]
id = "MIT"
name = "MIT License"
url = "https://example.org/licence"
commercial = {commercial}
restricted = {restricted}

[origin]
authors = "Nobody"
paper = ""
published = "2026"
training_data = "None"

[[sources]]
name = "Weights.bin"
url = "{url}"
sha256 = "{sha256}"
bytes = {bytes}

[[files]]
name = "weights.onnx"
source = "Weights.bin"
"""


@pytest.fixture
def toy():
    """Text of a manifest with one source, which is copied."""

    def text(content, url, name="toy", version=1, gives=("box",), commercial=True, restricted=False, more=""):
        return (
            TOY.format(
                name=name,
                version=version,
                gives=list(gives),
                commercial=str(commercial).lower(),
                restricted=str(restricted).lower(),
                url=url,
                sha256=hashlib.sha256(content).hexdigest(),
                bytes=len(content),
            )
            + more
        )

    return text


@pytest.fixture
def toy_table(toy):
    """The same as nested dicts, to spoil."""
    return tomllib.loads(toy(b"weights", "file:weights"))


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Replace what ships with Mien: call it with texts of manifests by name."""
    folder = tmp_path / "shipped"
    (folder / "manifests").mkdir(parents=True)
    (folder / "sets.toml").write_text(
        '[sets]\nstarter = ["toy", "other"]\n[defaults]\nbox = ["toy", "other"]\n', "utf-8"
    )
    monkeypatch.setattr(builtin, "files", lambda _: folder)

    def ship(**texts):
        for name, text in texts.items():
            (folder / "manifests" / f"{name}.toml").write_text(text, "utf-8")
        return folder

    return ship


@pytest.fixture
def source():
    """A `Source` for some content."""

    def make(content, url, name="Weights.bin"):
        return Source(name, url, hashlib.sha256(content).hexdigest(), len(content))

    return make


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server.site
        site.requests.append((self.path, dict(self.headers)))
        site.answer(self)

    def log_message(self, *args):
        pass


def serve_content(handler, content, etag='"v1"', stop_after=None, ranges=True):
    """A good server; `stop_after` makes it die after so many bytes of the body."""
    start, asked = 0, handler.headers.get("Range")
    if ranges and asked and handler.headers.get("If-Range", etag) == etag:
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    else:
        handler.send_response(200)
    if etag:
        handler.send_header("ETag", etag)
    handler.send_header("Content-Length", str(len(content) - start))
    handler.end_headers()
    handler.wfile.write(content[start:][:stop_after])


@pytest.fixture
def site(monkeypatch):
    """A web server on this machine: set `site.answer(handler)`; `site.requests` is what was asked."""
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.site = SimpleNamespace(
        requests=[],
        answer=None,
        content=serve_content,
        port=server.server_port,
        url=f"http://127.0.0.1:{server.server_port}",
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.site
    server.shutdown()
    thread.join()
    server.server_close()
