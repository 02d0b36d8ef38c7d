from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core.columns import BY_NAME, COLUMNS
from mien.core.faces import Face, Faces
from mien.errors import BadRequest

quick = settings(deadline=None, max_examples=60, derandomize=True, database=None)
NAMES = [column.name for column in COLUMNS]
OPTIONAL = [name for name in NAMES if name not in {"box", "score"}]


def values(name, n, seed=0, d=7):
    shape = tuple(d if isinstance(side, str) else side for side in BY_NAME[name].shape)
    return np.random.default_rng([seed, NAMES.index(name)]).random((n, *shape)).astype(np.float32)


def make(n, names=OPTIONAL, seed=0, d=7, **replaced):
    columns = {name: values(name, n, seed, d) for name in ("box", "score", *names)} | replaced
    return Faces((640, 480), space="s" if "embedding" in columns else None, **columns)


@st.composite
def some_faces(draw):
    names = draw(st.sets(st.sampled_from(OPTIONAL)))
    return make(draw(st.integers(0, 9)), names, draw(st.integers(0, 99)), draw(st.integers(1, 5)))


def same_face(a, b):
    return a.space == b.space and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        if getattr(a, name) is not None
        else getattr(b, name) is None
        for name in NAMES
    )


def test_the_table_the_structure_and_the_row_have_the_same_columns():
    of_faces = [field.name for field in fields(Faces) if field.name not in {"size_wh", "space"}]
    of_face = [field.name for field in fields(Face) if field.name != "space"]
    assert NAMES == of_faces == of_face
    assert len(set(NAMES)) == len(NAMES)
    assert not BY_NAME["embedding"].export, "templates are biometric data and stay out of files"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_column_is_converted_copied_and_read_only(name, n):
    given_values = values(name, n).astype(np.float64)
    faces = make(n, **{name: given_values})
    column = getattr(faces, name)
    assert column.dtype == np.dtype(BY_NAME[name].dtype)
    np.testing.assert_array_equal(column, given_values.astype(np.float32))
    with pytest.raises(ValueError, match="read-only"):
        column[...] = 0
    given_values += 1
    assert not n or not np.array_equal(column, given_values.astype(np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_lists_of_integers_will_do(name):
    whole = (values(name, 2) * 100).astype(int)
    assert (getattr(make(2, **{name: whole.tolist()}), name) == whole).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", ["axis more", "axis less", "other length"])
def test_a_wrong_shape_is_refused_by_name(name, how):
    good = values(name, 3)
    wrong = {"axis more": good[..., None], "axis less": good[..., 0], "other length": good[:2]}[how]
    with pytest.raises(BadRequest, match=r"wants shape \(") as caught:
        make(3, **{name: wrong})
    culprit = "score" if (name, how) == ("box", "other length") else name
    assert f"Faces.{culprit} " in str(caught.value)


@pytest.mark.parametrize("name", ["box", "points", "corners", "landmarks"])
def test_a_wrong_length_of_rows_is_refused_by_name(name):
    with pytest.raises(BadRequest, match=rf"Faces.{name} wants shape \("):
        make(3, **{name: values(name, 3)[..., :-1]})


@pytest.mark.parametrize("d", [1, 128, 512])
def test_the_network_decides_the_length_of_an_embedding(d):
    assert make(3, d=d).embedding.shape == (3, d)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_by_name(name, bad):
    wrong = values(name, 3)
    wrong.reshape(-1)[-1] = bad
    with pytest.raises(BadRequest, match=f"Faces.{name} holds NaN or infinity"):
        make(3, **{name: wrong})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", ["abc", ["a", "b"], [None, object()], [[1], [1, 2]], [10**400] * 2])
def test_what_is_not_numbers_is_refused_by_name(name, wrong):
    with pytest.raises(BadRequest, match=f"Faces.{name} wants numbers"):
        make(len(wrong), **{name: wrong})


@pytest.mark.parametrize("wrong", [None, 3.5, np.array(1.0)])
@pytest.mark.parametrize("name", ["box", "score"])
def test_box_and_score_are_always_there(name, wrong):
    with pytest.raises(BadRequest, match=f"Faces.{name} "):
        make(2, **{name: wrong})


def test_embedding_and_space_come_together():
    with pytest.raises(BadRequest, match="come together"):
        make(1, ()).with_(embedding=values("embedding", 1))
    with pytest.raises(BadRequest, match="come together"):
        make(1, ()).with_(space="s")
    assert make(1, ()).with_(embedding=values("embedding", 1), space="s").space == "s"


def test_none_is_not_computed_and_length_zero_is_not_found():
    nobody = Faces.empty((30, 20))
    assert (len(nobody), list(nobody), nobody.size_wh) == (0, [], (30, 20))
    assert nobody.box.shape == (0, 4)
    assert nobody.points is None
    searched = nobody.with_(points=np.zeros((0, 5, 2)))
    assert searched.points.shape == (0, 5, 2)
    assert set(searched.columns()) == {"box", "score", "points"}
    assert nobody.points is None


def test_columns_are_those_computed():
    assert list(make(2, ["landmarks"]).columns()) == ["box", "score", "landmarks"]
    assert list(make(2).columns()) == NAMES


@pytest.mark.parametrize("key", [0, 2, -1, np.int64(1)])
def test_an_integer_gives_a_row(key):
    faces = make(3)
    face = faces[key]
    assert isinstance(face, Face)
    assert isinstance(face.score, float)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(face, name), getattr(faces, name)[key])
    assert face.space == "s"


def test_a_row_of_what_was_not_computed_has_none():
    face = make(1, ["points"])[0]
    assert face.points is not None
    assert (face.corners, face.landmarks, face.embedding, face.space) == (None, None, None, None)


@pytest.mark.parametrize("key", [3, -4])
def test_an_integer_too_far_is_an_index_error(key):
    with pytest.raises(IndexError):
        make(3)[key]


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (slice(1, 3), [1, 2]),
        (slice(None, None, -1), [3, 2, 1, 0]),
        (slice(9, None), []),
        (np.array([True, False, False, True]), [0, 3]),
        ([True, False, False, True], [0, 3]),
        (np.zeros(4, bool), []),
        ([2, 0, 0], [2, 0, 0]),
        (np.array([-1]), [3]),
        ([], []),
        (np.array([]), []),
    ],
)
def test_slices_masks_and_lists_give_faces(key, rows):
    faces = make(4)
    taken = faces[key]
    assert isinstance(taken, Faces)
    assert (len(taken), taken.size_wh, taken.space) == (len(rows), faces.size_wh, "s")
    for name in NAMES:
        expected = np.array([getattr(faces, name)[row] for row in rows], np.float32)
        np.testing.assert_array_equal(
            getattr(taken, name), expected.reshape(-1, *getattr(faces, name).shape[1:])
        )


def test_a_mask_of_another_length_is_an_index_error():
    with pytest.raises(IndexError):
        make(4)[np.array([True, False])]


def test_with_replaces_in_a_copy():
    faces = make(2, ["points"])
    other = faces.with_(score=[0.25, 0.75])
    assert other.score.tolist() == [0.25, 0.75]
    assert other.points is not None
    assert faces.score.tolist() == values("score", 2).tolist()
    with pytest.raises(BadRequest):
        faces.with_(score=[1.0])
    with pytest.raises(TypeError):
        faces.with_(nonsense=1)


def test_largest_has_the_largest_area_not_the_longest_side():
    box = [[0, 0, 10, 10], [5, 5, 25, 20], [0, 0, 100, 1]]
    assert make(3, box=box).largest().box.tolist() == [[5, 5, 25, 20]]
    assert make(2, box=box[1:]).largest().score.tolist() == [values("score", 2)[0]]
    assert len(make(1).largest()) == 1
    assert len(make(0).largest()) == 0


def test_a_row_knows_its_width_and_height():
    face = make(1, box=[[10, 20, 14.5, 27]])[0]
    assert (face.width, face.height) == (4.5, 7.0)


@quick
@given(some_faces())
def test_iterating_is_indexing(faces):
    rows = list(faces)
    assert len(rows) == len(faces)
    assert all(same_face(row, faces[i]) for i, row in enumerate(rows))


@quick
@given(some_faces(), st.data())
def test_a_mask_and_its_opposite_lose_nothing(faces, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(faces), max_size=len(faces))), bool)
    yes, no = faces[mask], faces[~mask]
    assert set(yes.columns()) == set(no.columns()) == set(faces.columns())
    back = np.argsort(np.argsort(~mask, kind="stable"))
    joined = {name: np.concatenate([yes.columns()[name], no.columns()[name]]) for name in faces.columns()}
    whole = Faces(faces.size_wh, space=faces.space, **joined)[back]
    assert all(same_face(a, b) for a, b in zip(whole, faces, strict=True))


@quick
@given(some_faces(), st.data())
def test_indexing_twice_is_indexing_once(faces, data):
    if not len(faces):
        return
    number = st.integers(0, len(faces) - 1)
    outer = data.draw(st.lists(number, min_size=1, max_size=12))
    inner = data.draw(st.lists(st.integers(0, len(outer) - 1), max_size=12))
    twice, once = faces[outer][inner], faces[[outer[i] for i in inner]]
    assert len(twice) == len(once) == len(inner)
    assert all(same_face(a, b) for a, b in zip(twice, once, strict=True))


@quick
@given(some_faces())
def test_largest_is_at_least_as_large_as_all(faces):
    areas = [face.width * face.height for face in faces]
    found = [face.width * face.height for face in faces.largest()]
    assert found == ([max(areas)] if areas else [])


@pytest.mark.parametrize("size_wh", [(1280, 960), (320, 240), (213, 480)])
def test_resized_moves_what_is_in_pixels(size_wh):
    """Boxes are edges and scale as they are; points count from the centre of the first pixel."""
    faces = make(3)
    moved = faces.resized(size_wh)
    factor = np.array(size_wh) / faces.size_wh
    np.testing.assert_allclose(moved.points + 0.5, (faces.points + 0.5) * factor, rtol=1e-5)
    np.testing.assert_allclose(moved.box, faces.box * np.tile(factor, 2), rtol=1e-5)
    np.testing.assert_allclose(moved.mesh[..., 2], faces.mesh[..., 2] * factor[0], rtol=1e-5)
    for name in ("score", "embedding", "age", "pose", "expression"):
        np.testing.assert_array_equal(getattr(moved, name), getattr(faces, name))
    assert moved.size_wh == size_wh
    assert faces.resized(faces.size_wh) is faces
    assert len(Faces.empty((10, 10)).resized((20, 20))) == 0


def test_labels_decide_or_are_uncertain():
    even, sure = np.full(7, 1 / 7), np.eye(7)[3]
    faces = make(2, ["expression"], expression=np.stack([even, sure]))
    assert [face.label("expression") for face in faces] == ["uncertain", "happy"]
    assert faces[0].label("gender") is None
    for column in ("age", "nonsense", "pose"):
        with pytest.raises(BadRequest, match=column):
            faces[0].label(column)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.labels], ids=lambda c: c.name)
def test_every_entry_has_a_name_of_its_own(column):
    assert len(set(column.labels)) == len(column.labels) == column.shape[-1]
