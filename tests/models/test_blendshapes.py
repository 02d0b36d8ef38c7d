import re
import zipfile

import numpy as np
import pytest

from facepacks import mirrored, mirrored_faces, real_stages, turned, turned_faces
from mien.core.columns import BLENDSHAPES
from mien.core.faces import Faces
from mien.core.image import Image
from mien.media.images import open_image
from mien.models.blendshapes import upright
from mien.packs.builtin import builtin_manifest

NAMES = {name: i for i, name in enumerate(BLENDSHAPES)}


def test_upright_meshes_have_level_eyes(rng):
    mesh = rng.normal(0, 100, (7, 478, 3))
    flat = upright(mesh, (33, 263))
    np.testing.assert_allclose(flat[:, 33], 0, atol=1e-9)
    np.testing.assert_allclose(flat[:, 263, 1], 0, atol=1e-9)
    assert (flat[:, 263, 0] > 0).all()
    # Turned, not mirrored or scaled.
    before = np.linalg.norm(mesh[:, 1:, :2] - mesh[:, :-1, :2], axis=2)
    np.testing.assert_allclose(np.linalg.norm(np.diff(flat, axis=1), axis=2), before)
    np.testing.assert_allclose(_areas(flat), _areas(mesh[..., :2]), rtol=1e-6)


def _areas(points):
    """Signed areas of triangles of consecutive points."""
    sides = np.diff(points, axis=1)
    return sides[:, :-1, 0] * sides[:, 1:, 1] - sides[:, :-1, 1] * sides[:, 1:, 0]


def test_no_mesh_has_no_upright():
    assert upright(np.zeros((0, 478, 3)), (33, 263)).shape == (0, 478, 2)


def test_the_manifest_names_146_points_once_and_in_order():
    points = builtin_manifest("mediapipe-blendshapes").facts["points"]
    assert len(points) == 146
    assert sorted(set(points)) == points
    assert set(range(468, 478)) <= set(points)  # the irises


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    names = ("mediapipe-mesh", "mediapipe-blendshapes")
    return real_stages(tmp_path_factory.mktemp("packs"), shared("models/open"), names)


@pytest.fixture(scope="module")
def judge(real):
    def blendshapes(image, faces):
        done = real["mediapipe-blendshapes"]([image], real["mediapipe-mesh"]([image], [faces]))
        return done[0].blendshapes

    return blendshapes


@pytest.fixture(scope="module")
def meshes(real, kit, demo_pictures):
    done = real["mediapipe-mesh"](demo_pictures, [kit.detect(image) for image in demo_pictures])
    return np.concatenate([one.mesh for one in done])


def test_numbers_are_those_of_mediapipes_network(real, meshes, shared):
    tflite = pytest.importorskip("ai_edge_litert.interpreter", reason="the oracle")
    task = shared("models/open/face_landmarker_v2_with_blendshapes.task")
    with zipfile.ZipFile(task) as archive:
        oracle = tflite.Interpreter(model_content=archive.read("face_blendshapes.tflite"))
    oracle.allocate_tensors()
    stage = real["mediapipe-blendshapes"]
    ours = stage.judge(meshes)
    points = builtin_manifest("mediapipe-blendshapes").facts["points"]
    for mesh, found in zip(meshes, ours, strict=True):
        given = upright(mesh[None], (33, 263))[:, points].astype(np.float32)
        oracle.set_tensor(oracle.get_input_details()[0]["index"], given)
        oracle.invoke()
        expected = oracle.get_tensor(oracle.get_output_details()[0]["index"]).ravel()
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_size_and_place_do_not_matter(real, meshes):
    judged = real["mediapipe-blendshapes"].judge
    np.testing.assert_allclose(judged(meshes * 0.1 + [3000, -2000, 0]), judged(meshes), atol=1e-3)


def test_crowds_are_judged_in_parts(real, meshes):
    crowd = np.concatenate([meshes] * (600 // len(meshes) + 1))
    found = real["mediapipe-blendshapes"].judge(crowd)
    np.testing.assert_allclose(found[: len(meshes)], found[-len(meshes) :], atol=1e-4)


def test_no_face_and_no_picture(real):
    stage = real["mediapipe-blendshapes"]
    pixel = Image(np.zeros((1, 1, 3), np.uint8))
    none = Faces.empty((1, 1)).with_(mesh=np.zeros((0, 478, 3)))
    assert stage([], []) == []
    assert stage([pixel], [none])[0].blendshapes.shape == (0, 52)


def test_turning_the_mesh_changes_nothing(real, meshes):
    judged = real["mediapipe-blendshapes"].judge
    for angle in (30, 90, 180, -100):
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        np.testing.assert_allclose(judged(meshes @ turn), judged(meshes), atol=1e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turning_the_picture_changes_little(judge, kit, demo_pictures, quarters):
    image = demo_pictures[0]
    faces = kit.detect(image)
    spun = judge(turned(image, quarters), turned_faces(faces, quarters))
    assert np.abs(spun - judge(image, faces)).mean() < 0.02


@pytest.mark.parametrize(
    ("upper", "lower", "name", "other"),
    [
        ([161, 160, 159, 158, 157], [163, 144, 145, 153, 154], "eyeBlinkRight", "eyeBlinkLeft"),
        ([388, 387, 386, 385, 384], [390, 373, 374, 380, 381], "eyeBlinkLeft", "eyeBlinkRight"),
    ],
)
def test_left_and_right_are_those_of_the_person(real, meshes, upper, lower, name, other):
    """Whoever closes the eye on the viewer's left winks with the right one."""
    winking = meshes.copy()
    winking[:, upper] = winking[:, lower]
    rise = real["mediapipe-blendshapes"].judge(winking) - real["mediapipe-blendshapes"].judge(meshes)
    assert (rise[:, NAMES[name]] > rise[:, NAMES[other]] + 0.05).all()


def test_the_mirror_image_shows_nearly_the_same(judge, kit, demo_pictures):
    image = demo_pictures[0]
    faces = kit.detect(image)
    there, back = judge(image, faces), judge(mirrored(image), mirrored_faces(faces))
    sides = {"Left": "Right", "Right": "Left"}
    twins = [re.sub("(Left|Right)$", lambda side: sides[side[0]], name) for name in BLENDSHAPES]
    assert np.abs(there - back[:, [NAMES[twin] for twin in twins]]).mean() < 0.06


def test_photographs_are_judged_as_people_see_them(judge, kit, shared):
    def seen(name):
        image = open_image(shared(f"data/faces_wild/{name}"))
        found = judge(image, kit.detect(image).largest())[0]
        return {key: found[i] for key, i in NAMES.items()}

    closed, awake = seen("varied/right_wryneck.png"), seen("varied/r0.jpg")
    assert closed["eyeBlinkLeft"] > 0.5 > awake["eyeBlinkLeft"]
    assert closed["mouthSmileLeft"] > 0.5 > awake["mouthSmileLeft"]
    assert seen("varied/open_eyes.png")["jawOpen"] > 0.15 > awake["jawOpen"]
