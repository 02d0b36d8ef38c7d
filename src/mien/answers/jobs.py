"""What the server tells of jobs."""

from __future__ import annotations

from typing import Literal

import msgspec

from mien.answers.people import EnrolRow
from mien.answers.pictures import ErrorRow


class JobRow(msgspec.Struct, frozen=True):
    """A job: what it does, how far it is, and what came of it so far in numbers.

    `done` counts photographs that were worked on, the `failed` ones among them. Results say why these failed;
    `error` says why the job did.
    """

    id: str
    kind: str
    collection: str | None
    state: Literal["waiting", "queued", "running", "done", "failed", "cancelled"]
    owner: str
    done: int
    failed: int
    total: int
    created: str
    started: str | None = None
    finished: str | None = None
    error: ErrorRow | None = None
    summary: dict[str, int] | None = None


class EnrolledRow(EnrolRow, frozen=True, kw_only=True):
    """One photograph by which somebody was enrolled, or why not."""

    source: str


class ClusteredRow(msgspec.Struct, frozen=True):
    """One photograph that was added to an album: how many of its faces were kept.

    `repeated`: it is in the album already, and was not looked at again. `refused`: faces that are not good
    enough.
    """

    source: str
    faces: int = 0
    repeated: bool = False
    refused: int = 0
    error: ErrorRow | None = None
