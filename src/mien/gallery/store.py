"""Where embeddings of known people are kept."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import PersonUnknown

Vectors = NDArray[np.float32]


class Store(Protocol):
    """The truth about who is known; everything else is derived from it."""

    def add(self, person: str, vectors: Vectors) -> None:
        """Keep more embeddings `(n, d)` of a person, known or new."""
        ...

    def remove(self, person: str) -> None:
        """Forget a person. Raises PersonUnknown."""
        ...

    def people(self) -> tuple[str, ...]:
        """Names in the order of enrolment."""
        ...

    def all_vectors(self) -> tuple[tuple[str, ...], Vectors]:
        """Every embedding with its person: n names and `(n, d)`."""
        ...


class MemoryStore:
    """Keeps people for as long as the process lives; threads may share it."""

    def __init__(self) -> None:
        self._vectors: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def add(self, person: str, vectors: Vectors) -> None:
        """See `Store.add`."""
        with self._lock:
            known = self._vectors.get(person)
            self._vectors[person] = vectors.copy() if known is None else np.concatenate([known, vectors])

    def remove(self, person: str) -> None:
        """See `Store.remove`."""
        with self._lock:
            known = self._vectors.pop(person, None)
        if known is None:
            raise PersonUnknown(f"Nobody called {person!r} is enrolled.")

    def people(self) -> tuple[str, ...]:
        """See `Store.people`."""
        with self._lock:
            return tuple(self._vectors)

    def all_vectors(self) -> tuple[tuple[str, ...], Vectors]:
        """See `Store.all_vectors`."""
        with self._lock:
            vectors = dict(self._vectors)
        names = tuple(person for person, rows in vectors.items() for _ in rows)
        rows = list(vectors.values())
        return names, np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)
