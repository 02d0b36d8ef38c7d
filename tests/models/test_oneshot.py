from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from facepacks import real_stages
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.media.images import find_images, open_image
from mien.models.oneshot import Candidates, OneShot, OneShotFacts, in_picture, join
from mien.models.views import View, plan_views
from mien.ops.boxes import iou
from mien.packs.manifest import Input
from mien.settings import Settings

# Pictures of up to 160 pixels are shown as they are.
FACTS = {
    "file": "fake.onnx",
    "threshold": 0.5,
    "sure": 0.8,
    "iou": 0.4,
    "smallest": 8,
    "enlarge": 1.0,
    "afar": 0.5,
    "any_size": {"fast": 96, "normal": 160, "stride": 32},
}
PIXELS = Input("rgb", (0.0, 0.0, 0.0), 1.0)
WHOLE = View((0, 0, 160, 160), 0, (160, 160), plain=True)


class FakeNetwork:
    """Gives back what it is shown, pixel by pixel, and remembers how much that was."""

    input_names = ("image",)

    def __init__(self):
        self.shapes = []

    def run(self, inputs):
        (tensor,) = inputs.values()
        self.shapes.append(tensor.shape)
        return {"pixels": tensor.transpose(0, 2, 3, 1)}


def make(decode, *, search="normal", device="cpu", points=True, given=PIXELS, **changed):
    """A stage on a fake network; the network is `stage._network`."""
    network = FakeNetwork()
    runtime = SimpleNamespace(device=device, network=lambda path: network)
    manifest = SimpleNamespace(name="fake", input=given)
    pack = SimpleNamespace(manifest=manifest, file=lambda name: name)
    facts = msgspec.convert(FACTS | changed, OneShotFacts)
    return OneShot(pack, runtime, Settings(search=search), facts, decode, points=points)


def see(seen, size_wh, least, score=None):
    """One face for each colour that there is: the box around it, with points that are not symmetric.

    The scores of red, green and blue are 0.9, 0.85 and 0.6, unless `score` makes one of the box.
    """
    pixels = seen["pixels"].reshape(size_wh[1], size_wh[0], 3)
    boxes, scores = [], []
    for channel, known in enumerate((0.9, 0.85, 0.6)):
        y, x = np.nonzero(pixels[..., channel] > 127)
        if len(y):
            boxes.append((x.min(), y.min(), x.max() + 1, y.max() + 1))
            scores.append(known if score is None else score(boxes[-1]))
    box = np.array(boxes, float).reshape(-1, 4)
    score = np.array(scores)
    keep = score >= least
    return Candidates(box[keep], score[keep], points_of(box[keep]))


SHARES = np.array([[0.1, 0.2], [0.9, 0.3], [0.5, 0.5], [0.2, 0.8], [0.7, 0.9]])


def points_of(box):
    return box[:, None, :2] + SHARES * (box[:, None, 2:] - box[:, None, :2])


def always(boxes, scores):
    """Decode the same boxes from every view."""

    def decode(seen, size_wh, least):
        box, score = np.array(boxes, float).reshape(-1, 4), np.array(scores)
        return Candidates(box[score >= least], score[score >= least], points_of(box[score >= least]))

    return decode


def picture(size_wh, *rects):
    """A black picture with rectangles, the first red, the second green, the third blue."""
    rgb = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    for channel, (left, top, right, bottom) in enumerate(rects):
        rgb[top:bottom, left:right, channel] = 255
    return Image(rgb)


def detect(stage, *pictures):
    return stage(list(pictures), [None] * len(pictures))


def test_boxes_are_edges_and_points_are_pixel_centres():
    box = (20, 30, 60, 90)
    (faces,) = detect(make(see), picture((150, 120), box))
    assert faces.size_wh == (150, 120)
    np.testing.assert_allclose(faces.box, [box], atol=1e-5)
    # Edge coordinate 0.5 is the middle of pixel 0.
    np.testing.assert_allclose(faces.points[0], [20, 30] + SHARES * [40, 60] - 0.5, atol=1e-4)
    np.testing.assert_allclose(faces.score, [0.9])


@pytest.mark.parametrize("search", ["fast", "normal"])
def test_pictures_of_any_size_give_boxes_in_their_own_frame(search):
    box = np.array([400, 200, 720, 600])
    (faces,) = detect(make(see, search=search), picture((1000, 800), box))
    pixel = 1000 / {"fast": 96, "normal": 160}[search]
    np.testing.assert_allclose(faces.box, [box], atol=pixel)
    np.testing.assert_allclose(faces.points[0], points_of(faces.box)[0] - 0.5, atol=1e-3)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_what_a_turned_view_sees_is_turned_back(turns):
    """A corner of the face goes where numpy's rot90 puts it, and points go with their corners."""
    wide, high = 12, 7
    rgb = np.zeros((high, wide), int)
    rgb[2, 3] = rgb[5, 9] = 1
    y, x = np.nonzero(np.rot90(rgb, turns))
    size_wh = (wide, high)[:: -1 if turns % 2 else 1]
    box = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], float)
    points = np.stack([x, y], 1)[None] + 0.5
    view = View((0, 0, *size_wh), turns, size_wh)
    found = in_picture(Candidates(box, np.array([0.7]), points), view, (wide, high))
    np.testing.assert_allclose(found.box, [[3, 2, 10, 6]])
    assert {tuple(point) for point in found.points[0] - 0.5} == {(3, 2), (9, 5)}
    np.testing.assert_array_equal(found.score, [0.7])


def test_the_order_of_points_is_kept_by_turns():
    """The viewer's-left eye of an upside-down face is at the right of the picture."""
    points = np.array([[[2, 3], [8, 3], [5, 5], [3, 8], [7, 8]]], float)
    view = View((0, 0, 10, 20), 2, (10, 20))
    found = in_picture(Candidates(np.array([[1, 1, 9, 9]], float), np.ones(1), points), view, (10, 20))
    np.testing.assert_allclose(found.points, [10, 20] - points)


def test_without_points_nothing_is_made_up():
    found = in_picture(Candidates(np.array([[1, 1, 9, 9]], float), np.ones(1)), WHOLE, (160, 160))
    assert found.points is None
    stage = make(lambda *given: found, points=False)
    assert stage.gives == {"box", "score"}
    assert detect(stage, picture((160, 160)))[0].points is None
    assert make(see).gives == {"box", "score", "points"}


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ((40, 40, 60, 60), True),
        ((0, 40, 30, 60), False),  # at the left border, which is inside the picture
        ((0.9, 40, 30, 60), False),
        ((1.1, 40, 30, 60), True),
        ((70, 40, 99.5, 60), False),  # at the right border
        ((70, 40, 98.9, 60), True),
        ((40, -5, 60, 20), True),  # at the top, where the picture ends as well
        ((40, 70, 60, 100), False),  # at the bottom
    ],
)
def test_faces_cut_by_a_tile_are_dropped(box, kept):
    tile = View((100, 0, 300, 200), 0, (100, 100))
    points = points_of(np.array([box], float))
    found = in_picture(Candidates(np.array([box], float), np.ones(1), points), tile, (400, 300))
    assert len(found.box) == len(found.score) == len(found.points) == kept


def test_faces_cut_by_the_picture_itself_are_kept():
    box = np.array([[-3, 0, 20, 30], [140, 150, 170, 165]], float)
    found = in_picture(Candidates(box, np.ones(2), points_of(box)), WHOLE, (160, 160))
    np.testing.assert_allclose(found.box, box)


@pytest.mark.parametrize("search", ["fast", "normal"])
@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("size_wh", [(656, 492), (492, 656), (1292, 969), (735, 980), (1280, 720)])
def test_faces_at_the_end_of_any_picture_are_kept(size_wh, fixed, search):
    """Also where 240 * (492 / 240) is less than 492."""
    width, height = size_wh
    changed = {"any_size": {"fast": 320, "normal": 640, "stride": 32}}
    if fixed:
        changed = {"any_size": None, "given": Input("rgb", (0, 0, 0), 1.0, (320, 240))}
    corners = (0, 0, 100, 90), (width - 90, height - 100, width, height)
    (faces,) = detect(make(see, search=search, **changed), picture(size_wh, *corners))
    np.testing.assert_allclose(faces.box, corners, atol=5)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_borders_of_a_turned_tile_are_those_of_the_turned_picture(turns):
    """The tile ends where the turned picture does, at the right; at the left it does not."""
    size_wh = (400, 300)
    width, height = size_wh[:: -1 if turns % 2 else 1]
    tile = View((width - 100, 0, width, height), turns, (100, height))
    box = np.array([[0, 40, 20, 60], [80, 40, 100, 60]], float)
    found = in_picture(Candidates(box, np.array([0.1, 0.2]), points_of(box)), tile, size_wh)
    np.testing.assert_array_equal(found.score, [0.2])


@pytest.mark.parametrize("search", ["tiny", "thorough"])
def test_parts_in_tiles_do_not_win_over_the_whole_face(search):
    """The smaller a box, the surer this network is: any part that were kept would win."""
    width, height = 1000, 700
    rect = (300, 210, 640, 580)

    def score(box):
        return 0.99 - 1e-5 * (box[2] - box[0]) * (box[3] - box[1]) / (160 * 160)

    stage = make(lambda *given: see(*given, score), search=search)
    image = picture((width, height), rect)
    scales = {
        view.size_wh[0] / (view.rect[2] - view.rect[0])
        for view in plan_views((1000, 700), search, stage.sight)
    }
    assert max(scales) > 1.9
    (faces,) = detect(stage, image)
    assert len(faces) == 1
    np.testing.assert_allclose(faces.box, [rect], atol=1000 / 160 / FACTS["afar"])


def test_a_small_face_is_seen_in_tiles_only():
    """Blue is found in whole views only, since 0.6 is not sure enough for tiles."""
    image = picture((1600, 1600), (801, 901, 807, 907), (403, 303, 409, 309), (1208, 1308, 1212, 1312))
    assert len(detect(make(see, search="normal", threshold=0.1), image)[0]) == 0
    (faces,) = detect(make(see, search="tiny"), image)
    np.testing.assert_allclose(faces.score, [0.9, 0.85], atol=1e-6)
    np.testing.assert_allclose(faces.box, [(801, 901, 807, 907), (403, 303, 409, 309)], atol=2.5)


def test_nested_boxes_of_several_views_are_one_face():
    boxes = [(40, 40, 100, 100), (50, 50, 80, 80), (110, 110, 140, 140)]
    decode = always(boxes, [0.9, 0.85, 0.95])
    # One view: the network itself says that there are two.
    assert detect(make(decode), picture((160, 160)))[0].score.tolist() == pytest.approx([0.95, 0.9, 0.85])
    # A second view, from afar, shows other faces at the same places; the nested one goes.
    (faces,) = detect(make(decode, search="close"), picture((160, 160)))
    np.testing.assert_allclose(faces.box[:2], [boxes[2], boxes[0]])
    assert list(boxes[1]) not in faces.box.round(3).tolist()


@pytest.mark.parametrize(("shift", "kept"), [(5, 1), (17, 1), (18, 2)])
def test_overlapping_boxes_of_one_view_are_one_face(shift, kept):
    """Squares of 40 pixels: after 17 they share 23 of 57 columns, after 18 22 of 58, less than 0.4."""
    decode = always([(40, 40, 80, 80), (40 + shift, 40, 80 + shift, 80)], [0.8, 0.9])
    (faces,) = detect(make(decode), picture((160, 160)))
    assert len(faces) == kept
    assert faces.score[0] == pytest.approx(0.9)


def test_faces_outside_the_picture_are_dropped():
    """The tensor shows more than the picture, whose middle must be inside."""
    boxes = [
        (100, 10, 140, 50),
        (120, 60, 160, 100),
        (10, 90, 40, 118),
        (10, 100, 40, 142),
        (-40, 50, 20, 80),
    ]
    (faces,) = detect(make(always(boxes, [0.9, 0.8, 0.7, 0.6, 0.6])), picture((130, 120)))
    np.testing.assert_allclose(faces.box, [boxes[0], boxes[2]])


@pytest.mark.parametrize(
    ("search", "expected"), [("fast", {0.5}), ("normal", {0.5}), ("close", {0.5}), ("tiny", {0.5, 0.8})]
)
def test_whole_views_need_the_threshold_and_others_must_be_sure(search, expected):
    least = []
    stage = make(
        lambda seen, size_wh, wanted: least.append(wanted) or see(seen, size_wh, wanted), search=search
    )
    detect(stage, picture((400, 300)))
    assert set(least) == expected


def test_turned_views_must_be_sure():
    least = []
    stage = make(
        lambda seen, size_wh, wanted: least.append(wanted) or see(seen, size_wh, wanted), search="thorough"
    )
    detect(stage, picture((160, 160)))
    tiles = len(plan_views((160, 160), "tiny", stage.sight)) - 1
    assert sorted(least) == [0.5] * 2 + [0.8] * (tiles + 6)


def test_scores_at_the_threshold_are_faces():
    faces = detect(
        make(see, threshold=0.6), picture((160, 160), (0, 0, 9, 9), (20, 0, 30, 9), (50, 50, 60, 60))
    )[0]
    assert len(faces) == 3
    faces = detect(
        make(see, threshold=0.61), picture((160, 160), (0, 0, 9, 9), (20, 0, 30, 9), (50, 50, 60, 60))
    )[0]
    assert len(faces) == 2


SEVERAL = [
    ((160, 160), (10, 20, 40, 60)),
    ((150, 140), (80, 30, 110, 70), (20, 20, 50, 60)),
    ((1, 1),),
    ((600, 200), (100, 50, 200, 150)),
    ((160, 160), (90, 90, 130, 140), (10, 10, 40, 50), (100, 20, 130, 60)),
    ((3, 400),),
]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("search", ["normal", "close", "thorough"])
def test_a_batch_of_several_sizes_equals_single_pictures(search, device):
    pictures = [picture(*given) for given in SEVERAL]
    stage = make(see, search=search, device=device)
    together = detect(stage, *pictures)
    assert sum(map(len, together)) >= 6
    for image, faces in zip(pictures, together, strict=True):
        (alone,) = detect(make(see, search=search, device=device), image)
        assert faces.size_wh == image.size_wh
        for name in ("box", "score", "points"):
            np.testing.assert_array_equal(getattr(faces, name), getattr(alone, name))


def test_one_call_sees_one_view_on_a_cpu_and_several_elsewhere():
    pictures = [picture((160, 160), (10, 10, 20, 20))] * 5 + [picture((96, 160), (10, 10, 20, 20))] * 2

    def calls(**changed):
        stage = make(see, **changed)
        detect(stage, *pictures)
        return sorted(stage._network.shapes)

    assert calls() == [(1, 3, 160, 96)] * 2 + [(1, 3, 160, 160)] * 5
    assert calls(device="cuda") == [(2, 3, 160, 96), (5, 3, 160, 160)]
    assert calls(device="cuda", batched=False) == calls()


def test_a_call_sees_a_bounded_number_of_pixels():
    stage = make(see, device="cuda", any_size={"fast": 320, "normal": 640, "stride": 32})
    faces = detect(stage, *[picture((640, 640), (10 * i + 10, 20, 500, 400)) for i in range(9)])
    assert [shape[0] for shape in stage._network.shapes] == [4, 4, 1]
    assert [int(one.box[0, 0]) for one in faces] == [10 * i + 10 for i in range(9)]


def test_no_pictures_no_calls():
    stage = make(see, search="thorough")
    assert stage([], []) == []
    assert stage._network.shapes == []


@pytest.mark.parametrize("search", ["fast", "normal", "tiny", "close", "thorough"])
@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("size_wh", [(1, 1), (1, 700), (700, 1), (49, 400), (2, 3)])
def test_pictures_of_few_pixels(size_wh, fixed, search):
    changed = {"any_size": None, "given": Input("rgb", (0, 0, 0), 1.0, (128, 96))} if fixed else {}
    stage = make(see, search=search, smallest=20, enlarge=3.0, **changed)
    (faces,) = detect(stage, picture(size_wh))
    assert len(faces) == 0
    assert faces.points.shape == (0, 5, 2)


def test_a_face_of_one_pixel_fills_its_picture():
    (faces,) = detect(make(see), picture((1, 1), (0, 0, 1, 1)))
    np.testing.assert_allclose(faces.box, [[0, 0, 1, 1]])
    np.testing.assert_allclose(faces.points[0], SHARES - 0.5, atol=1e-6)


def test_a_network_of_fixed_size_gets_that_size():
    stage = make(see, any_size=None, given=Input("rgb", (0, 0, 0), 1.0, (128, 96)), search="thorough")
    rect = (100, 60, 160, 120)
    (faces,) = detect(stage, picture((300, 200), rect))
    assert {shape[1:] for shape in stage._network.shapes} == {(3, 96, 128)}
    np.testing.assert_allclose(faces.box, [rect], atol=3)


def test_pixels_are_prepared_as_the_manifest_says():
    seen = []
    stage = make(
        lambda pixels, size_wh, least: seen.append(pixels) or see(pixels, size_wh, least),
        given=Input("bgr", (1.0, 2.0, 3.0), 0.5),
    )
    detect(stage, Image(np.full((160, 160, 3), (10, 20, 30), np.uint8)))
    np.testing.assert_allclose(seen[0]["pixels"][0], [(30 - 1) / 2, (20 - 2) / 2, (10 - 3) / 2])
    assert seen[0]["pixels"].shape == (160 * 160, 3)


@pytest.mark.parametrize(
    ("given", "any_size"),
    [(None, FACTS["any_size"]), (PIXELS, None), (Input("rgb", (0, 0, 0), 1.0, (128, 96)), FACTS["any_size"])],
)
def test_exactly_one_size_is_wanted(given, any_size):
    with pytest.raises(ManifestInvalid, match="fake"):
        make(see, given=given, any_size=any_size)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 1.1},
        {"smallest": 0},
        {"enlarge": 0.5},
        {"afar": 0},
        {"any_size": {"fast": 320}},
        {"least": 1},
    ],
)
def test_facts_out_of_range_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(FACTS | wrong, OneShotFacts)


def test_candidates_are_joined_in_order():
    one = Candidates(np.ones((2, 4)), np.array([0.1, 0.2]), np.zeros((2, 5, 2)))
    two = Candidates(np.zeros((1, 4)), np.array([0.3]), np.ones((1, 5, 2)))
    both = join([one, two])
    np.testing.assert_array_equal(both.score, [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(both.box[:, 0], [1, 1, 0])
    np.testing.assert_array_equal(both.points[:, 0, 0], [0, 0, 1])
    assert join([Candidates(np.ones((1, 4)), np.ones(1))]).points is None


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    """The stages of all packs, searching as they do by default."""
    folder = tmp_path_factory.mktemp("packs")
    free = ("yunet", "yunet-2023mar", "retinaface", "ultraface", "blazeface")
    stages = real_stages(folder, shared("models/open"), free)
    return stages | real_stages(folder, shared("models/research"), ("scrfd-500m", "scrfd-2.5g"))


@pytest.fixture(scope="module")
def portraits(shared, real):
    """Photographs, and in each the large faces seen from the front, as YuNet finds them."""
    pairs = []
    for path in find_images([shared("data/faces_wild/obama_biden")]):
        image = open_image(path)
        (faces,) = detect(real["yunet"], image)
        large = (faces.box[:, 2:] - faces.box[:, :2]).max(1) >= 0.14 * max(image.size_wh)
        eyes, nose = faces.points[:, :2, 0], faces.points[:, 2, 0]
        ahead = (nose - eyes[:, 0]) / (eyes[:, 1] - eyes[:, 0])
        frontal = (ahead > 0.25) & (ahead < 0.75)
        pairs.append((image, faces[large & frontal]))
    return pairs


@pytest.mark.parametrize(
    ("name", "share", "usual"),
    [
        ("yunet-2023mar", 1.0, 0.9),
        ("scrfd-500m", 1.0, 0.9),
        ("scrfd-2.5g", 1.0, 0.9),
        ("retinaface", 1.0, 0.9),
        ("ultraface", 1.0, 0.85),
        ("blazeface", 0.9, 0.65),  # its boxes end at the brows
    ],
)
def test_all_networks_find_the_large_faces_at_the_same_place(real, portraits, name, share, usual):
    overlaps, offsets = [], []
    for image, expected in portraits:
        (found,) = detect(real[name], image)
        overlap = iou(expected.box, found.box)
        overlaps.extend(overlap.max(1, initial=0))
        if found.points is not None and len(found):
            side = (expected.box[:, 2:] - expected.box[:, :2]).max(1)
            away = np.abs(found.points[overlap.argmax(1)] - expected.points).max((1, 2))
            offsets.extend(away / side)
    assert len(overlaps) >= 15
    assert np.mean(np.array(overlaps) > 0.5) >= share
    assert np.median(overlaps) >= usual
    assert bool(offsets) == ("points" in real[name].gives)
    assert max(offsets, default=0) < 0.1
