"""Who did what and when: a log whose entries hold each other fast.

Each entry's code authenticates the entry and the code before it (HMAC-SHA256 by a key that only the master
key opens), so that nobody without the key can change, remove or insert one unseen. What cannot be seen from
inside is that the newest entries were cut off together with the store's note of its end: compare with the end
that `mien audit export` printed before.

Entries name people, faces and collections by identifier only: no names, no pictures, no templates.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mien.errors import AuditBroken, BadRequest
from mien.gallery.sql.schema import AUDIT, STORE

START = b"\0" * 32
_PORTION = 10_000
_FIRST = -(2**63)


class Entry(msgspec.Struct, frozen=True):
    """One line of the log.

    Attributes:
        seq: Its number, from 1.
        time: ISO 8601, UTC.
        actor: Who: the user of the system, or the key of an API.
        action: What, one word: `enrolled`, `searched`, `forgot` ...
        collection_id: Where; None: the whole store.
        detail: Identifiers and counts.
        mac: Code of the entry, hexadecimal.
    """

    seq: int
    time: str
    actor: str
    action: str
    collection_id: str | None
    detail: dict[str, Any]
    mac: str


@dataclass(frozen=True, slots=True)
class End:
    """Where the log ends.

    Attributes:
        seq: Number of the last entry; 0: none yet.
        mac: Its code.
    """

    seq: int
    mac: bytes


def now() -> str:
    """This moment, ISO 8601 in UTC to the millisecond."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """A moment as the store keeps it, so that moments can be compared as text: see `now`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def today() -> date:
    """This day in UTC, by which consent is counted."""
    return datetime.now(UTC).date()


def append(
    connection: Connection,
    key: bytes,
    after: End,
    actor: str,
    action: str,
    collection_id: str | None,
    detail: dict[str, Any],
) -> End:
    """Write the next entry; the caller holds the store's row, so that nobody else writes one.

    Returns:
        The new end, for the store's row.
    """
    seq, time = after.seq + 1, now()
    text = msgspec.json.encode(detail, order="sorted").decode()
    mac = _code(key, after.mac, (seq, time, actor, action, collection_id, text))
    connection.execute(
        AUDIT.insert(),
        {
            "seq": seq,
            "time": time,
            "actor": actor,
            "action": action,
            "collection_id": collection_id,
            "detail": text,
            "mac": mac,
        },
    )
    return End(seq, mac)


def entries(connection: Connection, after: int = 0) -> Iterator[Entry]:
    """Read the log in order, in portions.

    Raises:
        AuditBroken: An entry is none.
    """
    for row in _rows(connection, after):
        yield _entry(row)


def portion(connection: Connection, start: int, most: int, *, newest_first: bool = False) -> list[Entry]:
    """Some entries of the log.

    Args:
        connection: To the store.
        start: Number of the entry after which they begin, before which if the newest come first; 0: the end.
        most: How many at most.
        newest_first: In which order.

    Raises:
        AuditBroken: An entry is none.
    """
    if not newest_first:
        return list(islice(entries(connection, start), most))
    query = sa.select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(most)
    rows = connection.execute(query.where(AUDIT.c.seq < start) if start else query)
    return [_entry(row) for row in rows]


def end(connection: Connection) -> End:
    """Where the log ends, as the store says."""
    row = connection.execute(sa.select(STORE.c.audit_seq, STORE.c.audit_mac)).one()
    return End(row.audit_seq, row.audit_mac)


def verify_end(connection: Connection, noted: str) -> None:
    """Look whether an end that was noted before, `SEQ:CODE`, is in the log.

    Raises:
        AuditBroken: It is not: entries were cut off.
        BadRequest: It is no such end.
    """
    seq, _, code = noted.partition(":")
    if not (seq.isascii() and seq.isdigit() and len(seq) < 19 and code):
        raise BadRequest(
            f"{noted!r} is no end of a log.", hint="Such as mien audit verify prints: 12:5f3a..."
        )
    mac = connection.execute(sa.select(AUDIT.c.mac).where(AUDIT.c.seq == int(seq))).scalar()
    if mac is None or mac.hex() != code:
        raise AuditBroken(f"The audit log does not hold entry {seq} as it was noted.")


def verify(connection: Connection, key: bytes) -> End:
    """Recompute every code from the first entry on.

    Returns:
        The end of the log.

    Raises:
        AuditBroken: An entry is missing, was changed or put in, or the end is not where the store says.
    """
    last = End(0, START)
    try:
        for row in _rows(connection, _FIRST):
            fields = (row.seq, row.time, row.actor, row.action, row.collection_id, row.detail)
            if row.seq != last.seq + 1:
                raise AuditBroken(f"After entry {last.seq} of the audit log comes {row.seq}.")
            if not hmac.compare_digest(row.mac, _code(key, last.mac, fields)):
                raise AuditBroken(f"Entry {row.seq} of the audit log is not as it was written.")
            last = End(row.seq, row.mac)
    except TypeError as error:  # SQLite lets anything be put anywhere
        raise AuditBroken(f"After entry {last.seq} of the audit log comes something else.") from error
    if (said := end(connection)) != last:
        raise AuditBroken(f"The audit log ends at entry {last.seq}; it had {said.seq}.")
    return last


def _entry(row: sa.Row[*tuple[Any, ...]]) -> Entry:
    try:
        detail = msgspec.json.decode(row.detail)
        return Entry(row.seq, row.time, row.actor, row.action, row.collection_id, detail, row.mac.hex())
    except (TypeError, AttributeError, msgspec.DecodeError) as error:
        raise AuditBroken("The audit log holds something else than entries.") from error


def _rows(connection: Connection, after: int) -> Iterator[sa.Row[*tuple[Any, ...]]]:
    while True:
        query = sa.select(AUDIT).where(AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(_PORTION)
        rows = connection.execute(query).all()
        yield from rows
        if len(rows) < _PORTION:
            return
        after = rows[-1].seq


def _code(key: bytes, before: bytes, fields: tuple[Any, ...]) -> bytes:
    return hmac.new(key, before + msgspec.json.encode(fields), hashlib.sha256).digest()
