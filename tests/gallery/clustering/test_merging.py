import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from mien.gallery.clustering.merging import merge
from mien.gallery.clustering.pictures import Pictures
from mien.gallery.clustering.units import singles


def people(rng, count, each, spread, dimensions=16):
    centre = rng.normal(size=(count, dimensions))
    return np.repeat(centre, each, axis=0) + spread * rng.normal(size=(count * each, dimensions))


def together(group):
    return group[:, None] == group[None, :]


def merged(vectors, limit, picture=None, decided=None, most=64):
    decided = np.zeros(len(vectors), bool) if decided is None else decided
    pictures = None if picture is None else Pictures.of(np.arange(len(vectors)), picture)
    return merge(singles(vectors, "euclidean", limit, decided), pictures, most)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("limit", [2.4, 3.0, 4.5])
def test_groups_are_those_of_average_linkage(seed, limit):
    vectors = people(np.random.default_rng(seed), 12, 9, 0.55)
    tree = linkage(
        ((vectors[:, None] - vectors[None]) ** 2).sum(2)[np.triu_indices(len(vectors), 1)], "average"
    )
    wanted = fcluster(tree, limit**2, "distance")
    assert 1 < wanted.max() < len(vectors)
    assert (together(merged(vectors, limit)) == together(wanted)).all()


@pytest.mark.parametrize("most", [1, 3])
def test_few_kept_pairs_find_clear_groups_too(rng, most):
    vectors = people(rng, 12, 40, 0.2)
    assert (together(merged(vectors, 2.5, most=most)) == together(np.repeat(np.arange(12), 40))).all()


@st.composite
def crowds(draw):
    """Points on a coarse grid, so that ties and duplicates abound, with pictures and decisions."""
    count = draw(st.integers(1, 25))
    numbers = draw(st.lists(st.integers(0, 3), min_size=4 * count, max_size=4 * count))
    points = np.array(numbers[: 2 * count], float).reshape(count, 2)
    picture = np.array(draw(st.lists(st.integers(-1, 5), min_size=count, max_size=count)))
    decided = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    return (
        points,
        picture,
        decided,
        draw(st.sampled_from([0.5, 1.0, 1.6, 2.5])),
        draw(st.sampled_from([1, 64])),
    )


@settings(max_examples=300)
@given(crowds())
def test_what_must_stay_apart_does_and_nothing_that_may_merge_is_left(crowd):
    points, picture, decided, limit, most = crowd
    group = merged(points, limit, picture, decided, most)
    names = np.unique(group)
    assert (names == np.arange(len(names))).all()
    inside = [np.flatnonzero(group == name) for name in names]
    for one in inside:
        known = picture[one][picture[one] >= 0]
        assert len(set(known)) == len(known)
        assert decided[one].sum() <= 1
    if most == 1:
        return
    table = ((points[:, None] - points[None]) ** 2).sum(2)
    for i, one in enumerate(inside):
        for other in inside[:i]:
            forbidden = (decided[one].any() and decided[other].any()) or (
                set(picture[one]) & set(picture[other]) - {-1}
            )
            assert forbidden or table[np.ix_(one, other)].mean() > limit**2 * (1 - 1e-5)


def test_the_same_comes_out_every_time(rng):
    vectors = np.round(people(rng, 20, 6, 0.5))
    assert (merged(vectors, 3.0) == merged(vectors, 3.0)).all()


def test_thousands_of_copies_are_one_group():
    assert not merged(np.full((3000, 8), 0.3), 0.1).any()
    assert not merged(np.full((3000, 8), 0.3), 0.1, most=2).any()


def test_nearest_merge_first():
    # 0 and 2 are nearer than 2 and 3.5, though 3.5 may go with either.
    group = merged(np.array([[0.0], [1.0], [2.4], [5.0]]), 1.5)
    assert (together(group) == together(np.array([0, 0, 1, 2]))).all()
