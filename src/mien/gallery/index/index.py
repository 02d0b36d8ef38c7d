"""The index: rows and who they belong to, kept together while they change and are searched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.gallery.index.answers import Built, Candidates, Flags, Floats, Names, Owners, Slots
from mien.gallery.index.checks import check_counts, checked_faces, checked_names, checked_vectors, prepared
from mien.gallery.index.coded import Coded
from mien.gallery.index.gate import Gate
from mien.gallery.index.kernels import Kernel
from mien.gallery.index.matrix import Matrix
from mien.gallery.index.ranking import Ranking, rank
from mien.gallery.index.recall import NEIGHBOURS
from mien.gallery.index.roster import Roster
from mien.gallery.index.saved import save_index
from mien.gallery.index.workers import Workers
from mien.ops.vectors import Metric

# Too few rows found: look for so many times as many.
_WIDEN = 4
# Comparing fewer candidates than this saves nothing that could be noticed.
_CHOSEN = 128
# Codes pay while they leave most rows out; where only so small a share is allowed, there are few to compare.
_MOST_CHOSEN = 1 / 8
_LEAST_ALLOWED = 1 / 8
# From so many rows on, it is cheaper to sort all.
_WIDE = 16_384
_READ = 8192
# Probes at a time, which bounds memory.
_PROBES = 1024


@dataclass(frozen=True, slots=True, eq=False)
class _Ask:
    """What is wanted of every probe."""

    k: int
    people: bool
    allowed: Flags | None
    rows: int  # that are allowed


class Index:
    """Nearest faces and people. Threads may share it; made by `build` and `load`.

    Vectors are kept in half precision, which moves a cosine distance by about 0.00002. Distances are those of
    the kept vectors, computed in float32 whatever way a row was found.
    """

    def __init__(
        self,
        kernel: Kernel,
        roster: Roster,
        matrix: Matrix,
        coded: Coded | None,
        built: Built,
        workers: Workers,
        added: int = 0,
    ) -> None:
        self._kernel, self._workers = kernel, workers
        self._roster, self._matrix, self._coded = roster, matrix, coded
        self._built = built
        self._added = added
        self._gate = Gate()

    def __len__(self) -> int:
        return len(self._roster)

    def __repr__(self) -> str:
        return f"Index({len(self)} faces, {self.dim} numbers each, {self.metric}, {self._built.kind})"

    @property
    def metric(self) -> Metric:
        """What distance means."""
        return self._kernel.metric

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return self._matrix.dim

    @property
    def built(self) -> Built:
        """How it was built."""
        return self._built

    @property
    def stale_share(self) -> float:
        """How much of it is not as it was built, 0..1: rows that are free and, with codes, rows added since.

        1 if it has outgrown comparing everything since, and codes could be had; see `build`.
        """
        with self._gate.reading():
            outgrown = self._built.rows <= self._built.exact_up_to < len(self)
            if outgrown and self._coded is None and self._workers.faiss:
                return 1.0
            changed = self._roster.free + (self._added if self._coded else 0)
            return min(changed / max(self._roster.rows, 1), 1.0)

    def upsert(self, ids: Iterable[bytes], owners: Iterable[bytes], vectors: NDArray[Any]) -> None:
        """Add faces, or replace those that are known.

        Args:
            ids: n ids of faces, at most 13 bytes each.
            owners: n ids of whose faces they are.
            vectors: `(n, d)`; an empty index takes any d.

        Raises:
            BadRequest: An id comes twice, is empty or too long, or the shape or a number is wrong.
        """
        faces, whose = checked_faces(ids), checked_names(owners, "Owners")
        with self._gate.writing():
            given = checked_vectors(vectors, self.dim if len(self) else None, "Vectors")
            check_counts(faces, whose, given)
            if len(faces):
                self._place(faces, whose, prepared(given, self._kernel))

    def remove(self, ids: Iterable[bytes]) -> None:
        """Take faces out, and overwrite their numbers; unknown ids are ignored."""
        faces = np.unique(checked_names(ids, "Ids of faces"))
        with self._gate.writing():
            slots = self._roster.where(faces)
            self._matrix.erase(slots)
            if self._coded:
                self._coded.remove(slots)
            self._roster.release(slots)

    def reassign(self, ids: Iterable[bytes], owners: Iterable[bytes]) -> None:
        """Say whose faces are; unknown ids are ignored.

        Raises:
            BadRequest: An id comes twice, or there are not as many owners as ids.
        """
        faces, whose = checked_faces(ids), checked_names(owners, "Owners")
        check_counts(faces, whose)
        with self._gate.writing():
            known = self._roster.knows(faces)
            self._roster.give(self._roster.where(faces[known]), whose[known])

    def nearest(
        self, probes: NDArray[Any], k: int, *, owners: Owners | None = None, exact: bool = False
    ) -> Candidates:
        """The k nearest people of each probe, each by the nearest of their faces.

        Args:
            probes: `(q, d)`.
            k: How many people.
            owners: Whose faces to look among; None: everybody's.
            exact: Compare every row, also where codes would choose.

        Returns:
            Candidates, best first; among equal distances by the id of the face.

        Raises:
            BadRequest: k is less than one, or the shape or a number of a probe is wrong.
        """
        return self._search(probes, k, owners, exact, people=True)

    def faces(
        self, probes: NDArray[Any], k: int, *, owners: Owners | None = None, exact: bool = False
    ) -> Candidates:
        """The k nearest faces of each probe, several of one person among them; otherwise as `nearest`."""
        return self._search(probes, k, owners, exact, people=False)

    def save(self, sink: BinaryIO) -> None:
        """Write everything that `load` needs; nothing of removed faces is in it.

        Args:
            sink: Is written in pieces of a few megabytes.
        """
        with self._gate.reading():
            save_index(sink, self.metric, self._built, self._added, self._roster, self._matrix, self._coded)

    def _place(self, faces: Names, owners: Names, vectors: Floats) -> None:
        known = self._roster.where(faces)
        if self._coded:
            self._coded.remove(known)
        self._roster.release(known)
        if not len(self) and vectors.shape[1] != self.dim:
            self._roster, self._coded = Roster.empty(), None
            self._matrix = Matrix(vectors.shape[1], self._kernel, self._workers)
        slots = self._roster.place(faces, owners)
        self._matrix.resize(self._roster.rows)
        self._matrix.write(slots, vectors)
        if self._coded:
            # As they are read: what a saved index is encoded from when it is built anew.
            self._coded.add(slots, self._matrix.read(slots))
            self._added += len(slots) - len(known)

    def _search(
        self, probes: NDArray[Any], k: int, owners: Owners | None, exact: bool, *, people: bool
    ) -> Candidates:
        if k < 1:
            raise BadRequest(f"k must be at least 1, got {k}.")
        with self._gate.reading():
            given = checked_vectors(probes, self.dim if len(self) else None, "Probes")
            ready, answer = prepared(given, self._kernel), Candidates.none(len(given), k)
            allowed, most = (
                (None, self._roster.owners) if owners is None else self._roster.belonging_to(owners)
            )
            rows = len(self) if allowed is None else int(np.count_nonzero(allowed))
            ask = _Ask(min(k, most if people else rows), people, allowed, rows)
            for first in range(0, len(ready) if rows else 0, _PROBES):
                pending = list(range(first, min(first + _PROBES, len(ready))))
                if self._coded and not exact and rows >= _LEAST_ALLOWED * len(self):
                    pending = self._by_codes(self._coded, ready, ask, pending, answer)
                self._in_full(ready, ask, pending, answer)
        return answer

    def _by_codes(
        self, coded: Coded, probes: Floats, ask: _Ask, pending: list[int], answer: Candidates
    ) -> list[int]:
        """Answer what codes can; the probes that want a comparison with every row are left."""
        built = self._built
        # Most often the faces of one person come first, and then one each of others.
        wanted = ask.k + (len(self) / self._roster.owners if ask.people else 0)
        width = max(_CHOSEN, int(built.candidates * wanted / NEIGHBOURS))
        while pending and width <= _MOST_CHOSEN * ask.rows:
            slots = coded.choose(probes[pending], width, ask.allowed)
            left = []
            for i, row in zip(pending, slots, strict=True):
                chosen = row[row >= 0]
                distance = self._distances(probes[i], chosen)
                found = self._rank(chosen, distance, ask)
                # What recall was measured for: so many candidates for so many neighbours.
                depth = found.depth
                if built.relevant is not None:
                    depth = min(depth, int((distance <= built.relevant).sum()))
                if len(found.slots) == ask.k and depth * built.candidates <= width * NEIGHBOURS:
                    self._put(answer, i, found)
                else:
                    left.append(i)
            pending, width = left, width * _WIDEN
        return pending

    def _in_full(self, probes: Floats, ask: _Ask, pending: list[int], answer: Candidates) -> None:
        """Answer by comparing every row that is allowed."""
        width = (_WIDEN * ask.k if ask.people else ask.k) + 2 * _WIDEN
        while pending and width < min(ask.rows, _WIDE):
            slots, scores = self._matrix.scan(probes[pending], width, ask.allowed)
            left = []
            for i, found_slots, edge in zip(pending, slots, scores[:, -1].tolist(), strict=True):
                found = self._rank(found_slots, self._distances(probes[i], found_slots), ask)
                if len(found.slots) == ask.k and self._settled(probes[i], found, edge):
                    self._put(answer, i, found)
                else:
                    left.append(i)
            pending, width = left, width * _WIDEN
        if pending:
            everyone = np.flatnonzero(self._roster.living if ask.allowed is None else ask.allowed)
            for i in pending:
                self._put(answer, i, self._rank(everyone, self._distances(probes[i], everyone), ask))

    def _settled(self, probe: Floats, found: Ranking, edge: float) -> bool:
        """Whether no row beyond a score can be as near as the last that was found."""
        worst = self._kernel.score(float(found.distance[-1]))
        return worst > edge + self._kernel.slack(probe, edge)

    def _rank(self, slots: Slots, distance: Floats, ask: _Ask) -> Ranking:
        owners = self._roster.owner(slots) if ask.people else None
        return rank(slots, distance, self._roster.face(slots), owners, ask.k)

    def _distances(self, probe: Floats, slots: Slots) -> Floats:
        parts = (slots[start : start + _READ] for start in range(0, max(len(slots), 1), _READ))
        return np.concatenate([self._kernel.distances(probe, self._matrix.read(part)) for part in parts])

    def _put(self, answer: Candidates, row: int, found: Ranking) -> None:
        count = len(found.slots)
        answer.face[row, :count] = self._roster.face(found.slots)
        answer.owner[row, :count] = self._roster.names(found.slots)
        answer.distance[row, :count] = found.distance
