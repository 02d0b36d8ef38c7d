"""Do once what is asked for twice: requests that carry an idempotency key are answered as they were before.

A client that lost an answer repeats its request with the same key. `begin` then gives what was answered the
first time, for a day. Who ends without an answer gives the key free (`abandon`); of a process that died, it
is free after a while, `working_s`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from mien.errors import BadRequest, IdempotencyMismatch, RequestInProgress
from mien.gallery.store import answered, audit
from mien.gallery.store.answered import Request
from mien.gallery.store.store import Store

_KEY_CHARACTERS = 200
_KEPT_S = 24 * 3600
_WORKING_S = 120


class GivenAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was answered to a request.

    Attributes:
        status: Of HTTP.
        content_type: Of the body.
        body: As it was sent.
        headers: Others that belong to the answer, such as `Location`: pairs of name and value.
    """

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """What it tells of people is nobody's business in a log."""
        return f"GivenAnswer({self.status}, {len(self.body)} bytes)"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Says that a request is to be done, and by whom; for `finish` or `abandon`."""

    mac: bytes = field(repr=False)
    begun: str


def begin(
    store: Store, actor: str, key: str, digest: str, *, working_s: float = _WORKING_S
) -> GivenAnswer | Ticket:
    """Look whether a request was made before.

    Args:
        store: Where answers are kept.
        actor: Who asks; keys of others do not matter.
        key: The idempotency key.
        digest: Of method, path and content: the same for the same request.
        working_s: After how long without an answer whoever works on it is taken to have ended.

    Returns:
        What was answered then; or a ticket, and the request is to be done.

    Raises:
        BadRequest: It is no such key.
        RequestInProgress: It is being worked on.
        IdempotencyMismatch: The key was used for another request, or its answer was wiped meanwhile.
    """
    if not (0 < len(key) <= _KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise BadRequest(f"An idempotency key has 1 to {_KEY_CHARACTERS} printable ASCII characters.")
    moment = datetime.now(UTC)
    with store.writing(light=True) as writing:
        mac = writing.ring.request_mac(actor, key)
        request_mac = writing.ring.request_mac("digest", digest)
        answered.purge(writing, audit.written(moment - timedelta(seconds=_KEPT_S)))
        before = answered.find(writing, mac)
        if before is not None and not _is_dead(before, moment, working_s):
            return _repeated(before, request_mac)
        ticket = Ticket(mac, audit.written(moment))
        answered.begin(writing, mac, request_mac, ticket.begun)
    return ticket


def finish(store: Store, ticket: Ticket, answer: GivenAnswer) -> None:
    """Keep what was answered, on the disk when this returns."""
    with store.writing(counted=False) as writing:
        answered.finish(writing, ticket.mac, ticket.begun, answer.status, msgspec.msgpack.encode(answer))


def abandon(store: Store, ticket: Ticket) -> None:
    """Give the key free, because nothing was done."""
    with store.writing(light=True) as writing:
        answered.abandon(writing, ticket.mac, ticket.begun)


def _is_dead(request: Request, now: datetime, working_s: float) -> bool:
    """Whether whoever worked on a request has ended without saying so."""
    return request.status is None and request.created < audit.written(now - timedelta(seconds=working_s))


def _repeated(before: Request, request_mac: bytes) -> GivenAnswer:
    if not hmac.compare_digest(before.request_mac, request_mac):
        raise IdempotencyMismatch("This idempotency key was used for another request.")
    if before.status is None:
        raise RequestInProgress("A request with this idempotency key is being worked on.", retry_after_s=1)
    if before.answer is None:
        raise IdempotencyMismatch(
            "This request was done; what was answered was wiped, for somebody was forgotten since.",
            hint="Look whether there is what you asked for; use a fresh key to ask again.",
        )
    return msgspec.msgpack.decode(before.answer, type=GivenAnswer)
