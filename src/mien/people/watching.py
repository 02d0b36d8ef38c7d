"""Watch over cases: run them when the gallery has changed, and tell only what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from mien.core.matches import Decision
from mien.errors import MienError
from mien.gallery.store.store import Store
from mien.people.case_folder import read_case
from mien.people.cases import Candidate, Case, Review, Run

_BETTER: tuple[Decision, ...] = ("known", "uncertain", "unknown")
# Distances of the same two faces differ by so much at most, whatever else is computed beside them.
_SAME = 1e-5


class News(msgspec.Struct, frozen=True):
    """Somebody who came, or came nearer, since a case was run before.

    Attributes:
        case: Its folder.
        what: `new` on the list, a better `decision`, or a better `rank`.
        person_id: Who.
        person: The name.
        rank: Now.
        decision: Now.
        score: Now.
        probability: Now.
        was_rank: Before; None of somebody new.
        was_decision: Before; None of somebody new.
    """

    case: str
    what: Literal["new", "decision", "rank"]
    person_id: str
    person: str
    rank: int
    decision: Decision
    score: float
    probability: float | None
    was_rank: int | None = None
    was_decision: Decision | None = None


def watch(
    folders: Sequence[Path],
    store: Store,
    run: Callable[[Path], tuple[Case, Run | None]],
    pause: Callable[[], bool],
) -> Iterator[News | tuple[Path, MienError]]:
    """Run cases whenever the store has changed since.

    Args:
        folders: Of the cases.
        store: Where people are added.
        run: Runs a case; see `mien.people.case_run.run_case`.
        pause: Waits, and says whether to go on.

    Yields:
        What is new, or the case that could not be run and why, once until it can be again.
    """
    failed: dict[Path, str] = {}
    while True:
        for folder in folders:
            try:
                if not due(read_case(folder), store):
                    continue
                case, before = run(folder)
            except MienError as error:
                if failed.get(folder) != error.message:
                    failed[folder] = error.message
                    yield folder, error
            else:
                failed.pop(folder, None)
                assert case.run is not None  # noqa: S101 - it was just run
                yield from news(folder, before, case.run, case.reviews)
        if not pause():
            return


def due(case: Case, store: Store) -> bool:
    """Whether a case was not run since the store changed."""
    return case.run is None or (case.run.store, case.run.change) != (store.id, store.change)


def news(folder: Path, before: Run | None, after: Run, reviews: Mapping[str, Review]) -> tuple[News, ...]:
    """What a run found that the one before did not; nothing of people of whom a review says no.

    Args:
        folder: Of the case.
        before: None: everybody is new.
        after: The run.
        reviews: By identifier of the person.
    """
    known = {one.person_id: one for one in before.candidates} if before else {}
    found = ((one, _change(known.get(one.person_id), one)) for one in after.candidates)
    return tuple(
        _told(folder, what, one, known.get(one.person_id))
        for one, what in found
        if what and not (one.person_id in reviews and reviews[one.person_id].says == "no")
    )


def _change(was: Candidate | None, now: Candidate) -> Literal["new", "decision", "rank"] | None:
    if was is None:
        return "new"
    if _BETTER.index(now.decision) < _BETTER.index(was.decision):
        return "decision"
    # Who moved up only because others left has not come nearer.
    return "rank" if now.rank < was.rank and now.score < was.score - _SAME else None


def _told(
    folder: Path, what: Literal["new", "decision", "rank"], one: Candidate, was: Candidate | None
) -> News:
    return News(
        str(folder),
        what,
        one.person_id,
        one.person,
        one.rank,
        one.decision,
        one.score,
        one.probability,
        None if was is None else was.rank,
        None if was is None else was.decision,
    )
