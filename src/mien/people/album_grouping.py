"""Bring an album to what is known: its faces and new ones grouped, and written in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien.gallery import people
from mien.gallery.clustering.grouping import group
from mien.gallery.clustering.linking import linking_distance
from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store import reading
from mien.gallery.store.adding import Newcomer, add_faces, add_people
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.records import About, Collection, NewFace, StoredFace
from mien.gallery.store.store import Writing


@dataclass(frozen=True, slots=True)
class Kept:
    """What was changed.

    Attributes:
        faces: How many came.
        made: Groups that are new.
        merged: Groups that are gone, because their faces are another group's now.
    """

    faces: int
    made: frozenset[str]
    merged: frozenset[str]


def keep(album: Gallery, found: Sequence[NewFace]) -> Kept:
    """Group and write in one transaction, which others need not wait for while it is computed."""
    if not found:
        return Kept(0, frozenset(), frozenset())
    while True:
        with album.store.reading() as snapshot:
            state = _state(snapshot, album.collection)
        plan = _planned(state, found, album.rule)
        with album.store.writing() as writing:
            # Of those who change an album at the same time one is the first, so that somebody always gets on.
            if not _changed(writing, album.collection, state.change):
                kept = _write(writing, album.collection, plan)
                break
    album.nearby.follow()
    return kept


def _changed(writing: Writing, collection: Collection, since: int) -> bool:
    people.check_space(writing, collection)
    lost = reading.dropped(writing, collection.id, since)
    return bool(lost.people or reading.changed_people(writing, collection.id, since))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _State:
    """An album as it is; n faces have templates.

    Attributes:
        change: Number of the last change.
        digests: Of all its photographs.
        people: Identifiers of all groups.
        faces: The n faces.
        owner: `(n,)` place in `people` of the group of each.
        fixed: `(n,)` whether a person decided whose it is.
        vectors: `(n, d)` float32.
    """

    change: int
    digests: frozenset[str]
    people: list[str]
    faces: list[StoredFace]
    owner: NDArray[np.int64]
    fixed: NDArray[np.bool_]
    vectors: NDArray[np.float32]


def _state(snapshot: Snapshot, collection: Collection) -> _State:
    everybody = reading.people(snapshot, collection.id)
    named = {person.id for person in everybody if person.about.name is not None}
    place = {person.id: i for i, person in enumerate(everybody)}
    found = reading.templates(snapshot, collection)
    stored = {face.id: face for face in reading.faces(snapshot, collection.id)}
    faces = [stored[one.decode()] for one in found.face]
    return _State(
        change=snapshot.change,
        digests=frozenset(face.provenance.digest for face in stored.values()),
        people=list(place),
        faces=faces,
        owner=np.array([place[face.person_id] for face in faces], np.int64),
        fixed=np.array([face.by_hand or face.person_id in named for face in faces], np.bool_),
        vectors=found.vectors,
    )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Plan:
    """What is to be done.

    Attributes:
        merges: Groups that go over, by the group they go to.
        additions: New faces by the group that is theirs.
        newcomers: New faces of each new group.
    """

    merges: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    additions: dict[str, list[NewFace]] = field(default_factory=lambda: defaultdict(list))
    newcomers: dict[int, list[NewFace]] = field(default_factory=lambda: defaultdict(list))


def _planned(state: _State, found: Sequence[NewFace], rule: DecisionRule) -> _Plan:
    """Group the faces of an album and new ones."""
    # Another process may have added the same photographs.
    new = [face for face in found if face.provenance.digest not in state.digests]
    plan = _Plan()
    if not new:
        return plan
    vectors = np.stack([*state.vectors, *(face.vector for face in new)])
    fresh = np.full(len(new), -1)
    # Where the photograph is not known, it is one of its own.
    photographs = [
        *(face.provenance.digest or face.id for face in state.faces),
        *(face.provenance.digest for face in new),
    ]
    number = group(
        vectors,
        metric=rule.metric,
        distance=linking_distance(vectors, metric=rule.metric, distance=rule.distance, fmr=rule.fmr),
        previous=np.concatenate([state.owner, fresh]),
        fixed=np.concatenate([state.fixed, fresh >= 0]),
        apart=np.unique(photographs, return_inverse=True)[1],
        first=len(state.people),
    )
    known = len(state.owner)
    for old, now in sorted(set(zip(state.owner.tolist(), number[:known].tolist(), strict=True))):
        if old != now:
            plan.merges[state.people[now]].append(state.people[old])
    for face, now in zip(new, number[known:].tolist(), strict=True):
        if now < len(state.people):
            plan.additions[state.people[now]].append(face)
        else:
            plan.newcomers[now].append(face)
    return plan


def _write(writing: Writing, collection: Collection, plan: _Plan) -> Kept:
    for into, others in plan.merges.items():
        (target,) = reading.people(writing, collection.id, ids=[into])
        found = reading.people(writing, collection.id, ids=others)
        people.merge(writing, collection, target, found, by_hand=False)
    merged = frozenset(other for others in plan.merges.values() for other in others)
    added = add_faces(writing, collection, list(plan.additions.items()), by_hand=False)
    unnamed = [Newcomer(About(), plan.newcomers[now], by_hand=False) for now in sorted(plan.newcomers)]
    made = [person for person, *_ in add_people(writing, collection, unnamed)]
    count = sum(map(len, added)) + sum(len(one.faces) for one in unnamed)
    writing.note("grouped", collection.id, faces=count, people=made, merged=dict(plan.merges))
    return Kept(count, frozenset(made), merged)
