"""Jobs that add photographs to an album and group their faces into people."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from mien.answers.jobs import ClusteredRow
from mien.answers.pictures import error_row
from mien.core.analysis import Failure
from mien.errors import MienError
from mien.jobs.photographs import Photograph
from mien.jobs.task import Result, Step, Steps, Task
from mien.kit import Mien
from mien.people.albums import PORTION, Added, Adding
from mien.people.enrolling import Keeping


class Clustering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to be chosen."""


def prepare(kit: Mien, options: Clustering) -> Clustering:
    """Know that there are networks for it. Raises PackError."""
    kit.stages_for(_keeping(kit).columns)
    return options


def cluster(task: Task) -> Steps:
    """Add all photographs; a photograph that is in the album, whatever it is called now, is passed over."""
    album, usual = task.gallery(), task.kit.settings.collection
    keeping = _keeping(task.kit)
    adding = Adding(album, keeping, () if usual == task.job.collection else (usual,))
    before = dict(task.job.summary)
    # Grouping compares with the whole album, so it is done for many at once.
    for portion in task.portions_unless(adding.knows, keeping.columns, PORTION):
        results = []
        for photograph, found in portion:
            if found is None:
                results.append(Result(ClusteredRow(photograph.name, repeated=True)))
                continue
            faces = adding.take(found, photograph.digest)
            if isinstance(found, Failure):
                results.append(failed(photograph, found.error))
            else:
                refused = len(found.faces) - faces
                results.append(Result(ClusteredRow(photograph.name, faces, refused=refused)))
        adding.acknowledge()
        yield Step(tuple(results), len(results), _summary(before, adding.report()))


def failed(photograph: Photograph, error: MienError) -> Result:
    """What is said of a photograph that could not be looked at."""
    return Result(ClusteredRow(photograph.name, error=error_row(error)), failed=True)


def _keeping(kit: Mien) -> Keeping:
    # Groups are for a person to look at.
    return replace(kit.keeping(), crops=True)


def _summary(before: dict[str, int], done: Added) -> dict[str, int]:
    """In numbers, with what was done before another process went on."""
    since = {
        "faces": done.faces,
        "repeated": done.repeated,
        "refused": done.refused,
        "new_groups": done.new_groups,
        "merged_groups": done.merged_groups,
    }
    return {name: before.get(name, 0) + count for name, count in since.items()} | {"groups": done.groups}
