import msgspec
import numpy as np
import pytest

from facepacks import real_stages, written_pack
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import InferenceError, ManifestInvalid
from mien.media.images import open_image
from mien.models.openness import Openness, OpennessFacts, Slit, openness
from mien.packs.builtin import builtin_manifest
from mien.settings import Settings

KNOWN = builtin_manifest("openness").facts
FACTS = msgspec.convert(KNOWN, OpennessFacts)
PIXEL = Image(np.zeros((1, 1, 3), np.uint8))

# Photographs and what people see in them: left and right eye, mouth; None where it is hard to say.
SEEN = {
    "varied/open_eyes.png": (True, True, True),
    "varied/right_wryneck.png": (False, False, None),
    "varied/r0.jpg": (True, True, False),
    "people/stock-emotions-b-3.jpg": (True, True, True),
}


def stage(tmp_path, **facts):
    pack = written_pack(tmp_path, "openness", ("eyes_open", "mouth_open"), KNOWN | facts)
    return Openness(pack, None, Settings())


def mesh_of(left, right, mouth):
    """A mesh whose slits are open by these ratios."""
    mesh = np.zeros((1, 478, 3))
    mesh[0, [33, 133], 0] = 0, 20
    mesh[0, [362, 263], 0] = 50, 70
    for slit, ratio, width in ((FACTS.left, left, 20), (FACTS.right, right, 20), (FACTS.mouth, mouth, 70)):
        mesh[0, list(slit.lower), 1] = ratio * width
    return mesh


def faces_with(mesh):
    return Faces((9, 9), np.zeros((len(mesh), 4)), np.ones(len(mesh)), mesh=mesh)


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((0.09, 0.3, 0.02), (0, 1, 0)),
        ((0.195, 0.09, 0.185), (0.5, 0, 0.5)),
        ((0.0, 0.9, 0.9), (0, 1, 1)),
    ],
)
def test_openness_is_linear_between_closed_and_open(tmp_path, ratios, expected):
    done = stage(tmp_path)([PIXEL], [faces_with(mesh_of(*ratios))])[0]
    np.testing.assert_allclose([*done.eyes_open[0], done.mouth_open[0]], expected, atol=1e-6)


def test_size_place_and_turn_do_not_matter(rng):
    from scipy.spatial.transform import Rotation

    mesh = mesh_of(0.2, 0.15, 0.1)
    moved = mesh @ Rotation.from_euler("xyz", [20, -50, 130], degrees=True).as_matrix() * 3 + [5, -400, 2]
    for slit in (FACTS.left, FACTS.right, FACTS.mouth):
        np.testing.assert_allclose(openness(moved, slit), openness(mesh, slit), atol=1e-9)


def test_no_face_no_picture_and_a_mesh_without_extent(tmp_path):
    made = stage(tmp_path)
    assert made([], []) == []
    none = made([PIXEL], [faces_with(np.zeros((0, 478, 3)))])[0]
    assert (none.eyes_open.shape, none.mouth_open.shape) == ((0, 2), (0,))
    assert made([PIXEL], [faces_with(np.zeros((1, 478, 3)))])[0].eyes_open.tolist() == [[0, 0]]


def test_a_missing_mesh_is_named(tmp_path):
    with pytest.raises(InferenceError, match="mesh"):
        stage(tmp_path)([PIXEL], [Faces.empty((1, 1))])


@pytest.mark.parametrize("facts", [{"lower": [1, 2]}, {"open": 0.05}, {"across": [1, 478]}, {"upper": []}])
def test_facts_that_do_not_fit_are_refused(tmp_path, facts):
    with pytest.raises(ManifestInvalid, match="written"):
        stage(tmp_path, left=KNOWN["left"] | facts)


def test_slits_do_not_share_points():
    used = [row for slit in (FACTS.left, FACTS.right) for row in (*slit.upper, *slit.lower, *slit.across)]
    assert len(set(used)) == len(used)
    assert isinstance(FACTS.mouth, Slit)


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    names = ("mediapipe-mesh", "openness")
    return real_stages(tmp_path_factory.mktemp("packs"), shared("models/open"), names)


@pytest.mark.parametrize("name", SEEN)
def test_photographs_are_judged_as_people_see_them(real, kit, shared, name):
    image = open_image(shared(f"data/faces_wild/{name}"))
    faces = real["mediapipe-mesh"]([image], [kit.detect(image).largest()])
    done = real["openness"]([image], faces)[0]
    for got, wanted in zip([*done.eyes_open[0], done.mouth_open[0]], SEEN[name], strict=True):
        assert wanted is None or (got > 0.2) == wanted
