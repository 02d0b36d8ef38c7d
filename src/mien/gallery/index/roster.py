"""Which row of an index holds which face, and whose it is."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mien.gallery.index.answers import NAME, Flags, Names, Owners, Slots

_NOBODY = -1
_LEAST = 64


class Roster:
    """Faces by row number, from 0; rows of removed faces are free until the next face takes them.

    Args:
        faces: `(rows,)` ids; empty where a row is free.
        numbers: `(rows,)` of their owners; -1 where a row is free.
        owners: Those whom the numbers count from 0.
    """

    def __init__(self, faces: Names, numbers: NDArray[np.int32], owners: Names) -> None:
        self._face, self._owner = faces, numbers
        self._owners: list[bytes] = owners.tolist()
        self._free: list[int] = np.flatnonzero(numbers == _NOBODY).tolist()
        self.rows = len(faces)

    @classmethod
    def empty(cls) -> Roster:
        """Nobody."""
        return cls(np.zeros(0, NAME), np.zeros(0, np.int32), np.zeros(0, NAME))

    # Both are large and made when first needed: an index that is opened and only searched does without.
    @cached_property
    def _slot(self) -> dict[bytes, int]:
        rows = np.flatnonzero(self.living)
        return dict(zip(self._face[rows].tolist(), rows.tolist(), strict=True))

    @cached_property
    def _number(self) -> dict[bytes, int]:
        return {owner: number for number, owner in enumerate(self._owners)}

    def __len__(self) -> int:
        return self.rows - len(self._free)

    @property
    def free(self) -> int:
        """How many rows are free."""
        return len(self._free)

    @property
    def living(self) -> Flags:
        """`(rows,)` which of them hold a face."""
        held: Flags = self._owner[: self.rows] != _NOBODY
        return held

    @property
    def owners(self) -> int:
        """How many there are; some may have no face any more."""
        return len(self._owners)

    def face(self, slots: Slots) -> Names:
        """The ids of the faces in some rows."""
        return self._face[slots]

    def owner(self, slots: Slots) -> NDArray[np.int32]:
        """The numbers of the owners of some rows; they mean something to this roster only."""
        return self._owner[slots]

    def names(self, slots: Slots) -> Names:
        """The owners of some rows that hold faces."""
        return np.array([self._owners[number] for number in self._owner[slots].tolist()], NAME)

    def knows(self, faces: Names) -> Flags:
        """`(n,)` which faces are known."""
        return np.array([face in self._slot for face in faces.tolist()], np.bool_)

    def where(self, faces: Names) -> Slots:
        """The rows of those faces that are known."""
        found = (self._slot.get(face) for face in faces.tolist())
        return np.array([slot for slot in found if slot is not None], np.int64)

    def belonging_to(self, owners: Owners) -> tuple[Flags, int]:
        """`(rows,)` which hold a face of one of these owners, and how many of these are known."""
        known = {self._number[owner] for owner in map(bytes, owners) if owner in self._number}
        wanted = np.zeros(len(self._owners) + 1, np.bool_)  # nobody is the last
        wanted[list(known)] = True
        return wanted[self._owner[: self.rows]], len(known)

    def place(self, faces: Names, owners: Names) -> Slots:
        """Rows for faces that are not known; `rows` may be more afterwards."""
        slot = self._slot  # made of the rows as they are now
        reused = [self._free.pop() for _ in range(min(len(self._free), len(faces)))]
        first, self.rows = self.rows, self.rows + len(faces) - len(reused)
        slots = np.array([*reused, *range(first, self.rows)], np.int64)
        self._make_room()
        self._face[slots] = faces
        slot.update(zip(faces.tolist(), slots.tolist(), strict=True))
        self.give(slots, owners)
        return slots

    def give(self, slots: Slots, owners: Names) -> None:
        """Say whose some rows are."""
        numbers = []
        for owner in owners.tolist():
            numbers.append(self._number.setdefault(owner, len(self._owners)))
            if numbers[-1] == len(self._owners):
                self._owners.append(owner)
        self._owner[slots] = numbers

    def release(self, slots: Slots) -> None:
        """Make rows free."""
        for face in self._face[slots].tolist():
            del self._slot[face]
        self._face[slots] = b""
        self._owner[slots] = _NOBODY
        self._free.extend(slots.tolist())

    def columns(self) -> tuple[Names, NDArray[np.int32], Names]:
        """What to save.

        Returns:
            Faces `(rows,)`; their owners `(rows,)`, as numbers among the owners who have faces; these owners.
        """
        owner = self._owner[: self.rows]
        used, numbers = np.unique(owner[owner != _NOBODY], return_inverse=True)
        compact = np.full(self.rows, _NOBODY, np.int32)
        compact[owner != _NOBODY] = numbers
        return self._face[: self.rows], compact, np.array([self._owners[number] for number in used], NAME)

    def _make_room(self) -> None:
        if self.rows > len(self._face):
            room = max(2 * len(self._face), self.rows, _LEAST)
            self._face = np.concatenate([self._face, np.zeros(room - len(self._face), NAME)])
            missing = np.full(room - len(self._owner), _NOBODY, np.int32)
            self._owner = np.concatenate([self._owner, missing])
