import math
from functools import partial

import msgspec
import numpy as np
import PIL.Image
import pytest

from mien.core.image import Image
from mien.media.images import open_image
from mien.models.stage import read_facts
from mien.models.table import load_stage
from mien.models.yunet import YunetFacts, decode
from mien.ops.boxes import iou
from mien.packs.builtin import builtin_manifest
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings

FACTS = read_facts(builtin_manifest("yunet"), YunetFacts)
# One or two large faces each, upright.
UPRIGHT = (
    "obama_biden/obama-720p.jpg",
    "obama_biden/biden.jpg",
    "obama_biden/lin-manuel-miranda.png",
    "obama_biden/two_people.jpg",
    "pairs_labelled/img12.jpg",
    "pairs_labelled/img16.jpg",
    "pairs_labelled/img25.jpg",
    "pairs_labelled/img53.jpg",
    "people/person-tasia.jpg",
    "varied/1423.jpg",
    "varied/open_eyes.png",
    "expressions_and_odd/single_face.jpg",
)
CROWDS = ("people/group-1.jpg", "people/group-5.jpg", "people/stock-group-1.jpg", "people/stock-group-2.jpg")


def some_outputs(rng, size_wh, strides=(8, 16, 32)):
    """What the network could say of one view; probabilities beyond 0 to 1 happen."""
    outputs = {}
    for stride in strides:
        cells = (size_wh[0] // stride) * (size_wh[1] // stride)
        for name, sides, spread in (("cls", 1, 0.6), ("obj", 1, 0.6), ("bbox", 4, 1.0), ("kps", 10, 2.0)):
            values = rng.normal(0.2 if sides == 1 else 0, spread, (cells, sides))
            outputs[f"{name}_{stride}"] = values.astype(np.float32)
    return outputs


def decode_slowly(outputs, strides, size_wh, least):
    """Cell by cell: the box is centred on the cell's corner plus a shift, its size an exponential."""
    rows = []
    for stride in strides:
        number = 0
        for row in range(size_wh[1] // stride):
            for column in range(size_wh[0] // stride):
                known = {name: outputs[f"{name}_{stride}"][number] for name in ("cls", "obj", "bbox", "kps")}
                number += 1
                sure = [min(max(float(known[name][0]), 0), 1) for name in ("cls", "obj")]
                score = math.sqrt(sure[0] * sure[1])
                if score < least:
                    continue
                x, y, width, height = (float(value) for value in known["bbox"])
                middle = (column + x) * stride, (row + y) * stride
                side = math.exp(width) * stride, math.exp(height) * stride
                box = [middle[i] - side[i] / 2 for i in (0, 1)] + [middle[i] + side[i] / 2 for i in (0, 1)]
                points = [
                    [(column + known["kps"][2 * i]) * stride, (row + known["kps"][2 * i + 1]) * stride]
                    for i in range(5)
                ]
                rows.append((box, score, points))
    return rows


@pytest.mark.parametrize("size_wh", [(64, 64), (96, 32), (32, 160)])
@pytest.mark.parametrize("least", [0.0, 0.5])
def test_decoding_equals_a_slow_loop(rng, size_wh, least):
    outputs = some_outputs(rng, size_wh)
    found = decode(FACTS, outputs, size_wh, least)
    expected = decode_slowly(outputs, FACTS.strides, size_wh, least)
    assert len(expected) == len(found.score) > 5
    for i, (box, score, points) in enumerate(expected):
        np.testing.assert_allclose(found.box[i], box, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.score[i], score, rtol=1e-5)
        np.testing.assert_allclose(found.points[i], points, rtol=1e-4, atol=1e-3)


def test_one_cell_by_hand():
    facts = msgspec.structs.replace(FACTS, strides=(16,))
    outputs = {"cls_16": np.zeros((6, 1)), "obj_16": np.ones((6, 1))}
    outputs |= {"bbox_16": np.zeros((6, 4)), "kps_16": np.zeros((6, 10))}
    outputs["cls_16"][4] = 0.81  # the second of three columns, the second row
    outputs["bbox_16"][4] = [0.5, 0.25, math.log(2), math.log(4)]
    outputs["kps_16"][4, 2:4] = [1, -1]
    found = decode(facts, outputs, (48, 32), 0.7)
    np.testing.assert_allclose(found.score, [0.9])
    np.testing.assert_allclose(found.box, [[24 - 16, 20 - 32, 24 + 16, 20 + 32]])
    np.testing.assert_allclose(found.points[0], [[16, 16], [32, 0], [16, 16], [16, 16], [16, 16]])


def test_nothing_sure_gives_empty_columns(rng):
    found = decode(FACTS, some_outputs(rng, (64, 64)), (64, 64), 1.01)
    assert (found.box.shape, found.score.shape, found.points.shape) == ((0, 4), (0,), (0, 5, 2))


@pytest.fixture(scope="module")
def stage(shared, tmp_path_factory):
    """Makes the stage of a pack that searches in a given way."""
    store = PackStore(tmp_path_factory.mktemp("packs"), shared("models/open").as_uri())
    runtime = Runtime("cpu", 1)

    def make(name, search="normal"):
        return load_stage(store.install(name), runtime, Settings(search=search))

    return make


@pytest.fixture(scope="module")
def wild(shared):
    return partial(photograph, shared("data/faces_wild"))


def photograph(folder, name, size_wh=None):
    """A photograph of at most 800 x 800 pixels, or of a given size."""
    picture = PIL.Image.fromarray(open_image(folder / name).rgb)
    if size_wh:
        return Image(np.asarray(picture.resize(size_wh)))
    picture.thumbnail((800, 800))
    return Image(np.asarray(picture))


def detect(stage, image):
    return stage([image], [None])[0]


@pytest.mark.parametrize("name", [*UPRIGHT[:4], *CROWDS])
def test_faces_are_those_of_opencv(shared, stage, wild, name):
    """OpenCV reads the same file; it counts points from the corner of the first pixel, not its middle."""
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV: make oracles")
    pack = "yunet-2023mar"  # it cannot read the other, whose shapes are free
    facts = read_facts(builtin_manifest(pack), YunetFacts)
    path = shared("models/open/face_detection_yunet_2023mar.onnx")
    theirs = cv2.FaceDetectorYN.create(str(path), "", (640, 640), facts.threshold, facts.iou, 5000)
    image = wild(name, (640, 640))
    rows = theirs.detect(np.ascontiguousarray(image.rgb[..., ::-1]))[1]
    found = detect(stage(pack), image)
    assert len(found) == len(rows) > 0
    box = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
    overlap = iou(found.box, box)
    assert overlap.max(0).min() > 0.99
    nearest = overlap.argmax(0)
    assert np.unique(nearest).size == len(rows)
    np.testing.assert_allclose(found.score[nearest], rows[:, 14], atol=1e-3)
    np.testing.assert_allclose(found.points[nearest], rows[:, 4:14].reshape(-1, 5, 2) - 0.5, atol=0.05)


def spun(image, degrees):
    """A picture turned clockwise, all of it."""
    picture = PIL.Image.fromarray(image.rgb).rotate(-degrees, PIL.Image.Resampling.BICUBIC, expand=True)
    return Image(np.asarray(picture))


def spun_points(points, before_wh, after_wh, degrees):
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle, moved = ((np.array(size_wh) - 1) / 2 for size_wh in (before_wh, after_wh))
    return (points - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + moved


# Eyes where the other side's mouth corners are: an upside-down face that is taken for upright.
AS_IF_UPRIGHT = [4, 3, 2, 1, 0]


@pytest.fixture(scope="module")
def spins(stage, wild):
    """How many of the upright faces are found after a turn, with which points."""
    reference = {}
    for name in UPRIGHT:
        image = wild(name)
        reference[name] = image, detect(stage("yunet"), image).largest()[0]

    def count(search, degrees):
        found = right = upside_down = 0
        detector = stage("yunet", search)
        for image, face in reference.values():
            picture = spun(image, degrees)
            faces = detect(detector, picture)
            size = max(face.width, face.height)
            points = spun_points(face.points, image.size_wh, picture.size_wh, degrees)
            away = np.linalg.norm(faces.box.reshape(-1, 2, 2).mean(1) - points.mean(0), axis=1)
            if not len(faces) or away.min() > 0.4 * size:
                continue
            found += 1
            five = faces.points[away.argmin()]
            error = [np.abs(five - points[order]).max() / size for order in (range(5), AS_IF_UPRIGHT)]
            right += error[0] < 0.2
            upside_down += error[1] < error[0]
        return found, right, upside_down

    return count


@pytest.mark.parametrize("degrees", [0, 30, 330])
def test_normal_search_finds_faces_that_lean(spins, degrees):
    """Measured: all 12 found at 0 and 30 degrees, each with its points in place."""
    found, right, upside_down = spins("normal", degrees)
    assert found == right == len(UPRIGHT)
    assert upside_down == 0


def test_normal_search_takes_upside_down_faces_for_upright(spins):
    """Measured: 11 of 12 found, and all of them with eyes where the mouth is.

    Whoever expects such pictures wants the search `thorough`.
    """
    found, right, upside_down = spins("normal", 180)
    assert found >= 10
    assert right + upside_down == found


@pytest.mark.parametrize("degrees", [90, 270])
def test_normal_search_misses_some_faces_that_lie(spins, degrees):
    """Measured: 9 and 8 of 12 found, hardly one of them with its points in place."""
    found, _, _ = spins("normal", degrees)
    assert found >= 7


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_thorough_search_finds_faces_turned_by_quarters(spins, degrees):
    """Measured: all 12, as exactly as in the upright picture."""
    found, right, upside_down = spins("thorough", degrees)
    assert found == right == len(UPRIGHT)
    assert upside_down == 0


@pytest.mark.parametrize("degrees", [30, 45, 330])
def test_thorough_search_finds_faces_that_lean(spins, degrees):
    """Turned views have to be surer than upright ones: by scores alone one in 12 came out upside down."""
    found, right, upside_down = spins("thorough", degrees)
    assert found == right == len(UPRIGHT)
    assert upside_down == 0
