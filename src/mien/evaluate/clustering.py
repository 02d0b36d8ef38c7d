"""Clustering: how well groups of faces are people."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from mien.errors import BadRequest
from mien.evaluate.evaluation import Bars, Evaluation, Table
from mien.evaluate.measures.clusters import Clusters, measure_clusters
from mien.evaluate.reading.grouping import Key
from mien.evaluate.showing import percent

_NAMED = 3


class ClusteringMeasures(Clusters, frozen=True):
    """The outcome of clustering.

    Attributes:
        not_grouped: Faces that are in no group; each counts as a group of its own.
    """

    not_grouped: int


def evaluate_clustering(person: Mapping[Key, str], cluster: Mapping[Key, str]) -> Evaluation:
    """Compare groups with people.

    Args:
        person: Whose face each is.
        cluster: The group that each was put into. Faces that are missing count as groups of one.

    Raises:
        BadRequest: There is no face, or a group has faces that belong to nobody.
    """
    if unknown := [key for key in cluster if key not in person]:
        few = ", ".join(" face ".join(filter(None, key))[:200] for key in unknown[:_NAMED])
        raise BadRequest(
            f"{len(unknown):,} of {len(cluster):,} faces in groups are of nobody who is named: {few}.",
            hint="Photographs and faces must be called the same in both files.",
        )
    missing = [key for key in person if key not in cluster]
    alone = {key: number for number, key in enumerate(missing)}
    names = {name: number for number, name in enumerate(sorted(set(cluster.values())), len(missing))}
    groups = np.array([names[cluster[key]] if key in cluster else alone[key] for key in person], np.int64)
    people = np.array(list(person.values()), str)
    found = measure_clusters(people, groups)
    measures = ClusteringMeasures(**msgspec.structs.asdict(found), not_grouped=len(missing))
    facts = {
        "pairwise F": percent(measures.pairwise_f),
        "BCubed F": percent(measures.bcubed_f),
        "people": f"{measures.people:,}",
        "groups": f"{measures.clusters:,}",
    }
    return Evaluation(
        "clustering", _headline(measures), measures, [_table(measures)], [_chart(measures)], facts
    )


def _headline(found: ClusteringMeasures) -> str:
    return (
        f"{found.faces:,} faces of {found.people:,} people in {found.clusters:,} groups: pairwise F "
        f"{percent(found.pairwise_f)}, BCubed F {percent(found.bcubed_f)}."
    )


def _table(found: ClusteringMeasures) -> Table:
    rows = [
        ("pairwise", *map(percent, (found.pairwise_precision, found.pairwise_recall, found.pairwise_f))),
        ("BCubed", *map(percent, (found.bcubed_precision, found.bcubed_recall, found.bcubed_f))),
    ]
    note = (
        f"{found.not_grouped:,} faces were in no group and count as groups of one. Adjusted Rand index "
        f"{found.adjusted_rand:.4f}. Pairwise measures count pairs, so that large groups weigh most, "
        "BCubed measures faces."
    )
    return Table("Clustering", ("measure", "precision", "recall", "F"), rows, note)


def _chart(found: ClusteringMeasures) -> Bars:
    shares = {
        "pairwise precision": found.pairwise_precision,
        "pairwise recall": found.pairwise_recall,
        "pairwise F": found.pairwise_f,
        "BCubed precision": found.bcubed_precision,
        "BCubed recall": found.bcubed_recall,
        "BCubed F": found.bcubed_f,
    }
    return Bars(
        "Groups and people",
        "measure",
        "share",
        {name: share for name, share in shares.items() if share is not None},
        percent=True,
        note="Low precision: people are mixed up. Low recall: people are scattered over groups.",
    )
