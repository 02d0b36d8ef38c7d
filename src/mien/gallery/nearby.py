"""The index of a collection, kept in step with the store and saved beside it.

The store is the truth and numbers its changes; an index knows up to which it has followed. Before every
search it asks for what came later, from whichever process, so that a face is found as soon as it is
acknowledged and not found as soon as it is deleted. A saved index is sealed by a key of its collection that
is exchanged whenever somebody is forgotten: what was saved before opens no more.
"""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import GalleryError, IndexStale
from mien.gallery.centroids import centroids
from mien.gallery.choices import IndexChoices, IndexOverview
from mien.gallery.index import Candidates, Index, Kind, build, load
from mien.gallery.store.reading import (
    Snapshot,
    Templates,
    changed_people,
    dropped,
    index_key,
    templates,
)
from mien.gallery.store.records import Collection
from mien.gallery.store.store import Store
from mien.gallery.vault.streams import SealedReader, SealedWriter
from mien.ops.vectors import Metric

# Beyond this share of rows that came or went an approximate index is built anew.
_STALE = 0.3


class Head(msgspec.Struct, frozen=True):
    """What a saved index says of itself before its rows."""

    store: str
    collection: str
    space: str
    metric: str
    policy: str
    change: int


class Nearby:
    """Finds the nearest people of one collection; threads may share it.

    Args:
        store: The truth.
        collection: Whose index.
        metric: What distance means in its space.
        choices: How it is searched.

    """

    def __init__(self, store: Store, collection: Collection, metric: Metric, choices: IndexChoices) -> None:
        self._store, self._collection, self._metric, self._choices = store, collection, metric, choices
        self._index: Index | None = None
        self._change = -1
        self._saved_change = -1
        self._lock = threading.RLock()

    def index(self) -> Index:
        """The index as of now: every change that was acknowledged before is in it."""
        with self._lock:
            if self._index is not None and self._store.change == self._change:
                return self._index
            before = self._index
            with self._store.reading() as snapshot:
                if self._index is None and not self._load(snapshot):
                    self._build(snapshot)
                assert self._index is not None  # noqa: S101 - loaded or built
                self._follow(snapshot)
            if self._index is not before and self._saved_change < 0:
                self.save()
            return self._index

    def follow(self) -> None:
        """Take in what changed, if the index is in use."""
        if self._index is not None:
            self.index()

    def nearest(
        self, probes: NDArray[np.float32], k: int, owners: NDArray[np.bytes_] | None = None
    ) -> Candidates:
        """The k nearest people for each probe `(q, d)`; see `mien.gallery.index.Index.nearest`."""
        return self.index().nearest(probes, k, owners=owners)

    def faces(
        self, probes: NDArray[np.float32], k: int, owners: NDArray[np.bytes_] | None = None
    ) -> Candidates:
        """The k nearest faces for each probe `(q, d)`; see `mien.gallery.index.Index.faces`."""
        return self.index().faces(probes, k, owners=owners)

    def described(self) -> IndexOverview:
        """How it searches, after it was opened or built."""
        index = self.index()
        return IndexOverview(index.built.kind, len(index), index.built.recall, index.built.sample)

    def save(self) -> bool:
        """Save the index, so that it need not be built when the store is opened next.

        Nothing depends on it: where it cannot be written it is built again.

        Returns:
            Whether it was saved.
        """
        with self._lock:
            file = self._file()
            if self._index is None or file is None or len(self._index) < self._choices.save_from:
                return False
            unfinished = file.with_suffix(".unfinished")
            try:
                # Somebody forgotten by another process must not be written down again.
                self.follow()
                if self._saved_change == self._change:
                    return True
                if not self._write(unfinished):
                    return False
                unfinished.replace(file)
            except (OSError, GalleryError):
                return False
            finally:
                with suppress(OSError):
                    unfinished.unlink(missing_ok=True)
            self._saved_change = self._change
            return True

    def purge(self) -> None:
        """Delete what was saved of this collection, and follow the store at once."""
        with self._lock:
            if self._choices.folder is not None:
                delete_saved(self._choices.folder, self._collection.id)
            self._saved_change = -1
            self.follow()

    def _build(self, snapshot: Snapshot) -> None:
        rows = self._rows(templates(snapshot, self._collection))
        # Who asks for pgvector never comes here; see `Gallery`.
        kind: Kind | Literal["auto"] = "auto" if self._choices.kind == "pgvector" else self._choices.kind
        self._index = build(
            self._metric,
            rows.face,
            rows.person,
            rows.vectors,
            kind=kind,
            exact_up_to=self._choices.exact_up_to,
            recall=self._choices.recall,
            threads=self._choices.threads,
        )
        self._change = snapshot.change
        self._saved_change = -1

    def _follow(self, snapshot: Snapshot) -> None:
        """Take in what changed since."""
        index = self._index
        if index is None or snapshot.change == self._change:
            return
        here, after = self._collection, self._change
        lost = dropped(snapshot, here.id, after)
        if self._choices.policy == "centroid":
            people = sorted({*changed_people(snapshot, here.id, after), *lost.people})
            rows = self._rows(templates(snapshot, here, person_ids=people))
            # Only who is gone: others may be searching.
            index.remove(np.setdiff1d(np.array(people, "S13"), rows.face))
        else:
            index.remove(np.array(lost.faces, "S13"))
            rows = self._rows(templates(snapshot, here, after=after))
        if len(rows):
            index.upsert(rows.face, rows.person, rows.vectors)
        self._change = snapshot.change
        if index.stale_share > _STALE:
            self._build(snapshot)

    def _rows(self, found: Templates) -> Templates:
        return centroids(found, self._metric) if self._choices.policy == "centroid" else found

    def _load(self, snapshot: Snapshot) -> bool:
        file = self._file()
        if file is None or not file.exists():
            return False
        key = index_key(snapshot, self._collection.id)
        try:
            with file.open("rb") as raw, io.BufferedReader(SealedReader(raw, key, file.name)) as sealed:
                head = _read_head(sealed)
                if head != self._head(head.change) or head.change > snapshot.change:
                    return False
                self._index = load(sealed)
        except (OSError, IndexStale):
            with suppress(OSError):
                file.unlink(missing_ok=True)  # of no use to anybody any more
            return False
        self._change = self._saved_change = head.change
        return True

    def _write(self, file: Path) -> bool:
        """Write it, if it is as the store is now; the key is of this moment too."""
        assert self._index is not None  # noqa: S101 - asked before
        with self._store.reading() as snapshot:
            key = index_key(snapshot, self._collection.id)
            if snapshot.change != self._change:
                return False
        file.parent.mkdir(parents=True, exist_ok=True)
        name = file.with_suffix(".index").name
        with file.open("wb") as raw, io.BufferedWriter(SealedWriter(raw, key, name)) as sealed:
            head = msgspec.json.encode(self._head(self._change))
            sealed.write(len(head).to_bytes(4, "big") + head)
            self._index.save(sealed)
        return True

    def _head(self, change: int) -> Head:
        here = self._collection
        return Head(self._store.id, here.id, here.space, self._metric, self._choices.policy, change)

    def _file(self) -> Path | None:
        folder = self._choices.folder
        return None if folder is None else folder / f"{self._collection.id}.{self._choices.policy}.index"


def delete_saved(folder: Path, collection_id: str) -> None:
    """Delete the saved indexes of a collection; they open no more."""
    for file in folder.glob(f"{collection_id}.*"):
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _read_head(sealed: BinaryIO) -> Head:
    try:
        size = int.from_bytes(sealed.read(4), "big")
        return msgspec.json.decode(sealed.read(min(size, 65536)), type=Head)
    except msgspec.DecodeError as error:
        raise IndexStale("A saved index of another version.") from error
