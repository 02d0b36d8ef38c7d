"""From candidates of an index to what is said about a face: compared again with what the store holds.

An index rounds, and may lag behind another process for the moment between two questions; what is reported
comes from the templates in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mien.core.matches import Matches
from mien.gallery.centroids import centroids
from mien.gallery.index import Candidates
from mien.gallery.rule import DecisionRule
from mien.gallery.sql.schema import FACE, PERSON, TEMPLATE
from mien.gallery.store.reading import Snapshot, in_portions, templates
from mien.gallery.store.records import Collection, Vector
from mien.gallery.store.sealed import open_about, open_vector, person_key
from mien.ops.vectors import DISTANCES, cosine_similarity

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a candidate turned out to be.

    Attributes:
        person_id: Whose.
        name: The person's name, or identifier.
        face_id: The face; "" for the mean of several.
        vector: `(d,)`.
    """

    person_id: str
    name: str
    face_id: str
    vector: Vector

    def __repr__(self) -> str:
        """Names and templates are nobody's business in a log."""
        return f"Known({self.person_id!r}, {self.face_id!r})"


def look_up_faces(snapshot: Snapshot, collection: Collection, ids: Sequence[str]) -> dict[str, Known]:
    """Faces by identifier; those that are gone lack."""
    query = (
        sa.select(
            FACE.c.id, FACE.c.person_id, PERSON.c.key, PERSON.c.sealed.label("about"), TEMPLATE.c.sealed
        )
        .join(TEMPLATE, TEMPLATE.c.face_id == FACE.c.id)
        .join(PERSON, PERSON.c.id == FACE.c.person_id)
        .where(FACE.c.collection_id == collection.id, TEMPLATE.c.space == collection.space)
    )
    found = {}
    for portion in in_portions(ids):
        for row in snapshot.connection.execute(query.where(FACE.c.id.in_(portion))):
            seal = person_key(snapshot.ring, row.person_id, row.key)
            name = open_about(seal, row.person_id, row.about).name or row.person_id
            vector = open_vector(seal, row.id, collection.space, row.sealed)
            found[row.id] = Known(row.person_id, name, row.id, vector)
    return found


def look_up_people(
    snapshot: Snapshot, collection: Collection, ids: Sequence[str], rule: DecisionRule
) -> dict[str, Known]:
    """People by identifier with the mean of their templates; those without a face lack."""
    means = centroids(templates(snapshot, collection, person_ids=ids), rule.metric)
    vectors = {owner.decode(): vector for owner, vector in zip(means.person, means.vectors, strict=True)}
    found = {}
    for portion in in_portions(ids):
        query = sa.select(PERSON.c.id, PERSON.c.key, PERSON.c.sealed).where(PERSON.c.id.in_(portion))
        for row in snapshot.connection.execute(query):
            if row.id in vectors:
                seal = person_key(snapshot.ring, row.id, row.key)
                name = open_about(seal, row.id, row.sealed).name or row.id
                found[row.id] = Known(row.id, name, "", vectors[row.id])
    return found


def decide(
    probes: Vectors,
    candidates: Candidates,
    known: dict[str, Known],
    rule: DecisionRule,
    k: int,
    *,
    by_face: bool,
    least_margin: float = 0.0,
) -> Matches:
    """Compare probes `(q, d)` with what their candidates are, and say who they may be.

    Args:
        probes: As given to the index.
        candidates: At least two for each probe, where there are so many, so that there is a margin.
        known: What was looked up.
        rule: Metric and thresholds.
        k: How many to report.
        by_face: Whether faces speak for people.
        least_margin: See `Matches.least_margin`.
    """
    wide = candidates.face.shape[1] if len(probes) else 0
    distance = np.full((len(probes), wide), np.inf, np.float32)
    similarity = np.zeros_like(distance)
    who = np.zeros((len(probes), wide), object)
    who[:] = _NOBODY
    for row, names in enumerate(candidates.face):
        found = [known[name.decode()] for name in names if name.decode() in known]
        if found:
            vectors = np.stack([one.vector for one in found])
            exact = DISTANCES[rule.metric](probes[row : row + 1], vectors)[0]
            cosine = cosine_similarity(probes[row : row + 1], vectors)[0]
            order = np.argsort(exact, kind="stable")
            distance[row, : len(found)], similarity[row, : len(found)] = exact[order], cosine[order]
            who[row, : len(found)] = [found[i] for i in order]
    margin = np.full(len(probes), np.inf, np.float32)
    if wide > 1:
        second = np.isfinite(distance[:, 1])
        margin[second] = distance[second, 1] - distance[second, 0]
    k = min(k, int(np.isfinite(distance).sum(axis=1).max(initial=0)))
    nearest = distance[:, :k]
    return Matches(
        person=_text(who[:, :k], "name"),
        similarity=similarity[:, :k],
        distance=nearest,
        probability=rule.probability(nearest),
        threshold=rule.distance,
        fmr=rule.fmr,
        space=rule.space,
        person_id=_text(who[:, :k], "person_id"),
        face_id=_text(who[:, :k], "face_id") if by_face else None,
        margin=margin,
        review_distance=rule.review_distance,
        least_margin=least_margin,
    )


_NOBODY = Known("", "", "", np.zeros(0, np.float32))


def _text(who: NDArray[np.object_], field: str) -> NDArray[np.str_]:
    return np.array([[getattr(one, field) for one in row] for row in who], np.str_).reshape(who.shape)
