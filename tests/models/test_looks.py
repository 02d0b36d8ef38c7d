import msgspec
import numpy as np
import pytest

from facepacks import (
    centroid_network,
    constant_network,
    dotted,
    turned,
    turned_faces,
    turned_points,
    written_pack,
)
from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.crops import Cut, transforms
from mien.models.looks import Look, PointFacts, PointNetwork, around_box, around_points, lean
from mien.ops.align import apply_transform, scale_of
from mien.packs.manifest import Input
from mien.runtime.session import Runtime

pytest.importorskip("onnx")

SIZE_WH = (64, 48)
UPRIGHT = np.array([[40, 40], [80, 40], [60, 60], [45, 80], [75, 80]], float)
DOTS = [(52.0, 60.0), (83.0, 55.0), (70.0, 90.0)]


def facts(**changes):
    known = {
        "file": "net.onnx",
        "output": "y",
        "count": 3,
        "unit": 1.0,
        "first": {"grow": [1.2, 1.2], "square": True},
        "eyes": [[0], [1]],
    }
    return msgspec.convert(known | changes, PointFacts)


@pytest.fixture
def finder(tmp_path):
    def make(**changes):
        given = Input("rgb", (0.0, 0.0, 0.0), 1.0, SIZE_WH)
        files = {"net.onnx": centroid_network(SIZE_WH)}
        pack = written_pack(tmp_path, "landmarks", ("landmarks",), {}, given=given, files=files)
        return PointNetwork(pack, facts(**changes), 2, Runtime("cpu", 1))

    return make


def one_face(size_wh=(150, 130), box=(30, 35, 105, 115), points=UPRIGHT):
    return Faces(size_wh, np.array([box]), np.ones(1), points=None if points is None else points[None])


@pytest.mark.parametrize("again", [None, {"grow": [3.0, 2.0], "square": False}])
@pytest.mark.parametrize("points", [None, UPRIGHT])
def test_points_are_found_where_they_are(finder, again, points):
    found = finder(again=again).find([dotted((150, 130), DOTS)], [one_face(points=points)])
    np.testing.assert_allclose(found[0], DOTS, atol=0.3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_points_turn_with_the_picture(finder, quarters):
    image, face = dotted((150, 130), DOTS), one_face()
    network = finder(again={"grow": [3.0, 3.0], "square": True})
    found = network.find([turned(image, quarters)], [turned_faces(face, quarters)])
    np.testing.assert_allclose(found[0], turned_points(np.array(DOTS), (150, 130), quarters), atol=0.3)


def test_the_second_look_makes_good_for_a_poor_box(finder):
    """Too large a box blurs the points; around what was found they are sharp."""
    image = dotted((1200, 1000), [(500, 480), (560, 480), (530, 540)], radius=6)
    face = one_face((1200, 1000), (130, 130, 900, 900), None)
    first = finder().find([image], [face])
    second = finder(again={"grow": [2.5, 2.5], "square": True}).find([image], [face])
    errors = [np.abs(found[0] - [(500, 480), (560, 480), (530, 540)]).max() for found in (first, second)]
    assert errors[1] < 0.5 < errors[0]


def test_all_at_once_equals_one_by_one(finder):
    images = [dotted((150, 130), DOTS), Image(np.zeros((1, 1, 3), np.uint8)), dotted((150, 130), DOTS[::-1])]
    two = Faces((150, 130), np.array([[30, 35, 105, 115], [20, 20, 120, 120]]), np.ones(2))
    outside = one_face((1, 1), (-50, -50, 300, 300), None)
    faces = [two, outside, one_face(points=None)]
    network = finder(again={"grow": [2.0, 2.0], "square": True})
    together = network.find(images, faces)
    alone = [network.find([image], [found]) for image, found in zip(images, faces, strict=True)]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-3)
    assert np.isfinite(together).all()


def test_no_face_and_no_picture(finder):
    network = finder(again={"grow": [2.0, 2.0], "square": True})
    assert network.find([], []).shape == (0, 3, 2)
    image = Image(np.zeros((1, 1, 3), np.uint8))
    assert network.find([image], [Faces.empty((1, 1))]).shape == (0, 3, 2)


def test_depth_is_on_the_scale_of_x(tmp_path):

    said = [[10, 10, 5], [50, 10, -5], [30, 40, 0]]
    given = Input("rgb", (0.0, 0.0, 0.0), 1.0, (64, 64))
    files = {"net.onnx": constant_network((64, 64), said)}
    pack = written_pack(tmp_path, "mesh", ("mesh",), {}, given=given, files=files)
    network = PointNetwork(pack, facts(first={"grow": [1.0, 1.0], "square": True}), 3, Runtime("cpu", 1))
    face = one_face((300, 300), (100, 100, 228, 228), None)
    found = network.find([Image(np.zeros((300, 300, 3), np.uint8))], [face])[0]
    # 64 pixels of the crop show 128 of the picture, whose pixel centres are half a pixel inside.
    np.testing.assert_allclose(found, np.array(said) * 2 + [99.5, 99.5, 0])


def test_a_box_is_shown_as_other_families_show_it():
    face = one_face(points=None)
    ours = around_box(face, Look((1.5, 1.5), square=True), SIZE_WH)
    np.testing.assert_allclose(ours, transforms(face, Cut(scale=1.5), SIZE_WH), atol=1e-9)


def test_width_and_height_grow_by_factors_of_their_own():
    matrix = around_box(one_face(points=None), Look((2.0, 1.0), square=False), (150, 80))
    corners = apply_transform(matrix, np.array([[[30 - 37.5, 35], [105 + 37.5, 115]]]) - 0.5)[0]
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [149.5, 79.5]])


@pytest.mark.parametrize("angle", [-170, -90, -20, 0, 45, 120])
def test_leaning_is_measured_clockwise(angle):
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    points = (UPRIGHT - 60) @ np.array([[cos, sin], [-sin, cos]]) + 60
    assert np.degrees(lean(one_face(points=points)))[0] == pytest.approx(angle)
    assert lean(one_face(points=None)).tolist() == [0]


def test_a_profile_whose_eyes_swapped_places_stands_upright():
    points = np.array([[62, 40], [60, 42], [90, 60], [64, 80], [63, 82]], float)
    assert abs(np.degrees(lean(one_face(points=points)))[0]) < 30


def test_points_that_coincide_still_make_a_transform():
    matrix = around_points(np.full((1, 3, 2), 7.0), ((0,), (1,)), Look((1.5, 1.5), square=True), SIZE_WH)
    assert np.isfinite(matrix).all()
    assert scale_of(matrix[0]) > 1


@pytest.mark.parametrize(
    "changes",
    [
        {"eyes": [[0], [3]]},
        {"eyes": [[], [1]]},
        {"points": [[0], [1]]},
        {"points": [[0], [1], [2], [0], [9]]},
        {"first": {"grow": [0, 1], "square": True}},
        {"unit": 0},
        {"count": 0},
    ],
)
def test_facts_that_do_not_fit_are_refused(changes):
    with pytest.raises(msgspec.ValidationError):
        facts(**changes)
