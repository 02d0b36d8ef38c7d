"""Running the server: address, TLS, workers."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack

import msgspec
import uvicorn

from mien.access.keys import any_key
from mien.errors import SettingsError
from mien.gallery.opening import open_store
from mien.server.app import IN_ENVIRON, from_environ
from mien.server.logs import write_log
from mien.server.metrics import FOLDER
from mien.settings import Settings

_BACKLOG = 512
_KEEP_ALIVE_S = 10
# On top of what a request may take, for its answer.
_GRACE_S = 5


def run(settings: Settings) -> None:
    """Serve until told to stop, then finish what was accepted.

    Raises:
        SettingsError: It would listen beyond this machine without API keys, or cannot be reached as wanted.
        GalleryError: The store cannot be opened.
    """
    check(settings)
    serving = settings.server
    # Workers are other processes, which are started anew when one ends.
    os.environ[IN_ENVIRON] = msgspec.json.encode(settings, enc_hook=str).decode()
    write_log()
    # uvicorn raises the signal once more when it has ended well; to be told to stop is no failure.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    with ExitStack() as stack:
        if serving.workers > 1:
            os.environ[FOLDER] = stack.enter_context(tempfile.TemporaryDirectory(prefix="mien-metrics-"))
        uvicorn.run(
            f"{from_environ.__module__}:{from_environ.__name__}",
            factory=True,
            host=serving.host,
            port=serving.port,
            workers=serving.workers,
            ssl_certfile=serving.tls_cert,
            ssl_keyfile=serving.tls_key and str(serving.tls_key),
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(serving.timeout_s + _GRACE_S),
            http="mien.server.patience:PatientProtocol",
        )


def check(settings: Settings) -> None:
    """Look whether the server may start, before anything of it does.

    Raises:
        SettingsError: It would listen beyond this machine without API keys, a file of TLS is missing, or
            somebody else listens there.
        GalleryError: The store cannot be opened.
    """
    serving = settings.server
    for file in (serving.tls_cert, serving.tls_key):
        if file is not None and not file.is_file():
            raise SettingsError(f"There is no file {file}.", hint="tls_cert and tls_key name PEM files.")
    with open_store(settings.store_address, settings.key_name, os.environ) as store:
        for_others = not serving.on_loopback or serving.hosts or serving.origins
        if for_others and not any_key(store):
            raise SettingsError(
                f"Without API keys, anybody could ask the server at {serving.host}.",
                hint="Make the first one: mien keys create admin --scope admin; or listen at 127.0.0.1, "
                "without hosts and origins.",
            )
    try:
        socket.create_server((serving.host, serving.port), family=_family(serving.host)).close()
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        raise SettingsError(
            f"Nothing can listen at {serving.host}, port {serving.port}: {why}.",
            hint="Choose another port (--port), or end what listens there.",
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
