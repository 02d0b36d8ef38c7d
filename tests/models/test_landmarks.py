import json

import numpy as np
import pytest

from facepacks import (
    constant_network,
    mirrored,
    mirrored_faces,
    real_stages,
    turned,
    turned_faces,
    turned_points,
    written_pack,
)
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.media.images import open_image
from mien.models.landmarks import Landmarks
from mien.packs.builtin import builtin_manifest
from mien.packs.manifest import Input
from mien.runtime.session import Runtime
from mien.settings import Settings

# Which of WFLW's 98 points are the 68 of 300-W.
OF_98 = [
    *range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60), 60, 61, 63, 64, 65, 67, 68, 69, 71, 72,
    73, 75, *range(76, 96),
]  # fmt: skip
# Which of LaPa's 106 points, in its own order, are points 0, 1 ... of JD-landmark that both define alike.
JD_AND_LAPA = {
    0: 16, 1: 0, 17: 32, 35: 66, 39: 70, 89: 75, 93: 79, 38: 104, 43: 33, 97: 50, 101: 46, 86: 54, 72: 51,
    80: 60, 52: 84, 61: 90, 53: 93, 71: 87, 9: 1, 25: 31, 16: 8, 32: 24, 33: 72, 87: 81,
}  # fmt: skip


@pytest.fixture
def made(tmp_path):
    def make(points, gives=("landmarks", "points"), **facts):
        known = builtin_manifest("peppa-68").facts | {"output": "y"}
        given = Input("rgb", (0.0, 0.0, 0.0), 1.0, (16, 16))
        files = {known["file"]: constant_network((16, 16), points)}
        pack = written_pack(tmp_path, "landmarks", gives, known | facts, given=given, files=files)
        return Landmarks(pack, Runtime("cpu", 1), Settings())

    return make


def test_points_follow_only_when_the_detector_gave_none(made, rng):
    stage = made(rng.uniform(0, 1, (68, 2)))
    image = Image(np.zeros((50, 60, 3), np.uint8))
    face = Faces((60, 50), np.array([[10, 10, 40, 40]]), np.ones(1))
    given = np.array([[[20, 20], [30, 20], [25, 25], [21, 32], [29, 32]]], float)
    kept, made_of_68 = stage([image, image], [face.with_(points=given), face])
    np.testing.assert_array_equal(kept.points, given)
    own = made_of_68.landmarks[0]
    expected = [own[36:42].mean(0), own[42:48].mean(0), own[30], own[48], own[54]]
    np.testing.assert_allclose(made_of_68.points[0], expected, atol=1e-4)


def test_no_face_no_picture_and_one_pixel(made, rng):
    stage = made(rng.uniform(0, 1, (68, 2)))
    pixel = Image(np.zeros((1, 1, 3), np.uint8))
    assert stage([], []) == []
    none = stage([pixel], [Faces.empty((1, 1))])[0]
    assert (none.landmarks.shape, none.points.shape) == ((0, 68, 2), (0, 5, 2))
    outside = Faces((1, 1), np.array([[-9, -9, 30, 30], [0, 0, 1, 1]]), np.ones(2))
    assert np.isfinite(stage([pixel], [outside])[0].landmarks).all()


def test_a_network_of_fewer_points_is_refused(made):
    with pytest.raises(ManifestInvalid, match="below 40"):
        made(np.zeros((40, 2)), count=40)


@pytest.fixture(scope="module")
def stages(shared, tmp_path_factory):
    places = {"peppa-68": "models/open", "pfld-106": "models/research"}
    folder = tmp_path_factory.mktemp("packs")
    return {name: real_stages(folder, shared(place), [name])[name] for name, place in places.items()}


@pytest.fixture(params=["peppa-68", "pfld-106"])
def real(request, stages):
    return stages[request.param]


def points_of(stage, image, faces):
    return getattr(stage([image], [faces])[0], stage.column)


def annotated(shared, name):
    """Pictures of a data set with the points of one person each."""
    folder = shared(f"data/landmarks/{name}")
    known = json.loads((folder / f"test_{name}.json").read_text())
    pictures = {entry["id"]: folder / entry["file_name"] for entry in known["images"]}
    for entry in known["annotations"]:
        yield (
            open_image(pictures[entry["image_id"]]),
            np.array(entry["keypoints"], float).reshape(-1, 3)[:, :2],
        )


def errors(stage, kit, cases, ours, theirs, eyes):
    """Mean distances as shares of the distance between the outer corners of the eyes."""
    found = []
    for image, truth in cases:
        faces = kit.detect(image)
        inside = [((truth >= box[:2]) & (truth <= box[2:])).all(1).mean() for box in faces.box]
        if not len(faces) or max(inside) < 0.5:
            continue
        points = points_of(stage, image, faces[[int(np.argmax(inside))]])[0]
        distance = np.linalg.norm(points[ours] - truth[theirs], axis=1).mean()
        found.append(distance / np.linalg.norm(truth[eyes[0]] - truth[eyes[1]]))
    return found


@pytest.mark.parametrize(
    ("name", "rows", "eyes"),
    [("300w", range(68), (36, 45)), ("300wlp", range(68), (36, 45)), ("wflw", OF_98, (60, 72))],
)
def test_68_points_are_near_those_that_people_set(stages, kit, shared, name, rows, eyes):
    found = errors(stages["peppa-68"], kit, annotated(shared, name), range(68), list(rows), eyes)
    assert len(found) >= 2
    assert np.mean(found) < 0.08


def test_106_points_are_near_those_that_people_set(stages, kit, shared):
    ours, theirs = list(JD_AND_LAPA), list(JD_AND_LAPA.values())
    found = errors(stages["pfld-106"], kit, annotated(shared, "lapa"), ours, theirs, (66, 79))
    assert len(found) == 2
    assert np.mean(found) < 0.05


def test_a_batch_equals_single_pictures(real, kit, demo_pictures):
    faces = [kit.detect(image) for image in demo_pictures]
    for image, found, done in zip(demo_pictures, faces, real(demo_pictures, faces), strict=True):
        np.testing.assert_allclose(points_of(real, image, found), getattr(done, real.column), atol=1e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_points_turn_with_the_picture(real, kit, demo_pictures, quarters):
    image = demo_pictures[0]
    faces = kit.detect(image).largest()
    upright = points_of(real, image, faces)
    found = points_of(real, turned(image, quarters), turned_faces(faces, quarters))
    difference = np.abs(found - turned_points(upright, image.size_wh, quarters)).max()
    assert difference < 0.02 * faces[0].width


def test_points_do_not_need_those_of_the_detector(real, kit, demo_pictures):
    """The second look stands upright by the points of the first."""
    image = demo_pictures[0]
    faces = kit.detect(image).largest()
    without = points_of(real, image, faces.with_(points=None))
    assert np.abs(without - points_of(real, image, faces)).mean() < 0.02 * faces[0].width


def test_the_mirror_image_has_mirrored_points(stages, kit, demo_pictures):
    image = demo_pictures[0]
    faces = kit.detect(image).largest()
    there = points_of(stages["peppa-68"], image, faces)[0]
    back = points_of(stages["peppa-68"], mirrored(image), mirrored_faces(faces))[0]
    back = back * [-1, 1] + [image.width - 1, 0]
    # Jaw, brows, nose and mouth corners change sides.
    pairs = [(i, 16 - i) for i in range(17)] + [(17 + i, 26 - i) for i in range(10)]
    pairs += [(27, 27), (28, 28), (29, 29), (30, 30), (36, 45), (39, 42), (48, 54), (54, 48)]
    ours, theirs = np.array(pairs).T
    assert np.linalg.norm(there[ours] - back[theirs], axis=1).mean() < 0.03 * faces[0].width
