"""About who did what and when."""

from __future__ import annotations

from mien.answers.service import EndRow, Page
from mien.client.call import Call, page, pairs, path, row
from mien.gallery.store.audit import Entry


def listed(*, after: int | None = None, newest_first: bool = False) -> Call[Page[Entry]]:
    """List the entries of the audit log. Scope `admin`.

    Args:
        after: Only those with a higher number.
        newest_first: In which order.
    """
    query = pairs(after=after, order="desc" if newest_first else None)
    return Call("GET", path("audit"), page(Entry), query)


def verify() -> Call[EndRow]:
    """Check that no entry was changed, removed or put in. Scope `admin`.

    Raises:
        AuditBroken: One was.
    """
    return Call("GET", path("audit", "verify"), row(EndRow))
