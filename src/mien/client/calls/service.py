"""About the server and the caller."""

from __future__ import annotations

from mien.answers.service import AliveRow, MeRow, PackRow, Page, SystemRow
from mien.client.call import Call, page, path, row


def live() -> Call[AliveRow]:
    """Ask whether the server runs."""
    return Call("GET", path("health", "live"), row(AliveRow))


def ready() -> Call[AliveRow]:
    """Ask whether the server takes requests, or is `starting` or `stopping`."""
    return Call("GET", path("health", "ready"), row(AliveRow), also=(503,))


def me() -> Call[MeRow]:
    """Ask whose key this is, and what it may do."""
    return Call("GET", path("me"), row(MeRow))


def system() -> Call[SystemRow]:
    """Ask what runs there: versions, packs, limits, and how much waits."""
    return Call("GET", path("system"), row(SystemRow))


def packs() -> Call[Page[PackRow]]:
    """List the packs, whether they are installed, and what they are used for."""
    return Call("GET", path("packs"), page(PackRow))
