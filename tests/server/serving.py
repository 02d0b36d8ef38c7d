"""Servers of tests: real ones, on loopback, in a thread of this process."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import msgspec
import uvicorn

from mien import load_settings
from mien.access import keys
from mien.server.app import make_app
from mien.serving import Serving


@dataclass
class Served:
    """A running server, and a client for it."""

    url: str
    client: httpx.Client
    app: object

    @property
    def service(self):
        return self.app.api.state.service

    def key(self, *scopes, **more):
        """Make a key, and give the headers that send it; from the first on, keys are needed."""
        _, text = keys.create(self.service.store, "test", scopes, **more)
        self.service.forget_keys()
        return {"authorization": f"Bearer {text}"}


class _Server(uvicorn.Server):
    def install_signal_handlers(self):
        pass


@contextmanager
def served(home, packs_home, *, wait=True, **choices):
    """Serve with the packs of a home, and everything else in a home of its own."""
    home.mkdir(exist_ok=True)
    if not (home / "packs").exists():
        (home / "packs").symlink_to(packs_home / "packs")
    serving = msgspec.structs.replace(Serving(), **choices.pop("server", {}))
    settings = load_settings(environ={}, home=home, server=serving, **choices)
    app = make_app(settings)
    config = uvicorn.Config(
        app,
        port=0,
        log_config=None,
        access_log=False,
        http="mien.server.patience:PatientProtocol",
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            found = Served(url, client, app)
            if wait:
                assert found.service.ready.wait(120)
            yield found
    finally:
        server.should_exit = True
        thread.join()
