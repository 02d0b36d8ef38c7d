"""How often a search finds nobody though it should, and somebody though it should not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
)
from mien.evaluate.identification.showing import charts, facts, headline, tables
from mien.evaluate.measures.intervals import NEEDED, TOO_FEW, Draws, clustered_rate, exact_rate, supported
from mien.evaluate.measures.rates import threshold_at_fmr
from mien.evaluate.measures.searches import Searches, alarmed, cumulative_match, missed
from mien.evaluate.verification.results import Threshold

Floats = NDArray[np.floating[Any]]
RATES = (0.1, 0.01, 0.001)
RANKS = (1, 5, 10, 20, 50)
_SIZES = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
_REPEATS = 20


def evaluate_identification(
    searches: Searches,
    *,
    metric: str,
    space: str,
    acquired: NDArray[np.bool_],
    threshold: Threshold | None = None,
    watch_list: bool = False,
) -> Evaluation:
    """Measure everything about searches that these can tell.

    Args:
        searches: For people of a gallery and for strangers.
        metric: What distance means.
        space: The embedding space.
        acquired: `(photographs,)` whether a face was found.
        threshold: The threshold that decides; None if there is none.
        watch_list: Whether the gallery is a list that was given, and most searches are for strangers.

    Raises:
        BadRequest: No search for a stranger could be made.
    """
    pointless = int(searches.pointless.sum())
    searches = searches.only(~searches.pointless)
    if searches.mated.all():
        raise BadRequest("No face was found on any photograph of a stranger.")
    draws = Draws(int(searches.person.max()) + 1)
    people = searches.distance.shape[1]
    mated, strangers = searches.mated, ~searches.mated
    most = min(100, people)
    cmc = cumulative_match(searches, most)
    measures = IdentificationMeasures(
        mode="watch list" if watch_list else "open set",
        fnir_at_fpir={f"{rate:g}": _at(searches, rate, draws) for rate in RATES},
        rank={str(k): _rate(searches, searches.rank <= k, mated, draws) for k in RANKS if k <= most},
        cmc=[float(share) for share in cmc],
        in_use=_in_use(searches, threshold, draws) if threshold else None,
        gallery_sizes=list(_sizes(searches, threshold.distance if threshold else None)),
        failure_to_acquire=exact_rate(int((~acquired).sum()), len(acquired)),
        searches=Searched(
            gallery=people,
            mated=int(mated.sum()),
            strangers=int(strangers.sum()),
            mated_people=len(np.unique(searches.person[mated])),
            strangers_not_made=pointless,
            stranger_people=len(np.unique(searches.person[strangers])),
        ),
        metric=metric,
        space=space,
    )
    return Evaluation(
        "identification",
        headline(measures),
        measures,
        tables(measures),
        charts(searches, measures),
        facts(measures),
    )


def _rate(searches: Searches, wrong: NDArray[np.bool_], counted: NDArray[np.bool_], draws: Draws) -> Rate:
    person = searches.person[counted]
    return clustered_rate(wrong[counted], person, person, draws)


def _at(searches: Searches, rate: float, draws: Draws) -> AtFpir:
    strangers = ~searches.mated
    count = int(strangers.sum())
    if not supported(rate, count):
        needed = round(NEEDED / rate)
        return AtFpir(
            rate, None, Rate(None, note=f"{TOO_FEW}: {count:,} searches for strangers, {needed:,} are needed")
        )
    threshold = threshold_at_fmr(searches.nearest[strangers], rate)
    return AtFpir(rate, threshold, _rate(searches, missed(searches, threshold), searches.mated, draws))


def _in_use(searches: Searches, threshold: Threshold, draws: Draws) -> InUse:
    at = threshold.distance
    return InUse(
        at,
        threshold.source,
        threshold.fmr,
        _rate(searches, alarmed(searches, at), ~searches.mated, draws),
        _rate(searches, missed(searches, at), searches.mated, draws),
    )


def _sizes(searches: Searches, threshold: float | None) -> Iterator[AtSize]:
    """The same searches of smaller galleries, drawn again and again, and of the whole one."""
    people = searches.distance.shape[1]
    rng = np.random.default_rng(0)
    for size in (*(size for size in _SIZES if size < people), people):
        rounds = 1 if size == people else _REPEATS
        parts = (
            searches if size == people else searches.within(rng.choice(people, size, replace=False))
            for _ in range(rounds)
        )
        found = np.array([_of_size(part, threshold) for part in parts if part.mated.any()])
        if len(found):
            mean = found.mean(0)
            yield AtSize(size, len(found), *(None if np.isnan(x) else float(x) for x in mean))


def _of_size(searches: Searches, threshold: float | None) -> Sequence[float]:
    """Rank-1 misses; FPIR and FNIR at the threshold."""
    mated = searches.mated
    rank_1 = float((searches.rank[mated] > 1).mean())
    if threshold is None:
        return rank_1, np.nan, np.nan
    fpir = float(alarmed(searches, threshold)[~mated].mean())
    return rank_1, fpir, float(missed(searches, threshold)[mated].mean())
