"""The nearest of many faces: an index in memory over ids, owners and vectors, and nothing else.

It knows no store, no keys and no photographs. Whoever holds the truth builds it, tells it of every change,
and may save it; a saved index that cannot be used is thrown away and built anew.

    build(metric, ids, owners, vectors, *, kind="auto", exact_up_to=200_000, recall=0.995, relevant=None,
          threads=0) -> Index
    load(source, *, threads=0) -> Index                        raises IndexStale

    Index.upsert(ids, owners, vectors)                         known ids are replaced
    Index.remove(ids)                                          unknown ids are ignored
    Index.reassign(ids, owners)                                other owners, same vectors
    Index.nearest(probes, k, *, owners=None, exact=False)      -> Candidates: k people, by their nearest face
    Index.faces(probes, k, *, owners=None, exact=False)        -> Candidates: k faces
    Index.save(sink)
    Index.built                                                -> Built: kind, measured recall, parameters
    Index.stale_share                                          0..1: worth building anew when large
    len(index)                                                 faces

How it searches:

    exact     every row is compared, in half precision; with FAISS or, without it, NumPy
    pq        every row is compared in a code of a few dozen bytes, and the best candidates once more by their
              rows; chosen and measured when the index is built
"""

from mien.gallery.index.answers import Built, Candidates, Kind
from mien.gallery.index.building import build, load
from mien.gallery.index.index import Index

__all__ = ["Built", "Candidates", "Index", "Kind", "build", "load"]
