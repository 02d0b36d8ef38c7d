import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.gallery.clustering.grouping import group
from mien.media.images import open_image

APART = {"metric": "cosine", "distance": 0.4}


def people(rng, sizes, spread=0.35, dimensions=64):
    """Clean people: faces of one are about 0.1 apart, faces of two about 1."""
    person = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centre = rng.normal(size=(len(sizes), dimensions))
    return (centre[person] + spread * rng.normal(size=(len(person), dimensions))).astype(np.float32), person


def same(a, b):
    return ((a[:, None] == a[None]) == (b[:, None] == b[None])).all()


@pytest.mark.parametrize(("metric", "distance"), [("cosine", 0.4), ("euclidean", 6.5)])
def test_clean_people_are_found(rng, metric, distance):
    vectors, person = people(rng, [1, 1, 2, 3, 10, 40, 1])
    found = group(vectors, metric=metric, distance=distance)
    assert same(found, person)
    assert found.dtype == np.int64
    assert sorted(set(found)) == list(range(7))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 8), min_size=1, max_size=12), st.integers(1, 6), st.booleans(), st.integers(0, 99)
)
def test_portions_give_the_groups_of_all_at_once_and_numbers_that_stay(sizes, portions, afresh, seed):
    vectors, person = people(np.random.default_rng(seed), sizes)
    known = np.zeros(0, np.int64)
    for part in np.array_split(np.arange(len(vectors)), portions):
        if not len(part):
            continue
        previous = np.concatenate([known, np.full(len(part), -1)])
        found = group(vectors[: part[-1] + 1], previous=previous, afresh=afresh, **APART)
        assert (found[: len(known)] == known).all()
        known = found
    assert same(known, person)
    assert same(known, group(vectors, **APART))


@pytest.mark.parametrize("seed", range(5))
def test_on_unclean_people_groups_are_never_torn_and_only_merging_changes_numbers(seed):
    rng = np.random.default_rng(seed)
    vectors, _ = people(rng, [12] * 15, spread=0.95)
    known = np.zeros(0, np.int64)
    for end in range(30, 181, 30):
        previous = np.concatenate([known, np.full(end - len(known), -1)])
        found = group(vectors[:end], previous=previous, metric="cosine", distance=0.5)
        old = found[: len(known)]
        for number in set(known):
            (now,) = set(old[known == number])
            if now != number:  # it went into a group that was at least as large
                assert (known == now).sum() >= (known == number).sum()
        known = found
    assert 1 < len(set(known)) < len(known)


def test_a_bridge_merges_two_groups_under_the_number_of_the_larger(rng):
    centre = rng.normal(size=64)
    left, right = centre + 0.9 * rng.normal(size=(2, 64))
    small, large = left + 0.2 * rng.normal(size=(3, 64)), right + 0.2 * rng.normal(size=(4, 64))
    vectors = np.concatenate([small, large])
    before = group(vectors, metric="cosine", distance=0.3)
    assert before.tolist() == [0, 0, 0, 1, 1, 1, 1]
    bridge = centre + 0.2 * rng.normal(size=(30, 64))
    after = group(
        np.concatenate([vectors, bridge]),
        metric="cosine",
        distance=0.4,
        previous=np.r_[before, np.full(30, -1)],
    )
    assert (after == 1).all()


def test_groups_of_before_are_torn_only_afresh(rng):
    vectors, person = people(rng, [5, 3])
    before = np.full(8, 6)
    assert (group(vectors, previous=before, **APART) == 6).all()
    found = group(vectors, previous=before, afresh=True, **APART)
    assert found.tolist() == np.where(person == 0, 6, 7).tolist()


def test_a_person_decides():
    vectors = np.eye(3, 8, dtype=np.float32)[[0, 0, 0, 0, 1, 2]] + 0.01
    # All four look alike; somebody said that the second is another, and that the fifth is the first.
    previous, fixed = np.array([3, 8, -1, -1, 3, -1]), np.array([1, 1, 0, 0, 1, 0], bool)
    for afresh in (False, True):
        found = group(vectors, previous=previous, fixed=fixed, afresh=afresh, **APART)
        assert found[[0, 1, 4]].tolist() == [3, 8, 3]
        assert set(found[2:4]) <= {3, 8}
        assert found[5] == 9


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_fixed_faces_keep_their_numbers_whatever_comes(data):
    count = data.draw(st.integers(1, 14))
    column = st.lists(st.integers(-1, 4), min_size=count, max_size=count)
    previous = np.array(data.draw(column))
    fixed = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count))) & (previous >= 0)
    vectors = 1.0 + np.array(data.draw(st.lists(column, min_size=3, max_size=3)), np.float32).T
    apart = data.draw(st.none() | column.map(np.array))
    afresh = data.draw(st.booleans())
    found = group(
        vectors, metric="euclidean", distance=1.3, previous=previous, fixed=fixed, apart=apart, afresh=afresh
    )
    assert (found[fixed] == previous[fixed]).all()
    kept = fixed if afresh else previous >= 0
    for number in set(previous[kept]):
        assert len(set(found[kept & (previous == number)])) == 1


def test_faces_of_one_picture_are_two_people_unless_they_may_be_one(rng):
    vectors, _ = people(rng, [6], spread=0.1)
    picture = np.array([1, 1, 2, 2, 3, -1])
    found = group(vectors, apart=picture, **APART)
    assert len(set(found)) == 2
    assert found[0] != found[1]
    assert found[2] != found[3]
    assert not group(vectors, **APART).any()
    assert not group(vectors, apart=picture, previous=np.zeros(6, int), **APART).any()


def test_a_new_number_is_above_all_that_were_given(rng):
    vectors, _ = people(rng, [1, 1])
    assert group(vectors, previous=np.array([-1, 4]), first=20, **APART).tolist() == [20, 4]


def test_no_faces_are_no_groups():
    for shape in ((0, 0), (0, 128)):
        assert group(np.zeros(shape, np.float32), **APART).shape == (0,)


def test_order_does_not_matter(rng):
    vectors, _ = people(rng, [4] * 30, spread=0.9)
    order = rng.permutation(120)
    assert same(group(vectors, **APART)[order], group(vectors[order], **APART))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"vectors": np.ones(4)}, r"\(n, d\)"),
        ({"vectors": np.array([[1, 2], [np.nan, 1], [0, 1]])}, "not finite"),
        ({"vectors": np.array([[1, 2], [np.inf, 1], [0, 1]])}, "not finite"),
        ({"vectors": np.array([[1, 2], [0, 0], [0, 1]])}, "no direction"),
        ({"distance": 0.0}, "above 0"),
        ({"distance": np.nan}, "above 0"),
        ({"distance": np.inf}, "above 0"),
        ({"previous": np.zeros(2, int)}, "previous wants one whole number"),
        ({"previous": np.zeros(3)}, "previous wants one whole number"),
        ({"fixed": np.zeros(3, int)}, "fixed wants one flag"),
        ({"apart": np.zeros((3, 1), int)}, "apart wants one whole number"),
        ({"fixed": np.array([False, True, False])}, "fixed and in no group"),
    ],
)
def test_what_cannot_be_grouped_is_refused(changed, said):
    fine = {"vectors": np.eye(3), "metric": "cosine", "distance": 0.5}
    with pytest.raises(BadRequest, match=said):
        group(**fine | changed)


def test_zeros_have_a_place_where_distance_is_euclidean():
    assert group(np.array([[0, 0], [0, 1], [9, 9]]), metric="euclidean", distance=2.0).tolist() == [0, 0, 1]


def test_numbers_of_columns_need_not_be_of_64_bits(rng):
    vectors, person = people(rng, [3, 3])
    found = group(vectors, previous=np.where(person == 0, 127, -1).astype(np.int8), **APART)
    assert found.tolist() == np.where(person == 0, 127, 128).tolist()
    assert found.dtype == np.int64


def test_people_of_real_photographs(kit, photos):
    shown = ("known/Barack Obama/blue-room-2010.jpg", "known/Barack Obama/congress-2009.jpg")
    others = ("known/Eileen Collins/portrait.jpg", "known/Grace Hopper/portrait.jpg")
    images = [open_image(photos / name) for name in (*shown, *others, "unknown/portrait-2012.jpg")]
    vectors = np.concatenate([result.faces.embedding[:1] for result in kit.analyze(images, ("embedding",))])
    rule = kit.rule()
    assert group(vectors, metric=rule.metric, distance=rule.distance).tolist() == [0, 0, 1, 2, 0]
