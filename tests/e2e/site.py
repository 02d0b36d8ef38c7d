"""The server as people run it: `mien serve` in a process of its own, on loopback, with an empty store."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

STARTS_S = 120
ENDS_S = 20
MIEN = Path(sys.executable).with_name("mien")


@dataclass(frozen=True)
class Site:
    """A running server, and somebody who asks it without a browser."""

    url: str
    client: httpx.Client

    def enrol(self, collection, name, files, **more):
        """Make somebody known, in a collection that is made if there is none."""
        self.client.post("/v1/collections", json={"name": collection})
        sent = [("photo", (file.name, file.read_bytes(), "image/jpeg")) for file in files]
        answer = self.client.post(
            f"/v1/collections/{collection}/people", files=sent, data={"name": name, **more}
        )
        return answer.raise_for_status().json()

    def first_key(self):
        """Make the first key: from then on everybody needs one, this client too, which sends it."""
        made = self.client.post("/v1/keys", json={"name": "Administrator", "scopes": ["admin"]})
        key = made.raise_for_status().json()["key"]
        self.client.headers["authorization"] = f"Bearer {key}"
        return key

    def key(self, name, scopes, **more):
        """Make another key."""
        made = self.client.post("/v1/keys", json={"name": name, "scopes": scopes, **more})
        return made.raise_for_status().json()["key"]


@contextmanager
def running_site(home, packs_home, **environ):
    """Run a server with the packs of a home, and everything else in an empty home of its own."""
    home.mkdir(parents=True)
    (home / "packs").symlink_to(packs_home / "packs")
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [MIEN, "serve", "--port", str(port)],
            stdout=log,
            stderr=log,
            env={"PATH": "", "HOME": str(home), "MIEN_HOME": str(home), "OMP_NUM_THREADS": "1", **environ},
        )
        try:
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                _wait(process, client, home / "server.log")
                yield Site(url, client)
        finally:
            process.terminate()
            try:
                process.wait(ENDS_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process, client, log):
    end = time.monotonic() + STARTS_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            if client.get("/v1/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def _free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
