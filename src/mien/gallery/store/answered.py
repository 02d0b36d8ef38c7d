"""Rows of requests that may be repeated, and what was answered to them; see `mien.access.answers_given`.

What was answered may tell of people. So it is sealed, copies of the store do not have it, and it is wiped
when anybody is forgotten; that the request was answered is known nevertheless.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from mien.gallery.sql.schema import ANSWER
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.sealed import open_answer, seal_answer
from mien.gallery.store.store import Writing

_NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was begun.

    Attributes:
        request_mac: Keyed digest of what it asks for.
        created: When it was begun, ISO 8601, UTC.
        status: What was answered; None: it is being worked on.
        answer: What was answered, as it was given to `finish`; None: nothing yet, or it was wiped.
    """

    request_mac: bytes = field(repr=False)
    created: str
    status: int | None
    answer: bytes | None = field(repr=False)


def find(snapshot: Snapshot, mac: bytes) -> Request | None:
    """A request by what it is found by; None if it was never made."""
    row = snapshot.connection.execute(sa.select(ANSWER).where(ANSWER.c.mac == mac)).first()
    if row is None:
        return None
    answer = None if row.sealed is None else open_answer(snapshot.ring, mac, row.sealed)
    return Request(row.request_mac, row.created, row.status, answer)


def begin(writing: Writing, mac: bytes, request_mac: bytes, moment: str) -> None:
    """Note that a request is being worked on, whether or not it was before."""
    writing.connection.execute(ANSWER.delete().where(ANSWER.c.mac == mac))
    writing.connection.execute(
        ANSWER.insert(), {"mac": mac, "request_mac": request_mac, "created": moment, "status": None}
    )


def finish(writing: Writing, mac: bytes, begun: str, status: int, answer: bytes) -> None:
    """Keep what was answered to a request, unless somebody else works on it by now."""
    values = {"status": status, "sealed": seal_answer(writing.ring, mac, answer)}
    writing.connection.execute(ANSWER.update().where(*_begun(mac, begun)).values(values))


def abandon(writing: Writing, mac: bytes, begun: str) -> None:
    """Do as if a request had never been made, unless somebody else works on it by now."""
    writing.connection.execute(ANSWER.delete().where(*_begun(mac, begun)))


def purge(writing: Writing, before: str) -> None:
    """Delete what was begun before a moment."""
    writing.connection.execute(ANSWER.delete().where(ANSWER.c.created < before))


def wipe(writing: Writing) -> None:
    """Delete what was answered, unless that was nothing; that it was, stays known."""
    writing.connection.execute(ANSWER.update().where(ANSWER.c.status != _NO_CONTENT).values(sealed=None))


def _begun(mac: bytes, begun: str) -> tuple[sa.ColumnElement[bool], ...]:
    return ANSWER.c.mac == mac, ANSWER.c.created == begun, ANSWER.c.status.is_(None)
