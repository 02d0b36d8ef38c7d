import io

import numpy as np
import pytest

from mien.gallery.index import build, building, load
from mien.gallery.index.coded import Coded
from mien.gallery.index.kernels import KERNELS
from mien.gallery.index.matrix import Matrix
from mien.gallery.index.recall import measure
from mien.gallery.index.workers import Workers

faiss = pytest.importorskip("faiss")
METRICS = ("cosine", "euclidean")


def coded_index(known, **options):
    index = build(known.metric, known.ids, known.owners, known.vectors, kind="pq", threads=2, **options)
    assert index.built.kind == "pq"
    return index


def recall(found, exact):
    """Share of the exact distances that are reached."""
    return (found.distance <= exact.distance + 1e-5).mean()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [33, 128])
def test_recall_is_what_was_asked_for(crowd, metric, d):
    known = crowd(metric, 6000, d, noise=0.5)
    index = coded_index(known, recall=0.99)
    built = index.built
    assert (built.rows, built.sample, built.target, built.relevant) == (6000, 500, 0.99, None)
    assert built.recall >= 0.99
    assert 32 <= built.candidates <= 6000 / 16
    others = crowd(metric, 6000, d, noise=0.5, seed=0).vectors[:300] * 1.01 + 0.05
    found, exact = index.faces(others, 10), index.faces(others, 10, exact=True)
    known.check(exact, others, 10, people=False)
    assert recall(found, exact) >= 0.98
    people, all_people = index.nearest(others, 5), index.nearest(others, 5, exact=True)
    assert recall(people, all_people) >= 0.98
    # What is reported of a face is true, however it was found.
    true = known.distances(others)
    where = {face: i for i, face in enumerate(known.ids.tolist())}
    for i in range(300):
        rows = [where[face] for face in found.face[i].tolist()]
        np.testing.assert_allclose(found.distance[i], true[i, rows], atol=3e-6, rtol=3e-6)


def test_codes_are_longer_where_that_saves_more_comparing(crowd, monkeypatch):
    known = crowd("cosine", 6000, 64, per_person=15, noise=0.5)
    index = coded_index(known, relevant=0.5)
    assert index.built.code_bytes == 16, "so few rows are scanned in no time"
    monkeypatch.setattr(building, "_BYTES_A_CANDIDATE", 0)
    assert coded_index(known, relevant=0.5).built.code_bytes < 16


def test_without_strangers_fewer_candidates_do(crowd, monkeypatch):
    monkeypatch.setattr(building, "_BYTES_A_CANDIDATE", 0)
    known = crowd("cosine", 6000, 64, per_person=15, noise=0.5)
    all_count = coded_index(known)
    near_count = coded_index(known, relevant=0.5)
    assert near_count.built.candidates * near_count.built.code_bytes < (
        all_count.built.candidates * all_count.built.code_bytes
    )
    assert near_count.built.recall >= 0.995
    probes = known.vectors[:200] + 0.1
    found, exact = near_count.faces(probes, 10), near_count.faces(probes, 10, exact=True)
    near = exact.distance <= 0.5
    assert near.sum() > 1000
    assert ((found.distance <= exact.distance + 1e-5) | ~near).sum() >= 0.98 * near.size


def test_an_unreachable_recall_is_reported_as_it_is(crowd):
    known = crowd("cosine", 2500, 64, per_person=1)
    built = coded_index(known, recall=1.0).built
    assert built.target == 1.0
    assert built.code_bytes == 16, "the longest codes: half a byte for two numbers"
    assert 0.5 < built.recall <= 1


def test_few_faces_have_nothing_to_learn_codes_from(crowd):
    known = crowd("cosine", 1500, 16)
    index = build("cosine", known.ids, known.owners, known.vectors, kind="pq")
    assert (index.built.kind, index.built.recall, index.built.sample) == ("exact", 1.0, 0)


def test_many_faces_of_one_do_not_hide_the_others(rng):
    many = np.ones((3000, 16)) + rng.normal(0, 0.02, (3000, 16))
    others = rng.normal(0, 1, (2000, 16))
    owners = np.array([b"many"] * 3000 + [b"o%d" % i for i in range(2000)])
    ids = np.array([b"f%d" % i for i in range(5000)])
    index = build("cosine", ids, owners, np.concatenate([many, others]), kind="pq")
    probe = np.ones((1, 16))
    found, exact = index.nearest(probe, 5), index.nearest(probe, 5, exact=True)
    assert found.owner.tolist() == exact.owner.tolist()
    assert found.owner[0, 0] == b"many"


@pytest.mark.parametrize("metric", METRICS)
def test_filters(crowd, metric):
    known = crowd(metric, 4000, 32, noise=0.5)
    index = coded_index(known)
    probes = known.vectors[:20] + 0.05
    everyone = sorted(set(known.owners.tolist()))
    for owners in ([], everyone[:1], everyone[:20]):
        known.check(index.nearest(probes, 4, owners=owners), probes, 4, owners)
    most = set(everyone[: len(everyone) * 3 // 4])
    found = index.nearest(probes, 4, owners=most)
    assert set(found.owner.ravel().tolist()) <= most
    assert recall(found, index.nearest(probes, 4, owners=most, exact=True)) >= 0.98


@pytest.mark.parametrize("metric", METRICS)
def test_kept_in_step(crowd, rng, metric):
    known = crowd(metric, 3000, 24, noise=0.4)
    index = coded_index(known)
    gone = rng.permutation(3000)[:700]
    index.remove(known.ids[gone])
    moved = known.ids[[i for i in range(3000) if i not in set(gone.tolist())][:300]]
    fresh = np.array([b"new%d" % i for i in range(500)])
    vectors = rng.normal(0, 1, (800, 24)).astype(np.float32)
    index.upsert(np.concatenate([moved, fresh]), np.array([b"M"] * 300 + [b"N"] * 500), vectors)
    assert len(index) == 2800
    # 500 of 700 free rows are taken again; what was replaced has been encoded anew and counts for nothing.
    assert index.stale_share == (200 + 500) / 3000
    probes = vectors[[0, 100, 299, 300, 500, 799]]
    found = index.faces(probes, 1)
    assert found.face[:, 0].tolist() == [moved[0], moved[100], moved[299], fresh[0], fresh[200], fresh[499]]
    assert found.owner[:, 0].tolist() == [b"M"] * 3 + [b"N"] * 3
    removed = set(known.ids[gone].tolist())
    for i in range(0, 700, 50):
        near = index.faces(known.vectors[gone[i : i + 1]], 20).face[0].tolist()
        assert not removed & set(near)
        assert b"" not in near


def test_removed_codes_are_overwritten(crowd, rng):
    known = crowd("cosine", 700, 64)
    workers, kernel = Workers(1), KERNELS["cosine"]
    vectors = known.kept().astype(np.float32)
    empty = Coded.trained(vectors, 8, kernel, workers).parts()
    index, untouched = (Coded.of(empty, kernel, workers) for _ in range(2))
    index.add(np.arange(700), vectors)
    index.remove(rng.permutation(700)[:333])
    index.remove(np.array([], np.int64))
    for one, other in zip(index._shards, untouched._shards, strict=True):
        # An index that never saw the removed rows, with the others in the same places.
        order = faiss.rev_swig_ptr(one.invlists.get_ids(0), one.ntotal).copy()
        other.add_with_ids(vectors[order], order)
        np.testing.assert_array_equal(faiss.serialize_index(one), faiss.serialize_index(other))
    index.remove(np.arange(700))
    assert [part.tobytes() for part in index.parts()] == [part.tobytes() for part in empty]


def test_codes_round_trip_and_batches_agree(crowd):
    known = crowd("euclidean", 3000, 20)
    index = coded_index(known)
    saved = io.BytesIO()
    index.save(saved)
    saved.seek(0)
    again = load(saved, threads=1)
    assert again.built == index.built
    probes = known.vectors[:30] + 0.1
    together, later = index.nearest(probes, 3), again.nearest(probes, 3)
    assert together.face.tolist() == later.face.tolist()
    assert together.distance.tolist() == later.distance.tolist()
    for i in range(30):
        assert index.nearest(probes[i : i + 1], 3).face[0].tolist() == together.face[i].tolist()


@pytest.mark.parametrize("metric", METRICS)
def test_recall_is_measured_against_brute_force(crowd, metric):
    known = crowd(metric, 900, 16)
    kernel, workers = KERNELS[metric], Workers(1)
    matrix = Matrix(16, kernel, workers)
    matrix.resize(900)
    matrix.write(slice(0, 900), known.kept().astype(np.float32))
    order = np.random.default_rng(3).permutation(900)
    truth = measure(matrix, kernel, order, None)
    distances = known.distances(known.kept()[order[:500]])
    distances[np.arange(500), order[:500]] = np.inf
    np.testing.assert_array_equal(truth.slots, order[:500])
    np.testing.assert_array_equal(truth.neighbours, np.argsort(distances, 1)[:, :10])
    assert truth.counts.all()
    ten = np.sort(distances, 1)[:, :10]
    near = float(np.quantile(ten, 0.3))
    counted = measure(matrix, kernel, order, near).counts
    far = np.abs(ten - near) > 1e-5
    np.testing.assert_array_equal(counted[far], ten[far] <= near)
    assert measure(matrix, kernel, order, 0.0).counts.all(), "too few would count"

    coded = Coded.trained(matrix.read(slice(0, 900)), 4, kernel, workers)
    coded.add(np.arange(900), matrix.read(slice(0, 900)))
    reached = truth.reached(coded, 0.6)
    hits = []
    for row, (slot, chosen) in enumerate(
        zip(order, coded.choose(truth.probes, 900 // 16 + 1, None), strict=False)
    ):
        others = [i for i in chosen.tolist() if i != slot][: reached.candidates]
        hits.append(np.isin(truth.neighbours[row], others).mean())
    assert reached.recall == pytest.approx(np.mean(hits), abs=1e-9)
    assert reached.enough
