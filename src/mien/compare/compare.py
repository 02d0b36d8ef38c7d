"""The whole comparison: contestants chosen, opened, raced and put side by side."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mien.compare.choice import some
from mien.compare.comparison import comparison
from mien.compare.peers import Setting, entries_for
from mien.compare.race import race
from mien.errors import BadRequest
from mien.evaluate.evaluation import Evaluation
from mien.evaluate.reading.pairs import Pairs
from mien.packs.store import PackStore


def compare(
    against: Sequence[str],
    photos: Sequence[Path],
    pairs: Pairs | None,
    store: PackStore,
    *,
    threads: int,
    rounds: int = 3,
    limit: int | None = None,
    pythons: Mapping[str, Path] = {},
    done: Callable[[int, int], None] = lambda *_: None,
) -> Evaluation:
    """Compare Mien with other programs on photographs, and on pairs of them where there are any.

    Args:
        against: Keys of `mien.compare.peers.PEERS`.
        photos: Photographs to look at where there are no pairs.
        pairs: Labelled pairs; their photographs are looked at.
        store: Packs of Mien.
        threads: Threads and cores of each contestant, at least 1.
        rounds: How often each looks at everything.
        limit: At most this many pairs, or photographs where there are no pairs.
        pythons: Interpreters by name of a peer; that of this process otherwise.
        done: Told how many turns are over, and of how many.

    Raises:
        BadRequest: An unknown peer or one without an interpreter, no photograph, or a number out of range.
    """
    _check(against, pythons, {"threads": threads, "rounds": rounds, "limit": 1 if limit is None else limit})
    if pairs is not None:
        pairs = some(pairs, limit) if limit else pairs
        photos = pairs.photos
    else:
        photos = photos[:: max(1, len(photos) // limit)][:limit] if limit else photos
    if not photos:
        raise BadRequest("There is no photograph to look at.")
    names = [str(photo) for photo in photos]
    asked = [] if pairs is None else [(names[a], names[b]) for a, b in pairs.pairs]
    with tempfile.TemporaryDirectory(prefix="mien-compare-") as folder:
        setting = Setting(sys.executable, pythons, threads, "embed", Path(folder), store)
        entries, lacking = entries_for(against, setting)
        runs, absent = race(entries, names, asked, rounds=rounds, done=done)
    return comparison(runs, [*lacking, *absent], pairs)


def _check(against: Sequence[str], pythons: Mapping[str, Path], numbers: Mapping[str, int]) -> None:
    if not against:
        raise BadRequest("Nobody to compare with was named.")
    for name, number in numbers.items():
        if number < 1:
            raise BadRequest(f"{name} must be at least 1.")
    for name, python in pythons.items():
        if name not in against:
            raise BadRequest(f"{name} has an interpreter, but is not to be compared with.")
        if not python.is_file():
            raise BadRequest(f"{python}, the interpreter of {name}, does not exist.")
