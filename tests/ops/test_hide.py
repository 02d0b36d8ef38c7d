import numpy as np
import pytest

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import BadRequest
from mien.ops.hide import WAYS, hide_faces


@pytest.fixture
def picture(rng):
    return Image(rng.integers(0, 256, (120, 160, 3), np.uint8))


def faces(*boxes, size_wh=(160, 120)):
    return Faces(size_wh, np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32))


@pytest.mark.parametrize("way", WAYS)
def test_changes_the_face_and_nothing_else(way, picture):
    hidden = hide_faces(picture, faces((60, 40, 100, 80)), way)
    changed = (hidden.rgb != picture.rgb).any(2)
    assert changed[40:80, 60:100].mean() > 0.95
    rows, columns = np.nonzero(changed)
    # Grown by 30 %, and an ellipse a tenth wider than that on each side.
    assert columns.min() >= 60 - 6 - 6 - 1
    assert columns.max() <= 100 + 6 + 6 + 1
    assert rows.min() >= 40 - 6 - 6 - 1
    assert hidden.source == picture.source
    assert (picture.rgb != hidden.rgb).any(), "the original is not changed"


def test_solid_leaves_nothing(picture):
    hidden = hide_faces(picture, faces((60, 40, 100, 80)), "solid")
    assert not hidden.rgb[45:75, 65:95].any()


@pytest.mark.parametrize("way", ["blur", "pixelate"])
def test_few_cells_are_left(way, picture):
    """Noise has a standard deviation of 74; the mean of a cell of k pixels 74 / sqrt(k)."""
    hidden = hide_faces(picture, faces((20, 0, 140, 120)), way, grow=0)
    inside = hidden.rgb[30:90, 50:110].astype(float)
    assert inside.std() < 2 * 74 / np.sqrt((120 / 6) ** 2)


@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 30, 30),
        (150, 110, 400, 300),
        (-500, -500, 900, 900),
        (300, 300, 400, 400),
        (70, 50, 70, 50),
    ],
)
def test_faces_at_and_beyond_the_edge(box, picture):
    for way in WAYS:
        assert hide_faces(picture, faces(box), way).size_wh == picture.size_wh


def test_no_face_is_the_same_object(picture):
    assert hide_faces(picture, faces(), "blur") is picture


@pytest.mark.parametrize(("way", "grow"), [("paint", 0.3), ("blur", -1.0), ("blur", float("nan"))])
def test_refuses(way, grow, picture):
    with pytest.raises(BadRequest):
        hide_faces(picture, faces((1, 1, 9, 9)), way, grow=grow)
    with pytest.raises(BadRequest, match="cannot be hidden in"):
        hide_faces(picture, faces((1, 1, 9, 9), size_wh=(80, 60)), "blur")


def test_nobody_is_found_or_recognised_afterwards(kit, photos):
    for path in sorted(photos.glob("*.jpg"))[:4]:
        hidden = kit.anonymise(path, "solid")
        before = kit.detect(path)
        after = kit.detect(hidden)
        assert len(before) > 0
        assert len(after) < len(before)
