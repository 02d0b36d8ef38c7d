from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mien.gallery.index import chunks, matrix, workers


@pytest.fixture(params=["faiss", "numpy"])
def backend(request, monkeypatch):
    """Both ways of scanning; where FAISS is missing only one."""
    if request.param == "faiss":
        pytest.importorskip("faiss")
    else:
        monkeypatch.setattr(workers, "has_faiss", lambda: False)
    return request.param


@pytest.fixture
def small_chunks(monkeypatch):
    """Several chunks, blocks and threads already for a few hundred rows."""
    for module in (chunks, matrix):
        monkeypatch.setattr(module, "CHUNK", 64)
    monkeypatch.setattr(matrix, "_BLOCK", 40)


@dataclass
class Known:
    """Faces, owners and vectors, and what their neighbours are by looking at all of them."""

    metric: str
    ids: np.ndarray
    owners: np.ndarray
    vectors: np.ndarray

    def kept(self):
        """What half precision makes of the vectors."""
        return ready(self.metric, self.vectors).astype(np.float16).astype(np.float64)

    def distances(self, probes):
        pairs = ready(self.metric, np.asarray(probes)), self.kept()
        if self.metric == "euclidean":
            return cdist(*pairs)
        return np.clip(1 - pairs[0].astype(np.float64) @ pairs[1].T, 0, 2)

    def nearest(self, probes, k, owners=None, people=True):
        """For each probe the k smallest distances, of people or of faces."""
        chosen = np.ones(len(self.ids), bool) if owners is None else np.isin(self.owners, list(owners))
        found = np.full((len(probes), k), np.inf)
        people_of = [np.flatnonzero(self.owners == owner) for owner in set(self.owners[chosen].tolist())]
        for row, distance in zip(found, self.distances(probes), strict=True):
            each = [distance[rows].min() for rows in people_of] if people else distance[chosen]
            some = np.sort(each)[:k]
            row[: len(some)] = some
        return found

    def check(self, found, probes, k, owners=None, people=True):
        """That candidates are what they should be."""
        np.testing.assert_allclose(
            found.distance, self.nearest(probes, k, owners, people), atol=3e-6, rtol=3e-6
        )
        assert found.face.shape == found.owner.shape == (len(probes), k)
        assert found.distance.dtype == np.float32
        where = {face: i for i, face in enumerate(self.ids.tolist())}
        distances = self.distances(probes)
        for i, (faces, whose, distance) in enumerate(
            zip(found.face, found.owner, found.distance, strict=True)
        ):
            there = np.isfinite(distance)
            assert (faces[~there] == b"").all()
            assert (whose[~there] == b"").all()
            rows = [where[face] for face in faces[there].tolist()]
            assert len(set(rows)) == len(rows)
            assert self.owners[rows].tolist() == whose[there].tolist()
            assert not people or len(set(whose[there].tolist())) == there.sum()
            np.testing.assert_allclose(distance[there], distances[i][rows], atol=3e-6, rtol=3e-6)


def ready(metric, vectors):
    vectors = vectors.astype(np.float32)
    if metric == "cosine":
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(length > 0, length, 1)
    return vectors


@pytest.fixture
def crowd():
    """Make n faces of people in d dimensions, several faces each."""

    def make(metric, n, d, *, per_person=4, noise=0.7, seed=0):
        rng = np.random.default_rng(seed)
        owner = rng.integers(0, max(n // per_person, 1), n)
        centre = rng.normal(0, 1, (n, d))[owner]
        vectors = (centre + noise * rng.normal(0, 1, (n, d))).astype(np.float32)
        ids = np.array([f"f{i:07d}" for i in rng.permutation(n)], "S13")
        return Known(metric, ids, np.array([f"p{o}" for o in owner], "S13"), vectors)

    return make
