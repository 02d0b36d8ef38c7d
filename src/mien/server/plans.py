"""What is known about a route besides its path: who may ask, what it takes and what it gives.

One table for three readers: the check of keys, the reading of requests, and the OpenAPI document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec
from fastapi.routing import APIRoute

from mien.access.scopes import Scope

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
# `anybody` has a key, if keys are needed; `nobody` is asked for one.
Needs: TypeAlias = Scope | Literal["anybody", "nobody"]


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known about a route.

    Attributes:
        needs: The scope that a key must have.
        gives: What is answered: a type, as JSON; or a media type.
        status: Of the answer, if all goes well.
        photos: Names of the fields that photographs are sent in; empty: it takes none.
        least: How many photographs, at least.
        several: Whether there may be more.
        options: Its parameters: of the query; if it takes photographs, also fields of the form or members of
            the JSON.
        body: Of the JSON that it takes, if it takes no photographs.
        repeatable: Whether an idempotency key is honoured: it writes, and would do so again.
        etag: Whether the answer has a version, or a version is asked for.
        others: Other answers, by status.
    """

    needs: Needs
    gives: Any
    status: int = 200
    photos: tuple[str, ...] = ()
    least: int = 1
    several: bool = False
    options: type[msgspec.Struct] = Nothing
    body: Any = None
    repeatable: bool = False
    etag: bool = False
    others: dict[int, Any] = field(default_factory=dict)


PHOTO = ("photo", "photos", "file")


def plan_of(route: APIRoute) -> Plan:
    """The plan of a route of a `Door`."""
    plan: Plan = route.endpoint.__dict__["plan"]
    return plan


def has_plan(route: APIRoute) -> bool:
    """Whether a route is of a `Door`; files of the console are not."""
    return "plan" in route.endpoint.__dict__
