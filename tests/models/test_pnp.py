import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepacks import mirrored, mirrored_faces, real_stages, turned, turned_faces, written_pack
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.pnp import Pnp, PnpFacts, solve
from mien.models.turns import rotation
from mien.packs.builtin import builtin_manifest
from mien.settings import Settings

FACTS = msgspec.convert(builtin_manifest("pnp").facts, PnpFacts)
HEAD = np.array(FACTS.head)
MIRROR_68 = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39,
    38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
]  # fmt: skip

poses = st.lists(
    st.tuples(st.floats(-75, 75), st.floats(-50, 50), st.floats(-179, 179)), min_size=1, max_size=8
).map(np.array)


def project(turned_by, shift, focal, head=HEAD):
    seen = head @ turned_by.transpose(0, 2, 1) + shift[:, None]
    return focal[:, None, None] * seen[..., :2] / seen[..., 2:]


def stage(tmp_path, **facts):
    known = builtin_manifest("pnp").facts
    return Pnp(written_pack(tmp_path, "pnp", ("pose",), known | facts), None, Settings())


def faces_of(pose, size=200.0, centre=(300, 300)):
    """Faces whose 68 points are seen as the stage takes them to be seen: from five box sides away."""
    turned_by = rotation(np.array(pose, float))
    focal = np.full(len(pose), 5 * size)
    # A head is about 1.65 units wide, the box's side `size` pixels.
    shift = np.tile([0, 0, focal[0] * 1.65 / size], (len(pose), 1))
    seen = project(turned_by, shift, focal, HEAD - HEAD.mean(0))
    landmarks = np.zeros((len(pose), 68, 2))
    landmarks[:, list(FACTS.rows)] = seen - seen.mean(1, keepdims=True) + centre
    box = np.tile([*np.array(centre) - size / 2, *np.array(centre) + size / 2], (len(pose), 1))
    return Faces((600, 600), box, np.ones(len(pose)), landmarks=landmarks)


@settings(deadline=None, max_examples=50)
@given(poses, st.floats(3, 200), st.floats(100, 5000))
def test_the_pose_of_exact_points_is_exact(pose, distance, focal):
    turned_by = rotation(pose)
    shift = np.tile([0.2, -0.1, distance], (len(pose), 1))
    points = project(turned_by, shift, np.full(len(pose), focal))
    found, moved = solve(points, HEAD, np.full(len(pose), focal))
    np.testing.assert_allclose(found, turned_by, atol=1e-4)
    np.testing.assert_allclose(moved, shift, atol=2e-4 * distance)
    np.testing.assert_allclose(
        found @ found.transpose(0, 2, 1), np.tile(np.eye(3), (len(pose), 1, 1)), atol=1e-9
    )


def test_the_pose_of_noisy_points_is_that_of_opencv(rng):
    cv2 = pytest.importorskip("cv2", reason="the oracle")
    pose = np.stack([rng.uniform(-a, a, 200) for a in (60, 40, 170)], 1)
    focal = rng.uniform(300, 3000, 200)
    shift = np.stack([rng.uniform(-1, 1, 200), rng.uniform(-1, 1, 200), rng.uniform(4, 40, 200)], 1)
    points = project(rotation(pose), shift, focal)
    points += rng.normal(0, 0.01, points.shape) * np.ptp(points, axis=1, keepdims=True)
    found, moved = solve(points, HEAD, focal)
    for i in range(200):
        camera = np.array([[focal[i], 0, 0], [0, focal[i], 0], [0, 0, 1]])
        start = cv2.Rodrigues(rotation(pose[i : i + 1])[0])[0], shift[i].copy()
        _, turn, place = cv2.solvePnP(
            HEAD, points[i], camera, None, *start, useExtrinsicGuess=True, flags=cv2.SOLVEPNP_ITERATIVE
        )
        np.testing.assert_allclose(found[i], cv2.Rodrigues(turn)[0], atol=2e-3)
        np.testing.assert_allclose(moved[i], place.ravel(), rtol=5e-3, atol=5e-3)


def test_the_unit_of_the_head_does_not_matter(rng):
    turned_by = rotation(np.array([[30, -20, 10.0]]))
    points = project(turned_by, np.array([[0, 0, 6.0]]), np.array([900.0])) + rng.normal(0, 3, (1, 20, 2))
    one, near = solve(points, HEAD, np.array([900.0]))
    other, far = solve(points, HEAD * 63 + 5, np.array([900.0]))
    np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(far + other[0] @ np.full(3, 5.0), near * 63, rtol=1e-5)


@pytest.mark.parametrize("pose", [(0, 0, 0), (40, 0, 0), (0, 25, 0), (0, 0, -30), (-35, -15, 80)])
def test_the_stage_finds_poses_in_our_convention(tmp_path, pose):
    found = stage(tmp_path)([Image(np.zeros((600, 600, 3), np.uint8))], [faces_of([pose])])[0]
    np.testing.assert_allclose(found.pose[0], pose, atol=0.5)


def test_a_batch_equals_single_pictures(tmp_path):
    pnp = stage(tmp_path)
    faces = [faces_of([(10, 5, 0), (-50, 9, 33)]), Faces.empty((5, 5)).with_(landmarks=np.zeros((0, 68, 2)))]
    faces.append(faces_of([(0, 0, 170)], size=20))
    images = [Image(np.zeros((6, 6, 3), np.uint8))] * 3
    together = pnp(images, faces)
    for image, given_faces, done in zip(images, faces, together, strict=True):
        np.testing.assert_allclose(pnp([image], [given_faces])[0].pose, done.pose, atol=1e-4)
    assert [done.pose.shape for done in together] == [(2, 3), (0, 3), (1, 3)]
    assert pnp([], []) == []


def test_points_that_coincide_give_finite_angles(tmp_path):
    face = Faces((9, 9), np.zeros((1, 4)), np.ones(1), landmarks=np.full((1, 68, 2), 4.0))
    assert np.isfinite(stage(tmp_path)([Image(np.zeros((9, 9, 3), np.uint8))], [face])[0].pose).all()


def test_other_points_can_be_used(tmp_path):
    five = [[-0.5, -0.52, 0.05], [0.5, -0.52, 0.05], [0, 0.06, -0.32], [-0.42, 0.49, 0.1], [0.42, 0.49, 0.1]]
    pnp = stage(tmp_path, column="points", rows=[0, 1, 2, 3, 4], head=five)
    assert pnp.needs == {"box", "points"}
    seen = project(
        rotation(np.array([[20, 10, 5.0]])), np.array([[0, 0, 9.0]]), np.array([900.0]), np.array(five)
    )
    face = Faces((300, 300), np.array([[0, 0, 180, 180]]), np.ones(1), points=seen + 90)
    found = pnp([Image(np.zeros((300, 300, 3), np.uint8))], [face])[0]
    np.testing.assert_allclose(found.pose[0], (20, 10, 5), atol=1)


@pytest.mark.parametrize(
    "facts",
    [
        {"rows": [0, 1]},
        {"rows": [68, *FACTS.rows[1:]]},
        {"column": "mesh"},
        {"head": [[x, y, 0.5] for x, y, _ in FACTS.head]},
        {"distance": 0.5},
    ],
)
def test_facts_that_do_not_fit_are_refused(tmp_path, facts):
    with pytest.raises(ManifestInvalid, match="written"):
        stage(tmp_path, **facts)


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    names = ("peppa-68", "pnp")
    return real_stages(tmp_path_factory.mktemp("packs"), shared("models/open"), names)


@pytest.fixture(scope="module")
def judge(real):
    def pose(image, faces):
        return real["pnp"]([image], real["peppa-68"]([image], [faces]))[0].pose

    return pose


def test_the_mirror_negates_yaw_and_roll_of_photographs(judge, kit, demo_pictures):
    differences = []
    for image in demo_pictures:
        faces = kit.detect(image)
        there, back = judge(image, faces), judge(mirrored(image), mirrored_faces(faces))
        differences.append(np.abs(there * [-1, 1, -1] - back))
    assert np.median(np.concatenate(differences), 0).max() < 2.5


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turning_a_photograph_adds_to_roll(judge, kit, demo_pictures, quarters):
    image = demo_pictures[0]
    faces = kit.detect(image)
    expected = judge(image, faces) + np.array([0, 0, 90 * quarters])
    spun = judge(turned(image, quarters), turned_faces(faces, quarters))
    difference = (spun - expected + 180) % 360 - 180
    assert np.abs(difference).max() < 3


def test_symmetry_of_the_generic_head():
    """Each point's mirror image is a point of the head, too."""
    for row, place in zip(FACTS.rows, HEAD, strict=True):
        np.testing.assert_allclose(HEAD[FACTS.rows.index(MIRROR_68[row])], place * [-1, 1, 1])
