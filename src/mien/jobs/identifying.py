"""Jobs that say who is in photographs.

Results are kept with identifiers instead of names. Names are looked up when results are read; who was
forgotten since, or made one with somebody else, is not in them any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import msgspec

from mien.answers.pictures import IdentifyRow, WhoRow, error_row, identify_row
from mien.core.analysis import Failure
from mien.core.results import Identification
from mien.errors import MienError
from mien.jobs.naming import ids_of, nameless, with_names
from mien.jobs.photographs import Photograph
from mien.jobs.task import Result, Step, Steps, Task
from mien.kit import Mien
from mien.looker import embedding_of
from mien.pipeline.stages import DETECTION

_COLUMNS = (*DETECTION, "embedding")


class Identifying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many candidates to give for each face, and among whom: people with all of these tags."""

    k: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    tags: tuple[str, ...] = ()


def prepare(kit: Mien, options: Identifying) -> Identifying:
    """Know that there are networks for it. Raises PackError."""
    kit.stages_for(_COLUMNS)
    return options


def identify(task: Task) -> Steps:
    """Say who is in all photographs."""
    wanted, gallery = msgspec.convert(task.job.options, Identifying), task.gallery()
    counts = Counter(task.job.summary)
    for portion in task.portions(_COLUMNS):
        results = []
        for photograph, found in portion:
            if isinstance(found, Failure):
                results.append(failed(photograph, found.error))
                continue
            matches = gallery.identify(*embedding_of(found.faces), wanted.k, tags=wanted.tags)
            people = identify_row(Identification(found.image, found.faces, matches)).people or []
            counts.update(["faces"] * len(people))
            counts.update(one.decision for one in people)
            results.append(Result(IdentifyRow(photograph.name, [_nameless(one) for one in people])))
        yield Step(tuple(results), len(results), counts)


def failed(photograph: Photograph, error: MienError) -> Result:
    """What is said of a photograph that could not be looked at."""
    return Result(IdentifyRow(photograph.name, error=error_row(error)), failed=True)


def people_of(row: IdentifyRow) -> set[str]:
    """Identifiers of the people whom a kept result tells of."""
    return {one for who in row.people or () for one in ids_of(who.candidates)}


def named(row: IdentifyRow, names: Mapping[str, str]) -> IdentifyRow:
    """A kept result with names.

    Args:
        row: As it was kept.
        names: Of the people who are there now, by identifier.
    """
    if row.people is None:
        return row
    return msgspec.structs.replace(row, people=[_named(one, names) for one in row.people])


def _nameless(who: WhoRow) -> WhoRow:
    return msgspec.structs.replace(who, person=None, candidates=nameless(who.candidates))


def _named(who: WhoRow, names: Mapping[str, str]) -> WhoRow:
    there = with_names(who.candidates, names)
    if who.candidates and (not there or there[0].person_id != who.candidates[0].person_id):
        # The nearest is gone: what was decided was about somebody else.
        return msgspec.structs.replace(who, candidates=there, decision="unknown", margin=None)
    known = there[0].person if who.decision == "known" else None
    return msgspec.structs.replace(who, person=known, candidates=there)
