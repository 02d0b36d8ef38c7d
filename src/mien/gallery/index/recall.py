"""How many candidates codes must choose so that the true neighbours are among them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mien.gallery.index.answers import Flags, Floats, Slots
from mien.gallery.index.coded import Coded
from mien.gallery.index.kernels import Kernel
from mien.gallery.index.matrix import Matrix

# Neighbours whose recall is measured.
NEIGHBOURS = 10

_SAMPLE = 500
# Fewer relevant neighbours than this in the whole sample say nothing.
_LEAST_RELEVANT = 200
_FEWEST, _MOST = 32, 4096
_SHARE = 1 / 16
_STEPS_PER_OCTAVE = 4
# One-sided 95 %, so that a lucky sample does not decide.
_DEVIATES = 1.645


@dataclass(frozen=True, slots=True)
class Measured:
    """What was reached.

    Attributes:
        recall: Share of the true neighbours that are among the candidates.
        sample: Number of faces it was measured on.
        candidates: How many.
        enough: Whether recall is what was asked for, give or take the sample.
    """

    recall: float
    sample: int
    candidates: int
    enough: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The nearest neighbours of faces, without the faces themselves.

    Attributes:
        rows: Number of rows there are.
        slots: `(s,)` the faces.
        probes: `(s, d)` theirs.
        neighbours: `(s, 10)` rows, nearest first.
        counts: `(s, 10)` which of them count.
    """

    rows: int
    slots: Slots
    probes: Floats
    neighbours: Slots
    counts: Flags

    def reached(self, coded: Coded, recall: float) -> Measured:
        """The fewest candidates with which codes find so large a share of the neighbours that count."""
        most = int(max(_FEWEST, min(_MOST, self.rows * _SHARE)))
        chosen = coded.choose(self.probes, most + 1, None)
        # A neighbour is found if it is among the candidates, since these are compared in full.
        place = np.full(self.neighbours.shape, most + 1)
        for row, (candidates, true) in enumerate(zip(chosen, self.neighbours, strict=True)):
            others = candidates[candidates != self.slots[row]]
            hit = others[None, :] == true[:, None]
            place[row] = np.where(hit.any(1), hit.argmax(1), most + 1)
        for count in _steps(most):
            share, error = _share(place < count, self.counts)
            if share - _DEVIATES * error >= recall:
                return Measured(share, len(self.slots), count)
        return Measured(share, len(self.slots), count, enough=False)


def measure(matrix: Matrix, kernel: Kernel, order: Slots, relevant: float | None) -> Truth:
    """Find the true neighbours of some faces by comparing everything.

    Args:
        matrix: All rows; none of them erased.
        kernel: What near means.
        order: `(rows,)` rows in random order.
        relevant: Distance beyond which a neighbour does not count, unless next to none would.
    """
    slots = order[:_SAMPLE]
    probes = matrix.read(slots)
    found, _ = matrix.scan(probes, NEIGHBOURS + 1, None)
    neighbours = np.empty((len(slots), NEIGHBOURS), np.int64)
    distance = np.empty(neighbours.shape, np.float32)
    for row, nearest in enumerate(found):
        neighbours[row] = nearest[nearest != slots[row]][:NEIGHBOURS]
        distance[row] = kernel.distances(probes[row], matrix.read(neighbours[row]))
    counts = np.ones(neighbours.shape, np.bool_)
    if relevant is not None and (distance <= relevant).sum() >= _LEAST_RELEVANT:
        counts = distance <= relevant
    return Truth(matrix.rows, slots, probes, neighbours, counts)


def _steps(most: int) -> list[int]:
    octaves = math.log2(most / _FEWEST)
    steps = round(octaves * _STEPS_PER_OCTAVE)
    return [round(_FEWEST * 2 ** (octaves * step / max(steps, 1))) for step in range(steps + 1)]


def _share(found: Flags, counts: Flags) -> tuple[float, float]:
    """Share of the neighbours that count which were found, and its standard error; faces are the units."""
    hits, all_ = (found & counts).sum(1), counts.sum(1)
    share = hits.sum() / all_.sum()
    spread = hits - share * all_
    error = math.sqrt((spread**2).sum()) / all_.sum()
    return float(share), error
