"""What an API key may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from mien.errors import BadRequest

Scope = Literal["detect", "verify", "search", "enroll", "admin"]
# In the order in which they are shown.
SCOPES: tuple[Scope, ...] = get_args(Scope)
MEANINGS: dict[Scope, str] = {
    "detect": "find faces in photographs, read attributes and liveness, make faces unrecognisable",
    "verify": "compare two photographs, or one with somebody who is enrolled; read embeddings",
    "search": "identify and search among those who are enrolled, and see who they are",
    "enroll": "enrol, change and forget people, groups and cases",
    "admin": "everything, with keys, calibration, the audit log and whole collections",
}


def checked_scopes(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """Scopes that somebody asks for, each once and in order.

    Raises:
        BadRequest: None is given, or there is none of that name.
    """
    wanted = set() if isinstance(scopes, str) else set(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise BadRequest("A key needs scopes that there are.", hint=f"Scopes: {', '.join(SCOPES)}.")
    return tuple(scope for scope in SCOPES if scope in wanted)
