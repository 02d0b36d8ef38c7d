"""What tests of the gallery have in common: a rule, vectors, and people to be enrolled."""

import hashlib

import numpy as np

from mien.errors import MienError
from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.sql.schema import METADATA
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, Provenance, about
from mien.gallery.store.store import Store
from mien.gallery.vault.master import LocalKey

KEY = LocalKey(bytes(range(32)))
OTHER_KEY = LocalKey(bytes(range(1, 33)))
RULE = DecisionRule("s", "euclidean", 0.6, 0.001)
COSINE = DecisionRule("s", "cosine", 0.3, 0.001)


class Place:
    """Where a store is kept, and its key; opens it as often as a test likes and closes it in the end."""

    def __init__(self, address, kind):
        self.address, self.kind = address, kind
        self._open = []

    def store(self, key=KEY, **options):
        opened = Store(self.address, key, **options)
        self._open.append(opened)
        return opened

    def gallery(self, rule=RULE, collection="default", *, store=None, **options):
        return Gallery(store or self.store(), rule, collection, **options)

    def close(self):
        for store in self._open:
            store.close()


def vectors(*rows):
    return np.array(rows, np.float32)


def spread(rng, n, d=32):
    """`(n, d)` vectors of length one, far from each other as strangers are."""
    found = rng.normal(0, 1, (n, d)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def face(vector, digest="", box=(0, 0, 10, 10), **options):
    provenance = Provenance(source="photo.jpg", digest=digest, box=box) if digest else Provenance()
    return NewFace(np.asarray(vector, np.float32), provenance, **options)


def newcomer(name, *found, tags=(), metadata=None, note="", until=None, **options):
    """Somebody with faces, which are vectors or `NewFace`s."""
    faces = [one if isinstance(one, NewFace) else face(one) for one in found]
    return Newcomer(about(name, tags, metadata, note), faces, until, **options)


def names(gallery, probes, k=1, **options):
    return gallery.identify(probes, gallery.rule.space, k, **options).person.tolist()


def refused(action, *arguments, **options):
    """The error with which something is refused."""
    try:
        action(*arguments, **options)
    except MienError as error:
        return error
    raise AssertionError("it was not refused")


def ids_of(gallery, who):
    return [one.id for one in gallery.faces(who)]


def unnamed(gallery):
    return next(person for person in gallery.people() if person.about.name is None)


def state(gallery):
    """All that is known, for comparing before and after."""
    found = gallery.templates()
    rows = sorted(zip(found.face, found.person, map(tuple, found.vectors.tolist()), strict=True))
    faces = [
        (one.id, one.provenance, one.has_crop)
        for person in gallery.people()
        for one in gallery.faces(person.id)
    ]
    return gallery.people(), faces, rows, len(gallery)


def contents(folder):
    """What lies in a folder, byte for byte."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def sized(rows):
    return [newcomer(f"p{i}", row, note="n" * 300) for i, row in enumerate(rows)]


def rows_of(store):
    with store.reading() as snapshot:
        return {
            name: [
                tuple(row) for row in snapshot.connection.execute(table.select().order_by(*table.primary_key))
            ]
            for name, table in METADATA.tables.items()
            if name not in {"collection", "store", "backup", "audit"}
        }
