"""What an index says: who is near, and how it was built."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["exact", "pq"]

# Ids of faces and owners: at most 13 ASCII characters.
NAME = np.dtype("S13")

Names = NDArray[np.bytes_]
Floats = NDArray[np.float32]
Slots = NDArray[np.int64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.integer[Any]]
Owners = Names | Collection[bytes]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Candidates:
    """The k nearest of each of q probes, best first.

    Attributes:
        face: `(q, k)` S13 ids of faces; empty where fewer are known.
        owner: `(q, k)` S13 whose they are; empty where fewer are known.
        distance: `(q, k)` float32; infinite where fewer are known.
    """

    face: Names
    owner: Names
    distance: Floats

    @classmethod
    def none(cls, probes: int, k: int) -> Candidates:
        """Nobody is known, for so many probes and places."""
        shape = (probes, k)
        return cls(np.zeros(shape, NAME), np.zeros(shape, NAME), np.full(shape, np.inf, np.float32))

    def __len__(self) -> int:
        return len(self.distance)

    def __repr__(self) -> str:
        return "Candidates({} probes, {} places)".format(*self.distance.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """How an index was built, and what it reached then.

    Attributes:
        kind: How it searches.
        rows: Faces that it was built from.
        seconds: How long that took.
        recall: Share of the ten nearest faces that it finds; 1 if it compares everything.
        sample: Faces, each left out in turn, on which that was measured; 0 if nothing needed to be.
        target: The recall that was asked for.
        relevant: Distance beyond which a face did not count as one to be found; None: all counted.
        code_bytes: Bytes of a code; 0 if there are none.
        candidates: How many faces the codes choose for comparison, for ten that are asked for.
        exact_up_to: Number of faces up to which everything is compared.
    """

    kind: Kind
    rows: int
    seconds: float
    recall: float
    sample: int
    target: float
    relevant: float | None
    code_bytes: int
    candidates: int
    exact_up_to: int
