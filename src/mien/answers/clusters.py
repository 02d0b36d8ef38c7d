"""What `mien cluster --json` writes."""

from __future__ import annotations

from typing import Any

import msgspec

from mien.answers.pictures import FailureRow, encodable, failure_row
from mien.gallery.store.records import Person
from mien.people.album_groups import Group
from mien.people.albums import Added


class AddedRow(msgspec.Struct, frozen=True):
    """The answer of `cluster add`."""

    album: str
    photographs: int
    repeated: int
    faces: int
    refused: int
    groups: int
    new_groups: int
    merged_groups: int
    failures: list[FailureRow]


class MemberRow(msgspec.Struct, frozen=True):
    """A face of a group: where it is from, and how far it is from the other faces of the group."""

    face: str
    source: str
    box: list[float]
    distance: float
    sure: bool
    by_hand: bool


class GroupRow(msgspec.Struct, frozen=True):
    """One group of `cluster list`, the faces that are most like the others first."""

    id: str
    name: str | None
    faces: list[MemberRow]


class GroupsReport(msgspec.Struct, frozen=True):
    """The answer of `cluster list`, the groups with most faces first."""

    album: str
    groups: list[GroupRow]


class WhoseRow(msgspec.Struct, frozen=True):
    """Whose faces are now, after `cluster name`, `move` or `merge`."""

    id: str
    name: str | None
    faces: int
    collection: str


SCHEMAS: dict[str, Any] = {
    "cluster-add": AddedRow,
    "cluster-list": GroupsReport,
    "cluster-name": WhoseRow,
    "cluster-move": WhoseRow,
    "cluster-merge": WhoseRow,
}


def added_row(album: str, done: Added) -> AddedRow:
    """Translate what came of adding photographs."""
    failed = [failure_row(one) for one in done.failures]
    counts = (done.photographs, done.repeated, done.faces, done.refused)
    return AddedRow(
        encodable(album), *counts, done.groups, done.new_groups, done.merged_groups, failures=failed
    )


def group_row(one: Group) -> GroupRow:
    """Translate a group."""
    members = [
        MemberRow(
            member.face.id,
            encodable(member.face.provenance.source),
            [round(edge, 2) for edge in member.face.provenance.box],
            round(member.distance, 4),
            member.sure,
            member.face.by_hand,
        )
        for member in one.members
    ]
    return GroupRow(one.person.id, one.person.about.name, members)


def whose_row(person: Person, collection: str) -> WhoseRow:
    """Translate somebody."""
    return WhoseRow(person.id, person.about.name, person.faces, collection)
