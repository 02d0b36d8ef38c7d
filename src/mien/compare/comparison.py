"""What contestants did, side by side: how often they are right, how fast they are, what they need."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.compare.peers import Absent
from mien.compare.race import Run
from mien.evaluate.evaluation import Bars, Evaluation, Rate, Table
from mien.evaluate.measures.folds import ten_folds
from mien.evaluate.measures.intervals import exact_rate
from mien.evaluate.reading.pairs import Pairs

_NOT_STATED = Rate(None, note="states no threshold for these weights")
_HEADER = (
    "who",
    "networks",
    "accuracy, in folds",
    "at its own threshold",
    "no face",
    "photographs/s",
    "Mien is faster, times",
    "memory MB",
)


class Measured(msgspec.Struct, frozen=True):
    """One contestant.

    Attributes:
        name: Who.
        versions: Of what it is made of.
        networks: Detector and embedder.
        threads: Threads and cores that it was given.
        accuracy: Mean over folds of the share of pairs decided rightly, at the threshold that is best on the
            other folds; None without pairs, or where nothing could be compared.
        accuracy_sd: Standard deviation over the folds.
        threshold: Distance up to which it says "the same person" on its own; None if it does not say.
        accuracy_at_threshold: Share of pairs that it decides rightly there.
        no_face: Share of photographs in which it found no face; pairs with them count as different people.
        faces: Faces found in all.
        photographs_per_second: Of median times of each folder.
        mien_faster_by: How many times as long as Mien it takes; None for Mien, and without one beside it.
        memory_mb: Resident memory at the end; None where that is not known.
    """

    name: str
    versions: dict[str, str]
    networks: str
    threads: int
    accuracy: float | None
    accuracy_sd: float | None
    threshold: float | None
    accuracy_at_threshold: Rate
    no_face: Rate
    faces: int
    photographs_per_second: float
    mien_faster_by: float | None
    memory_mb: float | None


class CannotRun(msgspec.Struct, frozen=True):
    """A contestant that could not take part: why, and what to do about it."""

    name: str
    reason: str
    hint: str


class Comparison(msgspec.Struct, frozen=True):
    """All of them.

    Attributes:
        photographs: Looked at by everybody.
        pairs: Compared by everybody.
        rounds: How often everybody looked at everything.
        contestants: Those that came through.
        absent: Those that did not.
    """

    photographs: int
    pairs: int
    rounds: int
    contestants: list[Measured]
    absent: list[CannotRun]


def comparison(runs: Sequence[Run], absent: Sequence[Absent], pairs: Pairs | None) -> Evaluation:
    """Put what contestants did side by side.

    Args:
        runs: Those that came through; the Mien that a peer is compared with among them.
        absent: Those that did not.
        pairs: What they compared, with folds; None if they only looked.
    """
    seconds = {run.entry.name: spent(run.seconds) for run in runs}
    measured = [_measured(run, seconds, pairs) for run in runs]
    measures = Comparison(
        photographs=len(runs[0].faces) if runs else 0,
        pairs=0 if pairs is None else len(pairs.same),
        rounds=len(runs[0].seconds) if runs else 0,
        contestants=measured,
        absent=[CannotRun(one.name, one.reason, one.hint) for one in absent],
    )
    tables = (
        [Table("Side by side", _HEADER, [_row(one) for one in measured], _note(measures))] if runs else []
    )
    if absent:
        rows = [(one.name, one.reason, one.hint) for one in absent]
        tables.append(Table("Cannot run here", ("who", "why", "what to do"), rows))
    return Evaluation("compare", _headline(runs, measured), measures, tables, _charts(measured))


def spent(seconds: NDArray[np.float64]) -> float:
    """Seconds for all folders: the sum of each one's median over the rounds `(rounds, folders)`."""
    return float(np.median(seconds, axis=0).sum())


def _measured(run: Run, seconds: dict[str, float], pairs: Pairs | None) -> Measured:
    accuracy = _accuracy(run, pairs)
    mine = seconds[run.entry.name]
    beside = seconds.get(run.entry.rival) if run.entry.rival else None
    return Measured(
        name=run.entry.title,
        versions=run.versions,
        networks=run.entry.networks,
        threads=int(run.entry.options["threads"]),
        accuracy=None if accuracy is None else float(accuracy.mean()),
        accuracy_sd=None if accuracy is None else float(accuracy.std()),
        threshold=run.threshold,
        accuracy_at_threshold=_at_threshold(run, pairs),
        no_face=exact_rate(int((run.faces == 0).sum()), len(run.faces)),
        faces=int(run.faces.sum()),
        photographs_per_second=len(run.faces) / mine,
        mien_faster_by=None if beside is None else mine / beside,
        memory_mb=run.memory_mb,
    )


def _accuracy(run: Run, pairs: Pairs | None) -> NDArray[np.floating] | None:
    fold = None if pairs is None else pairs.folds()
    if pairs is None or fold is None or len(np.unique(fold)) < 2 or not np.isfinite(run.distance).any():
        return None
    return ten_folds(run.distance, pairs.same, fold)[0]


def _at_threshold(run: Run, pairs: Pairs | None) -> Rate:
    if pairs is None:
        return Rate(None, note="no pairs")
    if run.threshold is None:
        return _NOT_STATED
    return exact_rate(int(((run.distance <= run.threshold) == pairs.same).sum()), len(pairs.same))


def _headline(runs: Sequence[Run], measured: Sequence[Measured]) -> str:
    by_name = {run.entry.name: one for run, one in zip(runs, measured, strict=True)}
    peers = [
        (one, by_name[run.entry.rival])
        for run, one in zip(runs, measured, strict=True)
        if run.entry.rival in by_name
    ]
    if not peers:
        return "Nobody was there to compare with."
    faster = [one.mien_faster_by for one, _ in peers if one.mien_faster_by is not None]
    points = [
        100 * (ours.accuracy - one.accuracy)
        for one, ours in peers
        if ours.accuracy is not None and one.accuracy is not None
    ]
    whom = peers[0][0].name if len(peers) == 1 else f"{len(peers)} other programs"
    right = f", its accuracy {_span(points, '+.2f')} points beside theirs" if points else ""
    return f"Mien is {_span(faster, '.2f')} times as fast as {whom}{right}."


def _span(values: Sequence[float], form: str) -> str:
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def _row(one: Measured) -> tuple[str, ...]:
    own = one.accuracy_at_threshold.value
    return (
        " ".join(filter(None, (one.name, one.versions.get(one.name.split(",")[0])))),
        one.networks,
        "" if one.accuracy is None else f"{one.accuracy:.2%} ± {one.accuracy_sd:.2%}",
        "" if own is None else f"{own:.2%} ({one.threshold:g})",
        f"{one.no_face.count} of {one.no_face.of}",
        f"{one.photographs_per_second:.1f}",
        "" if one.mien_faster_by is None else f"{one.mien_faster_by:.2f}",
        "" if one.memory_mb is None else f"{one.memory_mb:.0f}",
    )


def _note(measures: Comparison) -> str:
    threads = measures.contestants[0].threads if measures.contestants else 0
    return (
        f"{measures.photographs} photographs, {measures.pairs} pairs, threads of each: {threads}, rounds in "
        f"turns: {measures.rounds}. Finding all faces, embedding them, reading and decoding count; other "
        "settings are as each program comes. The face nearest the centre is compared. A pair with a "
        "photograph in which no face was found counts as different people. An empty cell at its own "
        "threshold: it states none for these weights."
    )


def _charts(measured: Sequence[Measured]) -> list[Bars]:
    speed = {_label(one): one.photographs_per_second for one in measured}
    right = {
        _label(one): (one.accuracy, one.accuracy_sd or 0.0) for one in measured if one.accuracy is not None
    }
    charts = [
        Bars("Speed", "contestant", "photographs per second", speed, note="Longer is faster."),
        Bars(
            "Pairs decided wrongly",
            "contestant",
            "share of pairs",
            {label: 1 - mean for label, (mean, _) in right.items()},
            {label: (max(0.0, 1 - mean - sd), 1 - mean + sd) for label, (mean, sd) in right.items()},
            percent=True,
            note="Shorter is better. Whiskers: one standard deviation over the folds.",
        ),
    ]
    return [chart for chart in charts if chart.bars]


def _label(one: Measured) -> str:
    return f"{one.name}, {one.networks}"
