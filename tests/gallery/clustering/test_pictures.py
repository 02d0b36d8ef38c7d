import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mien.gallery.clustering import pictures
from mien.gallery.clustering.pictures import Pictures

# Group and picture of each face; picture -1 is unknown.
FACES = st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 4)), min_size=1, max_size=30)


def by_hand(group, picture, a, b):
    def of(one):
        return {q for g, q in zip(group, picture, strict=True) if g == one and q >= 0}

    # Within a group nothing is forbidden any more, so that only two groups can share.
    return [bool(of(x) & of(y)) for x, y in zip(a, b, strict=True)]


@given(FACES)
def test_groups_share_what_their_faces_share(faces):
    group, picture = np.array(faces).T
    a, b = np.triu_indices(7, 1)
    assert Pictures.of(group, picture).shared(a, b).tolist() == by_hand(group, picture, a, b)


@given(FACES, st.lists(st.integers(0, 3), min_size=7, max_size=7))
def test_groups_that_moved_bring_their_pictures(faces, to):
    group, picture = np.array(faces).T
    to = np.array(to)
    a, b = np.triu_indices(4, 1)
    moved = Pictures.of(group, picture).moved(to)
    assert moved.shared(a, b).tolist() == by_hand(to[group], picture, a, b)


def test_pairs_are_looked_up_in_blocks(rng, monkeypatch):
    group, picture = rng.integers(0, 40, 200), rng.integers(0, 60, 200)
    a, b = np.triu_indices(40, 1)
    whole = Pictures.of(group, picture).shared(a, b)
    assert 0 < whole.sum() < len(whole)
    monkeypatch.setattr(pictures, "_BLOCK", 7)
    assert (Pictures.of(group, picture).shared(a, b) == whole).all()


def test_pictures_of_one_face_take_no_room():
    assert len(Pictures.of(np.arange(5), np.array([7, 3, 9, -1, -1])).key) == 0
