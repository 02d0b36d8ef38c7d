"""How a collection is searched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Policy = Literal["best_face", "centroid"]
IndexKind = Literal["auto", "exact", "pq", "pgvector"]


@dataclass(frozen=True, slots=True)
class IndexChoices:
    """How a collection is searched.

    Attributes:
        kind: See `mien.gallery.index`; `auto`: exact up to `exact_up_to` faces; `pgvector`: PostgreSQL
            searches, see `mien.gallery.on_server`.
        exact_up_to: Most faces that are compared one by one.
        recall: Share of the true ten nearest that an approximate index has to find; measured when it is
            built.
        policy: Whether the nearest face speaks for a person, or the mean of all of them.
        folder: Where the index is saved; None: nowhere.
        save_from: Least rows that are worth saving; fewer are read from the store as fast.
        threads: For building and searching; 0: one per core.
    """

    kind: IndexKind = "auto"
    exact_up_to: int = 200_000
    recall: float = 0.995
    policy: Policy = "best_face"
    folder: Path | None = None
    save_from: int = 5_000
    threads: int = 0


@dataclass(frozen=True, slots=True)
class IndexOverview:
    """How an index searches.

    Attributes:
        kind: `exact`, or the kind of approximation.
        rows: Faces in it; people, where means of them decide.
        recall: Share of the ten nearest that it finds, measured when it was built; None: not measured.
        sample: On how many probes that was measured; 0 if nothing needed to be.
    """

    kind: str
    rows: int
    recall: float | None
    sample: int
