import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadRequest, ExtraMissing
from mien.gallery.index import build

METRICS = ("cosine", "euclidean")
pytestmark = pytest.mark.usefixtures("backend")


def built(known, **options):
    return build(known.metric, known.ids, known.owners, known.vectors, **options)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "d"), [(1, 1), (7, 2), (300, 5), (700, 128)])
@pytest.mark.parametrize("probes", [1, 3, 20])
def test_people_and_faces_are_those_of_brute_force(crowd, rng, small_chunks, metric, n, d, probes):
    known = crowd(metric, n, d)
    index = built(known, threads=3)
    looked = rng.normal(0, 1, (probes, d))
    for k in (1, 4, n + 3):
        known.check(index.nearest(looked, k), looked, k)
        known.check(index.faces(looked, k), looked, k, people=False)


@pytest.mark.parametrize("metric", METRICS)
def test_at_the_size_of_real_chunks(crowd, rng, metric):
    known = crowd(metric, 9000, 16)
    index = built(known)
    for count in (1, 15):
        looked = rng.normal(0, 1, (count, 16))
        known.check(index.nearest(looked, 5), looked, 5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("probes", [2, 15])
def test_filters(crowd, rng, small_chunks, metric, probes):
    known = crowd(metric, 500, 12)
    index = built(known, threads=2)
    looked = rng.normal(0, 1, (probes, 12))
    everyone = sorted(set(known.owners.tolist()))
    for owners in ([], [b"nobody"], everyone[:1], [*everyone[5:40], b"nobody", everyone[5]], everyone):
        for given_as in (owners, np.array(owners, "S13"), set(owners)):
            known.check(index.nearest(looked, 3, owners=given_as), looked, 3, owners)
        known.check(index.faces(looked, 30, owners=owners), looked, 30, owners, people=False)


def test_a_thousand_faces_of_one_do_not_hide_the_second(rng):
    many = np.ones((1000, 8)) + rng.normal(0, 0.01, (1000, 8))
    others = rng.normal(0, 1, (5, 8))
    owners = np.array([b"many"] * 1000 + [b"o%d" % i for i in range(5)])
    ids = np.array([b"f%d" % i for i in range(1005)])
    index = build("cosine", ids, owners, np.concatenate([many, others]))
    found = index.nearest(np.ones((1, 8)), 6)
    assert found.owner[0, 0] == b"many"
    assert sorted(found.owner[0, 1:].tolist()) == [b"o0", b"o1", b"o2", b"o3", b"o4"]
    assert (index.faces(np.ones((1, 8)), 500).owner == b"many").all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("probes", [1, 14])
def test_equals_come_by_id_however_many(rng, small_chunks, metric, probes):
    one, other = rng.normal(0, 1, (2, 6))
    order = rng.permutation(300)
    ids = np.array([b"f%04d" % i for i in order])
    owners = np.array([b"p%04d" % (i % 150) for i in order])
    index = build(metric, ids, owners, np.array([one if i < 290 else other for i in order]), threads=2)
    found = index.nearest(np.tile(one, (probes, 1)), 7)
    for i in range(probes):
        assert found.face[i].tolist() == [b"f%04d" % j for j in range(7)]
        assert len(set(found.distance[i].tolist())) == 1


def test_one_at_a_time_is_as_all_at_once(crowd, rng, small_chunks):
    known = crowd("cosine", 400, 24)
    index = built(known)
    looked = rng.normal(0, 1, (40, 24))
    together = index.nearest(looked, 5)
    for i in range(40):
        alone = index.nearest(looked[i : i + 1], 5)
        assert alone.face[0].tolist() == together.face[i].tolist()
        assert alone.distance[0].tolist() == together.distance[i].tolist()


def test_both_backends_give_the_same_bits(crowd, rng, monkeypatch, backend):
    pytest.importorskip("faiss")
    known, looked = crowd("euclidean", 600, 40), rng.normal(0, 1, (15, 40))
    here = built(known).nearest(looked, 5)
    monkeypatch.setattr("mien.gallery.index.workers.has_faiss", lambda: backend == "numpy")
    there = built(known).nearest(looked, 5)
    assert here.face.tolist() == there.face.tolist()
    assert here.distance.tolist() == there.distance.tolist()


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=3, max_size=3), max_size=14),
    probe=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=3, max_size=3),
    k=st.integers(1, 6),
    people=st.integers(1, 5),
    metric=st.sampled_from(METRICS),
)
def test_few_values_many_ties(values, probe, k, people, metric):
    ids = np.array([b"%03d" % (i * 7 % 100) for i in range(len(values))], "S13")
    owners = np.array([b"p%d" % (i % people) for i in range(len(values))], "S13")
    vectors = np.array(values, np.float32).reshape(-1, 3)
    found = build(metric, ids, owners, vectors).nearest(np.array([probe]), k)
    # The distances of all rows, from an index of each alone: what is checked here is the order.
    rows = []
    for i in range(len(values)):
        alone = build(metric, ids[i : i + 1], owners[i : i + 1], vectors[i : i + 1])
        rows.append((float(alone.faces(np.array([probe]), 1).distance[0, 0]), ids[i], owners[i]))
    best = {}
    for distance, face, owner in sorted(rows):
        best.setdefault(owner, (distance, face))
    expected = sorted((*row, owner) for owner, row in best.items())[:k]
    assert found.face[0].tolist() == [face for _, face, _ in expected] + [b""] * (k - len(expected))
    assert found.owner[0].tolist() == [owner for *_, owner in expected] + [b""] * (k - len(expected))


def test_a_vector_of_zeros_is_like_nothing():
    index = build("cosine", [b"a", b"z"], [b"A", b"Z"], np.array([[1.0, 0], [0, 0]]))
    found = index.nearest(np.array([[1.0, 0], [0, 0]]), 2)
    assert found.owner.tolist() == [[b"A", b"Z"], [b"A", b"Z"]]
    assert found.distance.tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize("metric", METRICS)
def test_nobody_is_known(metric):
    index = build(metric, [], [], np.zeros((0, 0)))
    found = index.nearest(np.ones((2, 512)), 3)
    assert found.distance.tolist() == [[np.inf] * 3] * 2
    assert (found.face == b"").all()
    assert (found.owner == b"").all()
    assert len(index) == 0
    assert index.stale_share == 0
    assert index.nearest(np.ones((0, 512)), 3).distance.shape == (0, 3)
    index.upsert([], [], np.zeros((0, 0)))
    index.upsert([b"a"], [b"A"], np.ones((1, 512)))
    assert index.dim == 512
    assert index.nearest(np.ones((0, 512)), 3).distance.shape == (0, 3)
    assert index.nearest(np.ones((1, 512)), 2).owner.tolist() == [[b"A", b""]]


def test_what_is_refused(crowd):
    index = build("cosine", [b"a"], [b"A"], np.ones((1, 4)))
    good = np.ones((1, 4))
    for broken in (np.nan, np.inf, -np.inf):
        for call in (lambda v: index.nearest(v, 1), lambda v: index.upsert([b"b"], [b"B"], v)):
            with pytest.raises(BadRequest):
                call(np.array([[1, 2, 3, broken]]))
    for call in (
        lambda: index.nearest(good, 0),
        lambda: index.faces(np.ones((1, 5)), 1),
        lambda: index.nearest(np.ones(4), 1),
        lambda: index.upsert([b"b"], [b"B"], np.ones((1, 5))),
        lambda: index.upsert([b"b"], [b"B"], np.ones((2, 4))),
        lambda: index.upsert([b"b"], [b"B", b"C"], good),
        lambda: index.upsert([b"b", b"b"], [b"B", b"B"], np.ones((2, 4))),
        lambda: index.upsert([b""], [b"B"], good),
        lambda: index.upsert([b"b"], [b"B" * 14], good),
        lambda: index.upsert(["text"], [b"B"], good),
        lambda: index.upsert(np.zeros((1, 1), "S13"), [b"B"], good),
        lambda: index.upsert([b"b"], [b"B"], np.array([list("text")])),
        lambda: index.reassign([b"a"], []),
        lambda: build("cosine", [b"a"], [b"A"], np.ones((2, 4))),
        lambda: build("cosine", [b"a"], [b"A"], good, kind="hnsw"),
        lambda: build("manhattan", [b"a"], [b"A"], good),
        lambda: build("cosine", [b"a"], [b"A"], good, recall=0),
        lambda: build("euclidean", [b"a"], [b"A"], good * 1e5),
    ):
        with pytest.raises(BadRequest):
            call()
    assert len(index) == 1
    assert index.nearest(good, 2).owner.tolist() == [[b"A", b""]]


def test_more_probes_than_are_taken_at_once(crowd, rng, monkeypatch):
    monkeypatch.setattr("mien.gallery.index.index._PROBES", 16)
    known, looked = crowd("cosine", 200, 8), rng.normal(0, 1, (70, 8))
    known.check(built(known).nearest(looked, 3), looked, 3)


def test_reprs_hold_numbers_only(crowd):
    known = crowd("cosine", 20, 6)
    index = built(known)
    found = index.nearest(known.vectors[:2], 3)
    assert repr(found) == "Candidates(2 probes, 3 places)"
    assert repr(index) == "Index(20 faces, 6 numbers each, cosine, exact)"
    assert len(found) == 2


def test_codes_need_faiss(crowd, backend):
    known = crowd("cosine", 3000, 8)
    if backend == "numpy":
        assert built(known, exact_up_to=100).built.kind == "exact"
        with pytest.raises(ExtraMissing):
            built(known, kind="pq")
    else:
        assert built(known, exact_up_to=100).built.kind == "pq"
