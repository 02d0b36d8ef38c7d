import numpy as np
import pytest

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import BadRequest
from mien.ops.draw import contact_sheet, draw_faces

BLUE, ORANGE, YELLOW = (0, 114, 178), (230, 159, 0), (240, 228, 66)


def plain(width, height, value=128):
    return Image.from_rgb(np.full((height, width, 3), value, np.uint8), "plain.png")


def faces_at(image, *boxes, points=True):
    box = np.array(boxes, np.float32).reshape(-1, 4)
    inner = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]], np.float32)
    at = box[:, None, :2] + inner * (box[:, None, 2:] - box[:, None, :2])
    return Faces(image.size_wh, box, np.full(len(box), 0.5, np.float32), at if points else None)


def is_colour(rgb, colour):
    return (rgb == np.array(colour, np.uint8)).all(axis=2)


def changed(before, after):
    return (before.rgb != after.rgb).any(axis=2)


def test_no_faces_give_the_same_picture():
    image = plain(40, 30)
    assert draw_faces(image, Faces.empty(image.size_wh)) is image


def test_the_original_is_not_touched_and_the_source_is_kept():
    image = plain(200, 200)
    drawn = draw_faces(image, faces_at(image, (60, 60, 140, 140)))
    assert (image.rgb == 128).all()
    assert (drawn.source, drawn.size_wh) == (image.source, image.size_wh)


@pytest.mark.parametrize(("known", "colour"), [(None, YELLOW), ([True], BLUE), ([False], ORANGE)])
def test_the_box_is_on_its_edges_and_the_points_are_on_theirs(known, colour):
    image = plain(400, 300)
    faces = faces_at(image, (100, 100, 220, 240))
    coloured = is_colour(draw_faces(image, faces, known=known).rgb, colour)
    for x, y in ((100, 170), (220, 170), (160, 100), (160, 240)):
        assert coloured[y - 3 : y + 4, x - 3 : x + 4].any()
    for x, y in faces.points[0].round().astype(int):
        assert coloured[y, x]
    inside = coloured[110:230, 110:210]
    assert inside.mean() < 0.05, "the face itself stays visible"
    for other in {BLUE, ORANGE, YELLOW} - {colour}:
        assert not is_colour(draw_faces(image, faces, known=known).rgb, other).any()


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255), BLUE, ORANGE, YELLOW])
@pytest.mark.parametrize("known", [None, [True], [False]])
def test_edges_stand_out_on_any_background(background, known):
    image = Image.from_rgb(np.zeros((300, 300, 3), np.uint8) + np.array(background, np.uint8))
    drawn = draw_faces(image, faces_at(image, (100, 100, 200, 200)), ["Ann"], known=known)
    row = drawn.rgb[150, 90:110].astype(float) @ [0.2126, 0.7152, 0.0722]
    assert np.abs(row - row[0]).max() > 80


def test_lines_and_letters_grow_with_the_picture():
    def amounts(scale):
        image = plain(300 * scale, 300 * scale)
        box = np.array([100, 100, 200, 200]) * scale
        return changed(image, draw_faces(image, faces_at(image, box), ["Ann"])).mean()

    assert amounts(4) == pytest.approx(amounts(1), rel=0.35)


def test_tags_keep_off_other_faces_and_inside_the_picture():
    image = plain(400, 300)
    below_another = faces_at(image, (100, 20, 200, 130), (100, 150, 200, 260), points=False)
    for i, name in enumerate(("Somebody", "Somebody else")):
        alone = draw_faces(image, below_another, ["", ""])
        labels = ["", ""]
        labels[i] = name
        tag = changed(alone, draw_faces(image, below_another, labels))
        assert tag.any()
        for x1, y1, x2, y2 in below_another.box.astype(int):
            assert not tag[y1 + 4 : y2 - 4, x1 + 4 : x2 - 4].any()


def test_tags_do_not_cover_each_other():
    image = plain(600, 400)
    boxes = [(x, 150, x + 50, 210) for x in (200, 255, 310)]
    drawn = draw_faces(image, faces_at(image, *boxes, points=False), ["Anna Maria"] * 3, known=[True] * 3)
    one = draw_faces(image, faces_at(image, boxes[0], points=False), ["Anna Maria"], known=[True])
    # White is letters and rims only: three whole tags have three times as much of it.
    white = [is_colour(picture.rgb, (255, 255, 255)).sum() for picture in (drawn, one)]
    assert white[0] == pytest.approx(3 * white[1], rel=0.08)


@pytest.mark.parametrize(
    "box",
    [
        (-50, -60, 80, 70),
        (150, 150, 900, 900),
        (-1e9, -1e9, 1e9, 1e9),
        (1e30, 1e30, 2e30, 2e30),
        (-1e30, 10, 50, 1e30),
        (120, 120, 60, 60),
        (50, 50, 50, 50),
        (0, 0, 200, 200),
    ],
)
def test_odd_boxes_are_drawn_as_far_as_they_go(box):
    image = plain(200, 200)
    drawn = draw_faces(image, faces_at(image, box), ["Ann"])
    outside = min(box[0], box[2]) > 200
    assert changed(image, drawn).any() != outside


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 3), (12, 12), (1, 2000), (2000, 1)])
def test_small_pictures_are_not_buried_under_a_tag(size_wh):
    image = plain(*size_wh)
    drawn = draw_faces(image, faces_at(image, (0, 0, *size_wh), points=False), ["Ann"])
    assert drawn.size_wh == size_wh


def test_long_names_are_cut_to_the_picture():
    image = plain(200, 200)
    faces = faces_at(image, (60, 60, 140, 140), points=False)
    drawn = changed(image, draw_faces(image, faces, ["Wolfeschlegelsteinhausenbergerdorff " * 20]))
    assert drawn.any(axis=0).sum() > 150
    assert drawn.any(axis=1).sum() < 140


@pytest.mark.parametrize("name", ["", "a\nb\tc", "王小明", "José", "أحمد", "😀", "\ud800", "\x00", "e\u0301"])
def test_any_name_is_drawn(name):
    image = plain(300, 300)
    faces = faces_at(image, (100, 100, 200, 200))
    drawn = draw_faces(image, faces, [name])
    assert changed(image, drawn).any()


def test_lengths_and_sizes_are_checked():
    image = plain(300, 300)
    faces = faces_at(image, (100, 100, 200, 200))
    with pytest.raises(BadRequest, match="labels per face: 1, got 2"):
        draw_faces(image, faces, ["a", "b"])
    with pytest.raises(BadRequest, match="known per face: 1, got 0"):
        draw_faces(image, faces, known=[])
    with pytest.raises(BadRequest, match="cannot be drawn"):
        draw_faces(plain(30, 30), faces)


def test_contact_sheet_fits_every_picture_into_its_cell():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    shapes = [(50, 100), (100, 50), (10, 10)]
    images = [
        Image.from_rgb(np.zeros((h, w, 3), np.uint8) + np.array(c, np.uint8))
        for (w, h), c in zip(shapes, colours, strict=True)
    ]
    sheet = contact_sheet(
        images, ["tall", "wide", "a caption that is much longer than its cell"], columns=2, cell=96
    )
    found = []
    for colour in colours:
        ys, xs = np.nonzero(is_colour(sheet.rgb, colour))
        found.append((xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1))
    assert [f[2:] for f in found] == [(48, 96), (96, 48), (96, 96)]
    assert found[0][0] < found[1][0]
    assert found[2][1] > found[0][1] + 96
    right = sheet.rgb[found[2][1] :, found[2][0] + 96 :]
    assert (right == right[0, -1]).all(), "the long caption stays below its own picture"


def test_contact_sheet_takes_extreme_shapes():
    sheet = contact_sheet([plain(1, 5000, 0), plain(5000, 1, 0)], ["", "照片"], columns=9, cell=64)
    assert is_colour(sheet.rgb, (0, 0, 0)).any(axis=0).sum() >= 64 + 1


@pytest.mark.parametrize(
    ("count", "captions", "columns", "cell"), [(0, 0, 1, 64), (1, 2, 1, 64), (1, 1, 0, 64), (1, 1, 1, 4)]
)
def test_contact_sheet_checks_its_arguments(count, captions, columns, cell):
    with pytest.raises(BadRequest, match="contact_sheet wants"):
        contact_sheet([plain(9, 9)] * count, ["x"] * captions, columns=columns, cell=cell)
