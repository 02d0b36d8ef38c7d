import numpy as np
import pytest

from facepacks import (
    constant_network,
    mirrored,
    mirrored_faces,
    real_stages,
    turned,
    turned_faces,
    written_pack,
)
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.media.images import open_image
from mien.models.headpose import HeadPose
from mien.models.turns import rotation
from mien.packs.manifest import Input
from mien.runtime.session import Runtime
from mien.settings import Settings

BLACK = Image(np.zeros((90, 120, 3), np.uint8))
# Yaw, pitch and roll, roughly, where the photograph leaves no doubt about the sign.
SEEN = {
    "left_wryneck.png": (None, None, -55),
    "right_wryneck.png": (None, None, 40),
    "right_face.png": (50, None, None),
    "open_eyes.png": (24, None, 0),
}


@pytest.fixture
def made(tmp_path):
    def make(*says, **facts):
        files = {f"{i}.onnx": constant_network((8, 8), said) for i, said in enumerate(says)}
        known = {
            "files": list(files),
            "outputs": ["y"],
            "signs": [1, 1, 1],
            "order": ["roll", "yaw", "pitch"],
            "look": {"grow": [1.2, 1.2], "square": True},
        }
        given = Input("bgr", (0.0, 0.0, 0.0), 1.0, (8, 8))
        pack = written_pack(tmp_path, "headpose", ("pose",), known | facts, given=given, files=files)
        return HeadPose(pack, Runtime("cpu", 1), Settings())

    return make


def face(points=None):
    points = None if points is None else np.array([points], float)
    return Faces(BLACK.size_wh, np.array([[20, 20, 80, 80]]), np.ones(1), points=points)


def test_angles_of_several_networks_are_averaged(made):
    found = made([10, -20, 5], [20, -10, 7])([BLACK], [face()])[0]
    np.testing.assert_allclose(found.pose, [[15, -15, 6]], atol=1e-4)


def test_signs_and_the_level_are_the_networks_own(made):
    found = made([10, -20, 5], signs=[-1, -1, 1], level=3.0)([BLACK], [face()])[0]
    np.testing.assert_allclose(found.pose, [[-10, 17, 5]], atol=1e-4)


@pytest.mark.parametrize("order", [["pitch", "yaw", "roll"], ["yaw", "pitch", "roll"]])
def test_another_order_of_turning_is_translated(made, order):
    """The angles differ and the rotation is the same."""
    found = made([40, 25, 10], order=order)([BLACK], [face()])[0].pose
    assert np.abs(found - [40, 25, 10]).max() > 3
    np.testing.assert_allclose(rotation(found), rotation(np.array([[40, 25, 10]]), order), atol=1e-6)


def test_eyes_that_are_not_level_add_to_roll(made):
    leaning = [[60, 30], [60, 60], [50, 45], [40, 30], [40, 60]]  # a quarter clockwise
    found = made([10, -20, 100])([BLACK], [face(leaning)])[0]
    np.testing.assert_allclose(found.pose, [[10, -20, -170]], atol=1e-4)


def test_no_face_no_picture_and_one_pixel(made):
    stage = made([1, 2, 3])
    pixel = Image(np.zeros((1, 1, 3), np.uint8))
    assert stage([], []) == []
    assert stage([pixel], [Faces.empty((1, 1))])[0].pose.shape == (0, 3)
    outside = Faces((1, 1), np.array([[-9, -9, 30, 30]]), np.ones(1))
    np.testing.assert_allclose(stage([pixel], [outside])[0].pose, [[1, 2, 3]], atol=1e-4)


@pytest.mark.parametrize("facts", [{"order": ["yaw", "yaw", "roll"]}, {"signs": [1, 0, 1]}, {"outputs": []}])
def test_facts_that_do_not_fit_are_refused(made, facts):
    with pytest.raises(ManifestInvalid, match="written"):
        made([1, 2, 3], **facts)


@pytest.fixture(scope="module", params=["fsanet", "adas-pose"])
def real(request, shared, tmp_path_factory):
    stages = real_stages(tmp_path_factory.mktemp("packs"), shared("models/open"), [request.param])
    return stages[request.param]


def test_a_batch_equals_single_pictures(real, kit, demo_pictures):
    faces = [kit.detect(image) for image in demo_pictures]
    together = real(demo_pictures, faces)
    for image, found, done in zip(demo_pictures, faces, together, strict=True):
        np.testing.assert_allclose(real([image], [found])[0].pose, done.pose, atol=1e-3)
    assert sum(len(done) for done in together) >= 6


def test_the_mirror_negates_yaw_and_roll(real, kit, demo_pictures):
    differences = []
    for image in demo_pictures:
        faces = kit.detect(image)
        there, back = real([image], [faces])[0], real([mirrored(image)], [mirrored_faces(faces)])[0]
        differences.append(np.abs(there.pose * [-1, 1, -1] - back.pose))
    assert np.median(np.concatenate(differences), 0).max() < 5


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turning_the_picture_adds_to_roll(real, kit, demo_pictures, quarters):
    image = demo_pictures[0]
    faces = kit.detect(image)
    expected = real([image], [faces])[0].pose + np.array([0, 0, 90 * quarters])
    spun = real([turned(image, quarters)], [turned_faces(faces, quarters)])[0].pose
    difference = (spun - expected + 180) % 360 - 180
    assert np.abs(difference).max() < 2


@pytest.mark.parametrize("name", SEEN)
def test_photographs_are_judged_as_people_see_them(real, kit, shared, name):
    image = open_image(shared(f"data/faces_wild/varied/{name}"))
    found = real([image], [kit.detect(image).largest()])[0].pose[0]
    for got, wanted in zip(found, SEEN[name], strict=True):
        assert wanted is None or got == pytest.approx(wanted, abs=18)
