import zipfile

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
from mien.models.looks import Look, around_box
from mien.models.mesh import Mesh
from mien.ops.align import invert_transform
from mien.ops.warp import warp
from mien.packs.builtin import builtin_manifest
from mien.packs.manifest import Input
from mien.runtime.session import Runtime
from mien.settings import Settings

# The corners of the eyes and of the mouth, the tip of the nose, the chin, brows.
PAIRS = [(33, 263), (133, 362), (61, 291), (4, 4), (152, 152), (105, 334), (468, 473), (159, 386)]
EARS, NOSE = [127, 356], 4


@pytest.fixture
def made(tmp_path):
    def make(points, **facts):
        known = builtin_manifest("mediapipe-mesh").facts | {"output": "y"} | facts
        given = Input("rgb", (0.0, 0.0, 0.0), 1.0, (192, 192))
        files = {known["file"]: constant_network((192, 192), points)}
        pack = written_pack(tmp_path, "mesh", ("mesh",), known, given=given, files=files)
        return Mesh(pack, Runtime("cpu", 1), Settings())

    return make


def test_no_face_no_picture_and_one_pixel(made, rng):
    stage = made(rng.uniform(0, 192, (478, 3)))
    pixel = Image(np.zeros((1, 1, 3), np.uint8))
    assert stage([], []) == []
    assert stage([pixel], [Faces.empty((1, 1))])[0].mesh.shape == (0, 478, 3)
    outside = Faces((1, 1), np.array([[-9, -9, 30, 30], [0, 0, 1, 1]]), np.ones(2))
    assert np.isfinite(stage([pixel], [outside])[0].mesh).all()


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    stages = real_stages(tmp_path_factory.mktemp("packs"), shared("models/open"), ["mediapipe-mesh"])
    return stages["mediapipe-mesh"]


@pytest.fixture(scope="module")
def seen(real, kit, demo_pictures):
    """Every demo photograph with the faces in it and their meshes."""
    faces = [kit.detect(image) for image in demo_pictures]
    return list(zip(demo_pictures, faces, real(demo_pictures, faces), strict=True))


def test_one_look_is_what_mediapipes_network_says(made, real, shared, tmp_path, kit, demo_pictures):
    """Crop and way back are ours, the network runs in TensorFlow's own runtime."""
    tflite = pytest.importorskip("ai_edge_litert.interpreter", reason="the oracle")
    task = shared("models/open/face_landmarker_v2_with_blendshapes.task")
    with zipfile.ZipFile(task) as archive:
        oracle = tflite.Interpreter(model_content=archive.read("face_landmarks_detector.tflite"))
    oracle.allocate_tensors()
    image = demo_pictures[0]
    faces = kit.detect(image).largest()
    matrix = around_box(faces, Look((1.3, 1.3), square=True), (192, 192))[0]
    chip = warp(image.rgb, matrix, (192, 192)).astype(np.float32)[None] / 255
    oracle.set_tensor(oracle.get_input_details()[0]["index"], chip)
    oracle.invoke()
    sizes = {int(np.prod(out["shape"])): out["index"] for out in oracle.get_output_details()}
    said = oracle.get_tensor(sizes[1434]).reshape(478, 3)
    back = invert_transform(matrix)
    expected = (said[:, :2] - 0.5) @ back[:, :2].T + back[:, 2]
    depth = said[:, 2] * np.sqrt(np.linalg.det(back[:, :2]))
    # Without the second look, the stage does the same.
    once = made(said, again=None)([image], [faces])[0].mesh[0]
    np.testing.assert_allclose(once, np.c_[expected, depth], atol=0.01)
    both = real([image], [faces])[0].mesh[0]
    assert np.linalg.norm(both - once, axis=1).mean() < 0.03 * faces[0].width


def test_a_batch_equals_single_pictures(real, seen):
    for image, faces, done in seen:
        np.testing.assert_allclose(real([image], [faces])[0].mesh, done.mesh, atol=1e-3)
    assert sum(len(done) for _, _, done in seen) >= 6


def test_the_mesh_lies_on_the_five_points(seen):
    for _, faces, done in seen:
        eyes = (done.mesh[:, [33, 263], :2] + done.mesh[:, [133, 362], :2]) / 2
        mouth = done.mesh[:, [61, 291], :2]
        ours = np.concatenate([eyes, done.mesh[:, [1], :2], mouth], 1)
        size = faces.box[:, 2] - faces.box[:, 0]
        assert (np.linalg.norm(ours - faces.points, axis=2).mean(1) < 0.1 * size).all()


def test_noses_are_nearer_than_ears_and_irises_lie_in_their_eyes(seen):
    for _, _, done in seen:
        assert (done.mesh[:, NOSE, 2] < done.mesh[:, EARS, 2].min(1)).all()
        for iris, corners in ((468, [33, 133]), (473, [362, 263])):
            middle = done.mesh[:, corners, :2].mean(1)
            width = np.linalg.norm(np.diff(done.mesh[:, corners, :2], axis=1)[:, 0], axis=1)
            assert (np.linalg.norm(done.mesh[:, iris, :2] - middle, axis=1) < 0.5 * width).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_the_mesh_turns_with_the_picture(real, seen, quarters):
    image, faces, done = seen[0]
    found = real([turned(image, quarters)], [turned_faces(faces, quarters)])[0].mesh
    expected = turned_points(done.mesh[..., :2], image.size_wh, quarters)
    assert np.abs(found[..., :2] - expected).max() < 0.02 * faces[0].width
    assert np.abs(found[..., 2] - done.mesh[..., 2]).max() < 0.03 * faces[0].width


def test_the_mirror_image_has_the_mirrored_mesh(real, seen):
    image, faces, done = seen[0]
    back = real([mirrored(image)], [mirrored_faces(faces)])[0].mesh[0]
    back = back * [-1, 1, 1] + [image.width - 1, 0, 0]
    ours, theirs = np.array(PAIRS).T
    difference = np.linalg.norm(done.mesh[0][ours] - back[theirs], axis=1)
    assert difference.mean() < 0.03 * faces[0].width


def test_a_poor_box_does_not_matter(real, seen):
    """The second look goes by what the first has found."""
    image, faces, done = seen[0]
    side = faces.box[:, 2:] - faces.box[:, :2]
    poor = faces.with_(box=faces.box + np.concatenate([-0.3 * side, 0.1 * side], 1), points=None)
    found = real([image], [poor])[0].mesh
    assert np.linalg.norm(found - done.mesh, axis=2).mean() < 0.03 * faces[0].width
