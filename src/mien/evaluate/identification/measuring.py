"""How often a search finds nobody though it should, and somebody though it should not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.evaluate.evaluation import Evaluation, Rate
from mien.evaluate.identification.results import (
    AtFpir,
    AtSize,
    IdentificationMeasures,
    InUse,
    Searched,
    SearchGroups,
)
from mien.evaluate.identification.showing import charts, facts, headline, tables
from mien.evaluate.measures.case_groups import CaseGroups, cases_by_group
from mien.evaluate.measures.intervals import (
    NEEDED,
    TOO_FEW,
    Draws,
    clustered_rate,
    exact_rate,
    interval_of,
    supported,
    widened,
)
from mien.evaluate.measures.rates import threshold_at_fmr
from mien.evaluate.measures.searches import (
    Searches,
    alarmed,
    cumulative_match,
    missed,
    resample_searches,
)
from mien.evaluate.showing import rate_key
from mien.evaluate.verification.results import Threshold

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
RATES = (0.1, 0.01, 0.001)
RANKS = (1, 5, 10, 20, 50)
_SIZES = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
_REPEATS = 20


def smaller_galleries(people: int, seed: int = 0) -> list[Integers]:
    """Galleries drawn from one of so many people: of each size several, fewer of large ones."""
    rng = np.random.default_rng(seed)
    return [
        np.sort(rng.choice(people, size, replace=False))
        for size in _SIZES
        if size < people
        for _ in range(min(_REPEATS, 4 * people // size))
    ]


def evaluate_identification(
    searches: Sequence[Searches],
    *,
    metric: str,
    space: str,
    acquired: NDArray[np.bool_],
    threshold: Threshold | None = None,
    watch_list: bool = False,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Evaluation:
    """Measure everything about searches that these can tell.

    Args:
        searches: Of the whole gallery, then of smaller ones in the order of their size, each for people of
            the gallery and for strangers; see `mien.evaluate.measures.searches.search`.
        metric: What distance means.
        space: The embedding space.
        acquired: `(photographs,)` whether a face was found.
        threshold: The threshold that decides; None if there is none.
        watch_list: Whether the gallery is a list that was given, and most searches are for strangers.
        labels: Groups of the photographs, `(photographs,)` each, by the name of the label column.

    Raises:
        BadRequest: No search for a stranger could be made.
    """
    pointless = int(searches[0].pointless.sum())
    whole, *smaller = (one.only(~one.pointless) for one in searches)
    if whole.mated.all():
        raise BadRequest("No face was found on any photograph of a stranger.")
    draws = Draws(int(whole.person.max()) + 1)
    strangers = int((~whole.mated).sum())
    asked = [rate for rate in RATES if supported(rate, strangers)]
    least = NEEDED / strangers
    grid = [float(rate) for rate in np.geomspace(least, 0.5, 20)] if least < 0.5 else []
    replicates = resample_searches(whole, [*asked, *grid], draws)
    most = min(100, whole.people)
    measures = IdentificationMeasures(
        mode="watch list" if watch_list else "open set",
        fnir_at_fpir={rate_key(rate): _at(whole, rate, asked, replicates) for rate in RATES},
        rank={str(k): _rate(whole, whole.rank <= k, whole.mated, draws) for k in RANKS if k <= most},
        cmc=[float(share) for share in cumulative_match(whole, most)],
        in_use=_in_use(whole, threshold, draws) if threshold else None,
        gallery_sizes=_sizes([*smaller, whole], asked, threshold),
        failure_to_acquire=exact_rate(int((~acquired).sum()), len(acquired)),
        searches=Searched(
            gallery=whole.people,
            mated=int(whole.mated.sum()),
            strangers=strangers,
            strangers_not_made=pointless,
            mated_people=len(np.unique(whole.person[whole.mated])),
            stranger_people=len(np.unique(whole.person[~whole.mated])),
        ),
        groups=[_groups(whole, label, threshold.distance, column) for column, label in (labels or {}).items()]
        if threshold
        else [],
        metric=metric,
        space=space,
    )
    band = np.array([interval_of(column) for column in replicates[:, len(asked) :].T]).reshape(-1, 2)
    return Evaluation(
        "identification",
        headline(measures),
        measures,
        tables(measures),
        charts(whole, measures, grid, band),
        facts(measures),
    )


def _rate(searches: Searches, wrong: NDArray[np.bool_], counted: NDArray[np.bool_], draws: Draws) -> Rate:
    person = searches.person[counted]
    return clustered_rate(wrong[counted], person, person, draws)


def _at(searches: Searches, rate: float, asked: Sequence[float], replicates: Floats) -> AtFpir:
    """FNIR at one FPIR; the columns of the replicates begin with the rates asked for."""
    strangers = ~searches.mated
    if rate not in asked:
        count, needed = int(strangers.sum()), round(NEEDED / rate)
        note = f"{TOO_FEW}: {count:,} searches for strangers, {needed:,} are needed"
        return AtFpir(rate, None, Rate(None, note=note))
    threshold = threshold_at_fmr(searches.nearest[strangers], rate)
    errors, of = int(missed(searches, threshold).sum()), int(searches.mated.sum())
    interval = widened(interval_of(replicates[:, asked.index(rate)]), errors, of)
    return AtFpir(rate, threshold, Rate(errors / of, *interval, count=errors, of=of))


def _in_use(searches: Searches, threshold: Threshold, draws: Draws) -> InUse:
    at = threshold.distance
    return InUse(
        at,
        threshold.source,
        threshold.fmr,
        _rate(searches, alarmed(searches, at), ~searches.mated, draws),
        _rate(searches, missed(searches, at), searches.mated, draws),
    )


def _groups(searches: Searches, label: Sequence[str], threshold: float, column: str) -> SearchGroups:
    """Rates at one threshold by group; searches for one person stand and fall together."""
    groups = [label[photo] for photo in searches.photo]

    def split(wrong: NDArray[np.bool_], counted: NDArray[np.bool_], name: str) -> CaseGroups:
        of = [group for group, one in zip(groups, counted, strict=True) if one]
        every = np.ones(len(of), bool)
        return cases_by_group(wrong[counted], every, of, column, name, photo=searches.person[counted])

    strangers = ~searches.mated
    return SearchGroups(
        split(alarmed(searches, threshold), strangers, "fpir"),
        split(missed(searches, threshold), searches.mated, "fnir"),
    )


def _sizes(searches: Sequence[Searches], asked: Sequence[float], threshold: Threshold | None) -> list[AtSize]:
    """Means over galleries of one size."""
    found = []
    for people, several in groupby(searches, key=lambda one: one.people):
        rows = [_of_size(one, asked, threshold) for one in several if one.mated.any()]
        if rows:
            mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
            found.append(
                AtSize(
                    people,
                    len(rows),
                    mean["not first"],
                    {rate_key(rate): mean[rate_key(rate)] for rate in asked},
                    mean.get("fpir"),
                    mean.get("fnir"),
                )
            )
    return found


def _of_size(searches: Searches, asked: Sequence[float], threshold: Threshold | None) -> Mapping[str, float]:
    """Shares of searches, by name; FNIR at each FPIR by the rate, each with the threshold of this gallery."""
    mated = searches.mated
    shares = {"not first": float((searches.rank[mated] > 1).mean())}
    for rate in asked:
        at = threshold_at_fmr(searches.nearest[~mated], rate)
        shares[rate_key(rate)] = float(missed(searches, at)[mated].mean())
    if threshold:
        shares["fpir"] = float(alarmed(searches, threshold.distance)[~mated].mean())
        shares["fnir"] = float(missed(searches, threshold.distance)[mated].mean())
    return shares
