import numpy as np
import pytest

from mien.core.faces import Faces
from mien.errors import PackCorrupt
from mien.models.ert import Ert, predict

FILES = {"dlib-5": "shape_predictor_5_face_landmarks.dat", "dlib-68": "shape_predictor_68_face_landmarks.dat"}


@pytest.fixture(scope="module", params=FILES)
def both(request, kit, dlib, dlib_models):
    return kit.stage(request.param), dlib.shape_predictor(str(dlib_models / FILES[request.param]))


def largest_difference(both, dlib, pictures):
    stage, theirs = both
    worst, faces = 0.0, 0
    for image in pictures:
        rgb = image.rgb.copy()
        for rect in dlib.get_frontal_face_detector()(rgb, 0):
            box = np.array([rect.left(), rect.top(), rect.right(), rect.bottom()], np.float32)
            expected = np.array([(p.x, p.y) for p in theirs(rgb, rect).parts()])
            found = stage([image], [Faces(image.size_wh, box[None], np.ones(1))])[0]
            worst = max(worst, float(np.abs(getattr(found, stage.column)[0] - expected).max()))
            faces += 1
    assert faces > 0
    return worst


def test_points_are_those_of_dlib(both, dlib, demo_pictures):
    # dlib rounds to whole pixels: half a pixel is exact.
    assert largest_difference(both, dlib, demo_pictures) <= 0.5 + 1e-3


def test_points_are_those_of_dlib_in_the_wild(both, dlib, wild_pictures):
    assert largest_difference(both, dlib, wild_pictures[::16]) <= 0.5 + 1e-3


def test_all_faces_at_once_equal_one_by_one(kit, demo_pictures):
    trees = kit.stage("dlib-5").trees
    rgb = demo_pictures[0].rgb
    frames = np.array(
        [[[150 + 10 * i, 5 * i, 40.0], [-5 * i, 150 + 10 * i, 30 + i]] for i in range(4)], float
    )
    together = predict(trees, rgb, frames)
    for frame, points in zip(frames, together, strict=True):
        np.testing.assert_allclose(predict(trees, rgb, frame[None])[0], points, atol=1e-4)
    assert predict(trees, rgb, np.zeros((0, 2, 3))).shape == (0, 5, 2)


def test_68_points_give_the_five_only_when_the_detector_did_not(kit, demo_pictures):
    stage = kit.stage("dlib-68")
    image = demo_pictures[0]
    found = kit.detect(image)
    kept = stage([image], [found])[0]
    np.testing.assert_array_equal(kept.points, found.points)
    without = stage([image], [found.with_(points=None)])[0]
    side = found[0].width
    # Two ways to the same five places.
    assert np.abs(without.points[0] - found.points[0]).max() < 0.12 * side


def test_a_turned_face_is_followed_by_its_points(kit, demo_pictures):
    """The five points say how the head is tilted, so the trees look along it."""
    image = demo_pictures[0]
    stage = kit.stage("dlib-5")
    upright = stage([image], [kit.detect(image).largest()])[0]
    quarter = image.with_(rgb=np.ascontiguousarray(np.rot90(image.rgb, -1)))
    turn = lambda p: np.stack([image.height - 1 - p[..., 1], p[..., 0]], -1)  # noqa: E731
    given = upright.with_(points=turn(upright.points), corners=None, size_wh=quarter.size_wh)
    found = stage([quarter], [given])[0]
    assert np.abs(found.corners - turn(upright.corners)).max() < 0.05 * upright[0].width


def test_damaged_trees_are_named(kit, tmp_path, monkeypatch):
    pack = kit.packs.get("dlib-5")
    (tmp_path / "shape.npz").write_bytes(b"PK\x03\x04 not an archive")
    monkeypatch.setattr(type(pack), "file", lambda self, name: tmp_path / name)
    with pytest.raises(PackCorrupt, match="dlib-5"):
        Ert(pack, kit.runtime, kit.settings)
