import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.gallery.index import build

pytestmark = pytest.mark.usefixtures("backend")

FACES = [b"f%d" % i for i in range(12)]
OWNERS = [b"A", b"B", b"C"]

STEP = st.one_of(
    st.tuples(
        st.just("upsert"), st.lists(st.tuples(st.sampled_from(FACES), st.sampled_from(OWNERS)), max_size=4)
    ),
    st.tuples(st.just("remove"), st.lists(st.tuples(st.sampled_from(FACES), st.just(b"")), max_size=4)),
    st.tuples(
        st.just("reassign"), st.lists(st.tuples(st.sampled_from(FACES), st.sampled_from(OWNERS)), max_size=3)
    ),
)


@settings(max_examples=80, deadline=None)
@given(steps=st.lists(STEP, max_size=25), seed=st.integers(0, 1000))
def test_any_changes_in_any_order(steps, seed):
    rng = np.random.default_rng(seed)
    index, model = build("euclidean", [], [], np.zeros((0, 3))), {}
    for verb, pairs in steps:
        pairs = dict(pairs)
        if verb == "upsert":
            vectors = rng.integers(-40, 40, (len(pairs), 3)).astype(np.float32)
            index.upsert(list(pairs), list(pairs.values()), vectors)
            model |= {face: (pairs[face], vector) for face, vector in zip(pairs, vectors, strict=True)}
        elif verb == "remove":
            index.remove([*pairs, *pairs])
            model = {face: known for face, known in model.items() if face not in pairs}
        else:
            index.reassign(list(pairs), list(pairs.values()))
            model |= {face: (pairs[face], model[face][1]) for face in pairs if face in model}
        probe = rng.integers(-40, 40, 3)
        rows = sorted(
            (float(np.linalg.norm(vector - probe)), face, who) for face, (who, vector) in model.items()
        )
        found = index.faces(probe[None], 12)
        there = found.face[0] != b""
        assert len(index) == len(model) == there.sum()
        assert found.face[0, there].tolist() == [face for _, face, _ in rows]
        assert found.owner[0, there].tolist() == [who for *_, who in rows]
        np.testing.assert_allclose(found.distance[0, there], [distance for distance, *_ in rows], rtol=1e-5)
        people = index.nearest(probe[None], 5).owner[0].tolist()
        assert people == (list(dict.fromkeys(who for *_, who in rows)) + [b""] * 5)[:5]


def test_growing_over_many_chunks(crowd, rng, small_chunks):
    known = crowd("cosine", 500, 6)
    index = build("cosine", known.ids[:1], known.owners[:1], known.vectors[:1], threads=2)
    for start in range(1, 500, 77):
        some = slice(start, start + 77)
        index.upsert(known.ids[some], known.owners[some], known.vectors[some])
    looked = rng.normal(0, 1, (3, 6))
    known.check(index.nearest(looked, 8), looked, 8)
    gone = rng.permutation(500)[:300]
    index.remove(known.ids[gone])
    assert len(index) == 200
    assert index.stale_share == 300 / 500
    for name in ("ids", "owners", "vectors"):
        setattr(known, name, np.delete(getattr(known, name), gone, axis=0))
    known.check(index.nearest(looked, 150), looked, 150)
    many = rng.normal(0, 1, (14, 6))
    known.check(index.faces(many, 5), many, 5, people=False)


def test_all_gone_and_another_length():
    index = build("cosine", [b"a"], [b"A"], np.ones((1, 4)))
    index.remove([b"a", b"never"])
    assert len(index) == 0
    assert index.nearest(np.ones((1, 4)), 1).owner.tolist() == [[b""]]
    index.upsert([b"b"], [b"B"], np.ones((1, 7)))
    assert index.dim == 7
    assert index.nearest(np.ones((1, 7)), 2).owner.tolist() == [[b"B", b""]]


def test_an_index_that_has_outgrown_exact_search_says_so(backend):
    index = build("cosine", [b"a"], [b"A"], np.ones((1, 4)), exact_up_to=2)
    index.upsert([b"b"], [b"B"], np.ones((1, 4)))
    assert index.stale_share == 0
    index.upsert([b"c"], [b"C"], np.ones((1, 4)))
    assert index.stale_share == (1 if backend == "faiss" else 0), "NumPy has nothing else to offer"
    again = build("cosine", [b"a", b"b", b"c"], [b"A"] * 3, np.ones((3, 4)), exact_up_to=2)
    assert again.stale_share == 0, "too few for codes: building it again and again would not help"


def test_searching_while_others_write(rng):
    steady = rng.normal(0, 1, (200, 16)).astype(np.float32)
    ids = np.array([b"s%d" % i for i in range(200)])
    index = build("cosine", ids, ids, steady, threads=2)
    stop, errors = threading.Event(), []

    def read():
        while not stop.is_set():
            found = index.nearest(steady[:5], 1).owner[:, 0].tolist()
            if found != ids[:5].tolist():
                errors.append(found)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    far = -steady[:50]
    for turn in range(30):
        names = [b"w%d-%d" % (turn, i) for i in range(50)]
        index.upsert(names, names, far)
        index.remove(names[: 50 if turn % 2 else 20])
    stop.set()
    for reader in readers:
        reader.join(10)
    assert not errors
    assert len(index) == 200 + 15 * 30
