"""Where the next part of a list begins: opaque, so that it can change."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec

from mien.answers.service import Page
from mien.errors import BadRequest

T = TypeVar("T")
R = TypeVar("R")
MOST = 1000


class Part(msgspec.Struct, frozen=True):
    """Which part of a list is wanted."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100
    cursor: str | None = None


def after(cursor: str | None) -> str:
    """The key of the last entry of the part before; empty: from the beginning. Raises BadRequest."""
    if cursor is None:
        return ""
    try:
        return base64.urlsafe_b64decode(cursor.encode("ascii")).decode()
    except (binascii.Error, ValueError) as error:
        raise BadRequest("The cursor is none that was given out.") from error


def page(found: Sequence[T], limit: int, key: Callable[[T], str], row: Callable[[T], R]) -> Page[R]:
    """The first entries of what is left of a list.

    Args:
        found: What is left, in order; one more than `limit` tells that there is more.
        limit: How many are given.
        key: By which the next part begins after the last of this one.
        row: As an entry is answered.
    """
    taken = found[:limit]
    more = len(found) > limit
    cursor = base64.urlsafe_b64encode(key(taken[-1]).encode()).decode() if more and taken else None
    return Page([row(one) for one in taken], cursor)


def cut(found: Sequence[T], part: Part, key: Callable[[T], str], row: Callable[[T], R]) -> Page[R]:
    """The part that is wanted of a whole list; keys sort as its entries do."""
    last = after(part.cursor)
    left = [one for one in found if not last or key(one) > last]
    return page(left, part.limit, key, row)
