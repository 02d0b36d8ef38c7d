import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mien.ops.align import (
    affine_from_three,
    apply_transform,
    invert_transform,
    scale_of,
    similarity_transform,
)

quick = settings(deadline=None, max_examples=60, derandomize=True, database=None)
coordinate = st.floats(-500, 500, allow_nan=False).map(lambda x: round(x, 2))
point_sets = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=7, unique=True).map(np.array)
angles = st.floats(-180, 180)
scales = st.floats(0.05, 20)

FIVE = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]])


def umeyama(source, target):
    """Equations 34 to 43 of Umeyama 1991: rotation by singular values, reflections excluded."""
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    u, d, vt = np.linalg.svd(t.T @ s / len(s))
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(signs) @ vt
    scale = (d * signs).sum() / (s**2).sum(1).mean()
    return np.column_stack([scale * rotation, mean_t - scale * rotation @ mean_s])


def turned(angle_deg, scale, shift):
    angle = np.radians(angle_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, shift])


def moved(matrix, points):
    return np.array([matrix[:, :2] @ point + matrix[:, 2] for point in points])


@pytest.mark.parametrize("k", [2, 3, 5, 68])
@pytest.mark.parametrize("noise", [0.0, 1.0, 100.0])
def test_is_umeyamas_least_squares(rng, k, noise):
    for _ in range(20):
        source = rng.normal(0, 50, (k, 2)) + rng.normal(0, 300, 2)
        matrix = turned(rng.uniform(-180, 180), rng.uniform(0.1, 5), rng.normal(0, 300, 2))
        target = moved(matrix, source) + rng.normal(0, noise, (k, 2))
        np.testing.assert_allclose(
            similarity_transform(source, target), umeyama(source, target), rtol=1e-7, atol=1e-7
        )


@pytest.mark.parametrize(
    "source",
    [
        np.column_stack([np.arange(5.0), np.arange(5.0) * 2]),
        np.column_stack([np.arange(5.0), np.full(5, 3.0)]) + 1e3,
        FIVE * 1e-4 + 500,
        np.array([[10, 10], [10, 10], [10, 10], [10, 10], [11, 10.0]]),
    ],
    ids=["line", "level line far away", "all but a point", "one differs"],
)
def test_near_degenerate_points_still_fit(rng, source):
    target = FIVE + rng.normal(0, 0.5, FIVE.shape)
    found, expected = similarity_transform(source, target), umeyama(source, target)
    np.testing.assert_allclose(moved(found, source), moved(expected, source), atol=1e-5)


def test_a_mirrored_face_is_turned_not_mirrored():
    mirrored = FIVE * [-1, 1]
    matrix = similarity_transform(FIVE, mirrored)
    np.testing.assert_allclose(matrix, umeyama(FIVE, mirrored), atol=1e-9)
    assert np.linalg.det(matrix[:, :2]) > 0


@quick
@given(point_sets, angles, scales, st.tuples(coordinate, coordinate))
def test_a_known_transform_is_recovered(points, angle_deg, scale, shift):
    assume(np.ptp(points, axis=0).max() > 1)
    known = turned(angle_deg, scale, shift)
    found = similarity_transform(points, moved(known, points))
    np.testing.assert_allclose(found[:, :2], known[:, :2], atol=1e-8 * max(scale, 1))
    np.testing.assert_allclose(apply_transform(found, points), moved(known, points), atol=1e-6)
    assert scale_of(found) == pytest.approx(scale, rel=1e-6)


@quick
@given(point_sets, point_sets, st.tuples(*[st.floats(-0.1, 0.1)] * 4))
def test_no_other_similarity_is_nearer(source, target, nudge):
    k = min(len(source), len(target))
    source, target = source[:k], target[:k]
    assume(np.ptp(source, axis=0).max() > 1)

    def error(matrix):
        return ((moved(matrix, source) - target) ** 2).sum()

    best = similarity_transform(source, target)
    a, b, x, y = nudge
    assert error(best) <= error(best + np.array([[a, -b, x], [b, a, y]])) * (1 + 1e-9) + 1e-6


def test_a_batch_is_its_singles(rng):
    source, target = rng.normal(0, 50, (2, 6, 5, 2)), rng.normal(0, 50, (2, 6, 5, 2))
    batch = similarity_transform(source, target)
    assert batch.shape == (2, 6, 2, 3)
    assert batch.dtype == np.float64
    for i in np.ndindex(2, 6):
        np.testing.assert_allclose(batch[i], similarity_transform(source[i], target[i]), atol=1e-12)
        np.testing.assert_allclose(apply_transform(batch, source)[i], moved(batch[i], source[i]), atol=1e-9)
        np.testing.assert_allclose(invert_transform(batch)[i], invert_transform(batch[i]), atol=1e-9)


def test_one_template_serves_many_faces_and_none(rng):
    faces = rng.normal(0, 50, (4, 5, 2)).astype(np.float32)
    to_template = similarity_transform(faces, FIVE)
    from_template = similarity_transform(FIVE, faces)
    for i, face in enumerate(faces.astype(np.float64)):
        np.testing.assert_allclose(to_template[i], umeyama(face, FIVE), atol=1e-9)
        np.testing.assert_allclose(from_template[i], umeyama(FIVE, face), atol=1e-9)
    assert similarity_transform(faces[:0], FIVE).shape == (0, 2, 3)
    assert invert_transform(similarity_transform(FIVE, faces[:0])).shape == (0, 2, 3)


def test_points_that_are_all_the_same_go_to_the_mean():
    matrix = similarity_transform(np.full((5, 2), 7.0), FIVE)
    assert not matrix[:, :2].any()
    np.testing.assert_allclose(matrix[:, 2], FIVE.mean(0))


@quick
@given(st.lists(st.tuples(coordinate, coordinate), min_size=6, max_size=6))
def test_three_points_go_exactly_to_three_others(points):
    source, target = np.array(points[:3]), np.array(points[3:])
    sides = source[1:] - source[0]
    assume(abs(sides[0, 0] * sides[1, 1] - sides[0, 1] * sides[1, 0]) > 100)
    np.testing.assert_allclose(moved(affine_from_three(source, target), source), target, atol=1e-6)


def test_a_known_shear_is_recovered():
    shear = np.array([[2.0, 0.5, 10], [0, 3, -4]])
    source = np.array([[0.0, 0], [10, 0], [0, 10]])
    np.testing.assert_allclose(affine_from_three(source, moved(shear, source)), shear, atol=1e-12)


def test_three_points_on_a_line_are_refused():
    with pytest.raises(np.linalg.LinAlgError):
        affine_from_three(np.array([[0, 0], [1, 1], [2, 2]]), FIVE[:3])


@quick
@given(angles, scales, st.tuples(coordinate, coordinate), point_sets)
def test_there_and_back(angle_deg, scale, shift, points):
    matrix = turned(angle_deg, scale, shift)
    back = apply_transform(invert_transform(matrix), apply_transform(matrix, points))
    np.testing.assert_allclose(back, points, atol=1e-6)


def test_scale_is_the_mean_over_directions():
    assert scale_of(np.array([[4.0, 0, 7], [0, 1, 9]])) == pytest.approx(2)
    assert scale_of(np.array([[-3.0, 0, 0], [0, 3, 0]])) == pytest.approx(3), "a reflection has a length too"
    assert [scale_of(np.eye(2, 3) * n) for n in range(1, 20)] == list(range(1, 20)), (
        "exactly, for who rounds down"
    )
    assert scale_of(turned(33, 0.25, (0, 0))) == pytest.approx(0.25)
