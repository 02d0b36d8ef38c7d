"""The server's API as Python, with the extra `client`.

    from mien.client import Client

    with Client("http://127.0.0.1:8000") as mien:
        mien.verify("a.jpg", "b.jpg").verified

What is asked and answered is written once: `calls` describe questions, `operations` makes methods of them for
the client that waits and for the one that is awaited.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mien.errors import ExtraMissing

if TYPE_CHECKING:
    from mien.client.asynchronous import AsyncClient as AsyncClient
    from mien.client.blocking import Client as Client
    from mien.client.call import Picture as Picture
    from mien.client.photographs import Photograph as Photograph
    from mien.client.photographs import in_folder as in_folder
    from mien.client.refused import Refused as Refused
    from mien.client.retrying import Retries as Retries

_HOMES = {
    "AsyncClient": "mien.client.asynchronous",
    "Client": "mien.client.blocking",
    "Photograph": "mien.client.photographs",
    "Picture": "mien.client.call",
    "Refused": "mien.client.refused",
    "Retries": "mien.client.retrying",
    "in_folder": "mien.client.photographs",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - names of one table


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'mien.client' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "httpx":
            raise
        raise ExtraMissing.of("client", "The client needs the package httpx.") from error


def __dir__() -> list[str]:
    return sorted(__all__)
