"""Who did what: the audit log."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from mien.answers.service import EndRow, Page
from mien.errors import BadRequest
from mien.gallery.store import audit
from mien.gallery.store.audit import Entry
from mien.server.answers import json_answer
from mien.server.asking import Ask, Asking
from mien.server.cursors import Part, after, page
from mien.server.doors import Door
from mien.server.plans import Plan

# More entries than any database counts.
_DIGITS = 18
door = Door(tags=["audit"], prefix="/audit")


class WhichEntries(Part, frozen=True):
    """Which entries, and in which order."""

    order: Literal["asc", "desc"] = "asc"
    after: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0


@door.at("GET", "", Plan("admin", Page[Entry], options=WhichEntries))
async def entries(ask: Asking) -> Response:
    """List who did what: identifiers and counts, no names."""
    wanted = await ask.options(WhichEntries)
    found = await ask.do(lambda: _entries(ask, wanted))
    return json_answer(page(found, wanted.limit, lambda one: str(one.seq), lambda one: one))


@door.at("GET", "/verify", Plan("admin", EndRow))
async def verify(ask: Asking) -> Response:
    """Recompute the code of every entry: was one changed, removed or put in, this is an error."""
    end = await ask.do(lambda: _verified(ask))
    return json_answer(EndRow(end.seq, f"{end.seq}:{end.mac.hex()}"))


def _entries(ask: Ask, wanted: WhichEntries) -> list[Entry]:
    given = after(wanted.cursor)
    if given and not (given.isascii() and given.isdigit() and len(given) <= _DIGITS):
        raise BadRequest("The cursor is none that was given out.")
    start = int(given or wanted.after)
    with ask.service.store.reading() as snapshot:
        return audit.portion(
            snapshot.connection, start, wanted.limit + 1, newest_first=wanted.order == "desc"
        )


def _verified(ask: Ask) -> audit.End:
    with ask.service.store.reading() as snapshot:
        return audit.verify(snapshot.connection, snapshot.ring.audit_key)
