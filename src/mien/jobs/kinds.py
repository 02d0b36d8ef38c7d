"""The kinds of jobs. A new one is a line here and a function from a task to steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mien.access.scopes import Scope
from mien.answers.jobs import ClusteredRow, EnrolledRow
from mien.answers.pictures import IdentifyRow, PhotoRow
from mien.errors import BadRequest, MienError
from mien.jobs import analyzing, clustering, enrolling, identifying
from mien.jobs.photographs import Photograph
from mien.jobs.task import Result, Steps, Task
from mien.kit import Mien


@dataclass(frozen=True, slots=True)
class Names:
    """How names come into kept results.

    Attributes:
        people_of: Identifiers of the people whom a kept row tells of.
        named: A kept row with the names, by identifier, of those who are there now.
    """

    people_of: Callable[[Any], set[str]]
    named: Callable[[Any, Mapping[str, str]], msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of jobs.

    Attributes:
        needs: The scope that whoever makes one must have, and still have when it is begun.
        options: What may be wished.
        row: Of its results.
        work: Does it.
        failed: The result of a photograph that could not be looked at.
        prepare: Completes what is wished, and refuses what cannot be done.
        collection: Whether it is about a collection.
        names: How names come into kept results; None: there are none.
    """

    needs: Scope
    options: type[msgspec.Struct]
    row: type[msgspec.Struct]
    work: Callable[[Task], Steps]
    failed: Callable[[Photograph, MienError], Result]
    prepare: Callable[[Mien, Any], msgspec.Struct]
    collection: bool = True
    names: Names | None = None


KINDS: dict[str, Kind] = {
    "analyze": Kind(
        "detect",
        analyzing.Analyzing,
        PhotoRow,
        analyzing.analyze,
        analyzing.failed,
        analyzing.prepare,
        collection=False,
    ),
    "identify": Kind(
        "search",
        identifying.Identifying,
        IdentifyRow,
        identifying.identify,
        identifying.failed,
        identifying.prepare,
        names=Names(identifying.people_of, identifying.named),
    ),
    "enroll": Kind(
        "enroll",
        enrolling.Enrolling,
        EnrolledRow,
        enrolling.enrol,
        enrolling.failed,
        enrolling.prepare,
        names=Names(enrolling.people_of, enrolling.named),
    ),
    "cluster": Kind(
        "enroll",
        clustering.Clustering,
        ClusteredRow,
        clustering.cluster,
        clustering.failed,
        clustering.prepare,
    ),
}


def kind_of(name: str) -> Kind:
    """A kind by name. Raises BadRequest."""
    if name not in KINDS:
        raise BadRequest(f"There are no jobs of the kind {name[:40]!r}.", hint=f"Kinds: {', '.join(KINDS)}.")
    return KINDS[name]


def wished(kit: Mien, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Check what is wished of a job, and complete it, as builtins.

    Raises:
        BadRequest: It does not fit.
        PackError: There is no network for it.
    """
    kind = kind_of(name)
    try:
        fitting = msgspec.convert(dict(options), kind.options)
    except msgspec.ValidationError as error:
        raise BadRequest(
            f"An option does not fit: {error}.",
            hint=f"Options: {', '.join(kind.options.__struct_fields__) or 'none'}.",
        ) from error
    made: dict[str, Any] = msgspec.to_builtins(kind.prepare(kit, fitting))
    return made
