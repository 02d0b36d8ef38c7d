import numpy as np
import pytest
from msgspec import ValidationError, convert

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import InferenceError
from mien.models.crops import Cut, cut_boxes, cut_out, transforms
from mien.ops.align import apply_transform

TEMPLATE = ((10.0, 12.0), (30.0, 12.0), (20.0, 22.0), (12.0, 32.0), (28.0, 32.0))


def faces(*boxes, size_wh=(200, 150), points=None):
    return Faces(size_wh, np.array(boxes, np.float32), np.ones(len(boxes), np.float32), points)


def test_a_box_comes_edge_to_edge():
    """Edges lie half a pixel outside of the outermost centres, in the picture as in the chip."""
    matrix = transforms(faces((40, 30, 80, 90)), Cut(square=False), (20, 30))
    corners = np.array([[[40 - 0.5, 30 - 0.5], [80 - 0.5, 90 - 0.5]]])
    np.testing.assert_allclose(apply_transform(matrix, corners), [[[-0.5, -0.5], [19.5, 29.5]]], atol=1e-9)


def test_pixels_are_those_of_the_box(rng):
    image = Image(rng.integers(0, 256, (150, 200, 3), np.uint8))
    chips, _ = cut_out([image], [faces((40, 30, 60, 50))], Cut(), (20, 20))
    np.testing.assert_array_equal(chips[0], image.rgb[30:50, 40:60])


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (Cut(square=False, scale=2.0), (30, 0, 70, 120)),
        (Cut(square=True), (20, 30, 80, 90)),
        (Cut(square=False, shift=(0.25, -0.5)), (45, 0, 65, 60)),
    ],
)
def test_boxes_that_are_shown(cut, expected):
    np.testing.assert_allclose(cut_boxes(faces((40, 30, 60, 90)), cut), [expected])


@pytest.mark.parametrize(
    "box", [(5, 5, 45, 55), (150, 100, 195, 148), (80, 50, 120, 100), (10, 10, 190, 140)]
)
@pytest.mark.parametrize("scale", [2.7, 4.0])
def test_inside_as_the_published_code_crops(box, scale):
    """CropImage of minivision-ai/Silent-Face-Anti-Spoofing, in its own arithmetic."""
    width, height = 200, 150
    x, y, w, h = box[0], box[1], box[2] - box[0], box[3] - box[1]
    scale_in = min((height - 1) / h, (width - 1) / w, scale)
    new_w, new_h = w * scale_in, h * scale_in
    left, top = x + w / 2 - new_w / 2, y + h / 2 - new_h / 2
    right, bottom = left + new_w, top + new_h
    if left < 0:
        left, right = 0, right - left
    if top < 0:
        top, bottom = 0, bottom - top
    if right > width - 1:
        left, right = left - (right - width + 1), width - 1
    if bottom > height - 1:
        top, bottom = top - (bottom - height + 1), height - 1
    shown = cut_boxes(faces(box), Cut(scale=scale, square=False, inside=True))[0]
    np.testing.assert_allclose(shown, (left, top, right, bottom), atol=1e-3)


def test_points_come_to_the_template():
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    points = (np.array(TEMPLATE) @ turn.T * 3 + [50, 20]).astype(np.float32)
    cut = Cut(by="points", template=TEMPLATE)
    matrix = transforms(faces((0, 0, 9, 9), points=points[None]), cut, (40, 40))
    np.testing.assert_allclose(apply_transform(matrix, points[None])[0], TEMPLATE, atol=1e-3)
    assert cut.needs == {"box", "points"}


def test_eyes_become_level():
    points = np.array([[[80, 60], [110, 80], [90, 90], [70, 100], [95, 115]]], np.float32)
    matrix = transforms(faces((50, 40, 130, 120), points=points), Cut(by="eyes"), (64, 64))
    left, right = apply_transform(matrix, points)[0, :2]
    assert left[1] == pytest.approx(right[1], abs=1e-4)
    assert right[0] > left[0]
    centre = apply_transform(matrix, np.array([[[89.5, 79.5]]]))[0, 0]
    np.testing.assert_allclose(centre, (31.5, 31.5), atol=1e-6)


def test_points_that_coincide_are_refused():
    with pytest.raises(InferenceError, match="coincide"):
        transforms(
            faces((0, 0, 9, 9), points=np.zeros((1, 5, 2))), Cut(by="points", template=TEMPLATE), (9, 9)
        )


def test_no_faces_give_nothing():
    none = Faces.empty((20, 20)).with_(points=np.zeros((0, 5, 2)))
    for cut in (Cut(), Cut(by="eyes"), Cut(by="points", template=TEMPLATE), Cut(inside=True)):
        assert transforms(none, cut, (8, 8)).shape == (0, 2, 3)
    chips, matrix = cut_out([], [], Cut(), (8, 8))
    assert (chips, matrix.shape) == ([], (0, 2, 3))


def test_empty_boxes_do_not_break(rng):
    image = Image(rng.integers(0, 256, (30, 30, 3), np.uint8))
    chips, _ = cut_out([image], [faces((5, 5, 5, 5), (500, 500, 510, 510), size_wh=(30, 30))], Cut(), (8, 8))
    assert [chip.shape for chip in chips] == [(8, 8, 3)] * 2
    assert not chips[1].any(), "what lies outside of the picture is black"


@pytest.mark.parametrize(
    "wrong",
    [{"by": "points"}, {"template": TEMPLATE}, {"scale": 0}, {"scale": 1e9}, {"by": "nose"}, {"size": 1}],
)
def test_cuts_that_make_no_sense(wrong):
    with pytest.raises(ValidationError):
        convert(wrong, Cut)
