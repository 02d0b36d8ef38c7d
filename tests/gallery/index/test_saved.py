import io

import numpy as np
import pytest

from mien.errors import IndexStale
from mien.gallery.index import build, load

SECRET = 517.0  # a number that half precision holds, and that occurs nowhere else


def saved(index):
    sink = io.BytesIO()
    index.save(sink)
    return sink.getvalue()


class Trickle(io.BytesIO):
    """Gives at most 1,000 bytes at a time, as a stream that decrypts may."""

    def read(self, size=-1):
        return super().read(min(size, 1000))


def small(crowd, metric="cosine", n=300):
    known = crowd(metric, n, 10)
    return known, build(metric, known.ids, known.owners, known.vectors, exact_up_to=10_000)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("source", [io.BytesIO, Trickle])
def test_round_trip(crowd, backend, small_chunks, metric, source):
    known, index = small(crowd, metric)
    index.remove(known.ids[10:50])
    probes = known.vectors[:4] + 0.1
    before = index.nearest(probes, 6)
    again = load(source(saved(index)), threads=2)
    assert len(again) == 260
    assert again.built == index.built
    assert (again.metric, again.dim, again.stale_share) == (metric, 10, index.stale_share)
    after = again.nearest(probes, 6)
    for name in ("face", "owner", "distance"):
        assert getattr(after, name).tolist() == getattr(before, name).tolist()
    # It can go on: free rows are taken, owners known.
    again.upsert(known.ids[10:50], known.owners[10:50], known.vectors[10:50])
    known.check(again.nearest(probes, 6), probes, 6)


def test_nobody_round_trips(backend):
    again = load(io.BytesIO(saved(build("cosine", [], [], np.zeros((0, 0))))))
    assert len(again) == 0
    again.upsert([b"a"], [b"A"], np.ones((1, 3)))
    assert again.nearest(np.ones((1, 3)), 1).owner.tolist() == [[b"A"]]


def test_one_backend_reads_what_the_other_wrote(crowd, monkeypatch):
    pytest.importorskip("faiss")
    known, index = small(crowd)
    content, probes = saved(index), known.vectors[:3] + 0.1
    monkeypatch.setattr("mien.gallery.index.workers.has_faiss", lambda: False)
    other = load(io.BytesIO(content))
    assert other.nearest(probes, 4).face.tolist() == index.nearest(probes, 4).face.tolist()
    assert saved(other) == content


def test_what_is_removed_is_not_in_the_file(crowd, backend):
    known, index = small(crowd)
    vector = known.vectors[7]
    trace = (vector / np.linalg.norm(vector)).astype(np.float16).tobytes()
    loner = np.array([[*[0.01] * 9, 1.0]])
    index.upsert([b"loner-face"], [b"loner-person"], loner)
    before = saved(index)
    for part in (trace, known.ids[7], b"loner-face", b"loner-person"):
        assert part in before
    index.remove([known.ids[7], b"loner-face"])
    after = saved(index)
    for part in (trace, known.ids[7], b"loner-face", b"loner-person"):
        assert part not in after


def test_replaced_vectors_are_not_in_the_file(backend):
    index = build("euclidean", [b"a", b"b"], [b"A", b"B"], np.full((2, 6), SECRET))
    trace = np.full(6, SECRET, np.float16).tobytes()
    assert trace in saved(index)
    index.upsert([b"a", b"b"], [b"A", b"A"], np.ones((2, 6)))
    assert trace not in saved(index)
    assert b"B\0\0" not in saved(index)


def test_cut_short_anywhere(crowd, backend):
    content = saved(small(crowd)[1])
    for length in [*range(0, 60, 7), *range(60, len(content), 997), len(content) - 1]:
        with pytest.raises(IndexStale):
            load(io.BytesIO(content[:length]))


@pytest.mark.parametrize("kind", ["exact", "pq"])
def test_a_changed_bit_anywhere(crowd, rng, kind):
    if kind == "pq":
        pytest.importorskip("faiss")
    known = crowd("cosine", 2000, 8)
    content = saved(build("cosine", known.ids, known.owners, known.vectors, kind=kind))
    for place in [*range(40), *rng.integers(0, len(content), 100).tolist()]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(IndexStale):
            load(io.BytesIO(damaged))


def test_no_index_at_all():
    for content in (b"", b"x", b"\x80\x04pickle" * 20, b"Mien index 2\n" + bytes(100)):
        with pytest.raises(IndexStale) as refused:
            load(io.BytesIO(content))
        assert refused.value.hint


def test_codes_without_faiss_are_stale(crowd, monkeypatch):
    pytest.importorskip("faiss")
    known = crowd("cosine", 2000, 8)
    content = saved(build("cosine", known.ids, known.owners, known.vectors, kind="pq"))
    monkeypatch.setattr("mien.gallery.index.workers.has_faiss", lambda: False)
    with pytest.raises(IndexStale):
        load(io.BytesIO(content))
