import numpy as np
import pytest

from mien.core.faces import Faces
from mien.errors import InferenceError
from mien.models.embedder import align, dlib_chip
from mien.ops.align import apply_transform


@pytest.fixture(scope="module")
def embedder(kit):
    return kit.stage("dlib-resnet29")


@pytest.fixture(scope="module")
def theirs(dlib, dlib_models):
    return dlib.face_recognition_model_v1(str(dlib_models / "dlib_face_recognition_resnet_model_v1.dat"))


@pytest.fixture(scope="module")
def dlib_faces(dlib, dlib_models):
    """Faces of a picture with dlib's own points and chips."""
    predictor = dlib.shape_predictor(str(dlib_models / "shape_predictor_5_face_landmarks.dat"))

    def find(image):
        rgb = image.rgb.copy()
        for rect in dlib.get_frontal_face_detector()(rgb, 0):
            shape = predictor(rgb, rect)
            points = np.array([[(p.x, p.y) for p in shape.parts()]], np.float32)
            box = np.array([[rect.left(), rect.top(), rect.right(), rect.bottom()]], np.float32)
            faces = Faces(image.size_wh, box, np.ones(1, np.float32), corners=points)
            yield faces, dlib.get_face_chip(rgb, shape, 150, 0.25)

    return find


def assert_same_chips(embedder, theirs, dlib_faces, pictures):
    compared = 0
    for image in pictures:
        for faces, chip in dlib_faces(image):
            ours = embedder.chips(image, faces)[0]
            assert np.abs(ours.astype(int) - chip).mean() < 2
            embedding = embedder.embed([chip])[0]
            assert np.linalg.norm(embedding - np.array(theirs.compute_face_descriptor(chip))) < 1e-3
            compared += 1
    assert compared > 0


def test_chips_and_embeddings_are_those_of_dlib(embedder, theirs, dlib_faces, demo_pictures):
    assert_same_chips(embedder, theirs, dlib_faces, demo_pictures)


@pytest.mark.slow
def test_chips_and_embeddings_are_those_of_dlib_in_the_wild(embedder, theirs, dlib_faces, wild_pictures):
    assert_same_chips(embedder, theirs, dlib_faces, wild_pictures[::16])


def test_alignment_is_exact_for_a_similarity(rng):
    template = rng.uniform(20, 130, (5, 2))
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    points = template @ turn.T + [40, 90]
    matrix = align(points[None], template, "umeyama", (150, 150))[0]
    np.testing.assert_allclose(apply_transform(matrix, points), template, atol=1e-4)


def test_dlib_chip_maps_corner_pixels_to_corner_pixels():
    """One and a half times enlarged: a chip of 4 pixels covers 6, first centre to first, last to last."""
    template = np.array([[1.0, 1], [3, 1], [2, 3]])
    matrix = dlib_chip(1.5 * template[None] + [100, 50], template, (4, 4))[0]
    corners = np.array([[100.5, 50.5], [105.5, 55.5]])
    np.testing.assert_allclose(apply_transform(matrix, corners), [[0, 0], [3, 3]], atol=1e-9)


def test_dlib_chip_drifts_with_each_halving():
    template = np.array([[1.0, 1], [3, 1], [2, 3]])
    matrix = dlib_chip(3 * template[None] + [100, 50], template, (4, 4))[0]
    corners = np.array([[100.0, 51.0], [111.0, 62.0]])
    np.testing.assert_allclose(apply_transform(matrix, corners), [[0, 0], [3, 3]], atol=1e-9)


def test_points_that_coincide_are_an_error(embedder, demo_pictures):
    image = demo_pictures[0]
    faces = Faces(image.size_wh, np.array([[10, 10, 60, 60]]), np.ones(1), corners=np.full((1, 5, 2), 30))
    with pytest.raises(InferenceError, match="coincide"):
        embedder([image], [faces])


def test_any_number_of_chips(embedder, rng):
    chips = rng.integers(0, 256, (35, 150, 150, 3), dtype=np.uint8)
    together = embedder.embed(list(chips))
    assert together.shape == (35, 128)
    np.testing.assert_allclose(embedder.embed([chips[34]])[0], together[34], atol=1e-5)
    assert embedder.embed([]).shape == (0, 128)
