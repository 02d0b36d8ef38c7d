"""What the server tells of cases of missing persons."""

from __future__ import annotations

import msgspec

from mien.people.cases import Probe, Review, Run
from mien.people.kept_cases import KeptCase


class CaseRow(msgspec.Struct, frozen=True):
    """A case: whom to look for, what was found last, and what was said about it.

    Pictures are called `probe-1.jpg`, `probe-2.jpg` ... in the order of the probes, and `face-ID.jpg` by the
    identifier of each face that has one.
    """

    id: str
    version: int
    title: str
    notes: str
    created: str
    collection: str
    tags: tuple[str, ...]
    probes: tuple[Probe, ...]
    run: Run | None
    reviews: dict[str, Review]


class ListedCaseRow(msgspec.Struct, frozen=True):
    """A case in a list: how many photographs it looks for, how many candidates were reviewed, when it ran."""

    id: str
    version: int
    title: str
    notes: str
    created: str
    tags: tuple[str, ...]
    probes: int
    reviewed: int
    ran: str | None


def case_row(kept: KeptCase) -> CaseRow:
    """Translate a case."""
    case = kept.case
    return CaseRow(
        kept.id,
        kept.version,
        case.title,
        case.notes,
        case.created,
        case.collection,
        case.tags,
        case.probes,
        case.run,
        case.reviews,
    )


def listed_case_row(kept: KeptCase) -> ListedCaseRow:
    """Translate a case for a list."""
    case = kept.case
    return ListedCaseRow(
        kept.id,
        kept.version,
        case.title,
        case.notes,
        case.created,
        case.tags,
        len(case.probes),
        kept.reviewed,
        None if case.run is None else case.run.made,
    )
