"""What every pack must do, whatever it computes; those that are not of the starter need ../shared."""

import numpy as np
import pytest

from mien.core.columns import BY_NAME
from mien.core.faces import Faces
from mien.core.image import Image
from mien.media.images import find_images, open_image
from mien.packs.builtin import builtin_sets

SETS = builtin_sets().sets
PACKS = tuple(dict.fromkeys(name for members in SETS.values() for name in members))


@pytest.fixture(params=PACKS)
def name(request):
    return request.param


@pytest.fixture
def kit(name, request):
    return request.getfixturevalue("kit" if name in SETS["starter"] else "modern_kit")


@pytest.fixture
def stage(kit, name):
    return kit.stage(name)


@pytest.fixture(scope="module")
def pictures(photos):
    return [open_image(path) for path in find_images([photos])]


@pytest.fixture
def before(stage, kit):
    """Faces as they are when this stage's turn comes: everything it needs, and points."""

    def found(pictures):
        faces = [Faces.empty(picture.size_wh) for picture in pictures]
        if "box" not in stage.gives:
            faces = kit.stage("mtcnn")(pictures, faces)
            for column in sorted(stage.needs - {"box", "score", "points"}):
                faces = kit.stage(kit.manifest_for(column).name)(pictures, faces)
        return faces

    return found


def test_gives_what_its_manifest_says(stage, kit):
    assert stage.gives == frozenset(kit.packs.manifest(stage.name).gives)
    assert stage.gives | stage.needs <= BY_NAME.keys()


def test_gives_all_it_promises_in_the_frame_of_the_picture(stage, before, pictures):
    faces = before(pictures)
    seen = 0
    for picture, done in zip(pictures, stage(pictures, faces), strict=True):
        columns = done.columns()
        assert stage.gives <= columns.keys()
        assert done.size_wh == picture.size_wh
        width, height = picture.size_wh
        for name in (column for column in stage.gives if BY_NAME[column].unit == "px"):
            xy = (columns[name].reshape(-1, 2, 2) if name == "box" else columns[name])[..., :2]
            centre = xy.mean(1)
            assert ((centre >= 0) & (centre <= [width, height])).all(), name
        seen += len(done)
    assert seen >= 6


def test_leaves_other_columns_alone(stage, before, pictures):
    faces = before(pictures)
    for given, done in zip(faces, stage(pictures, faces), strict=True):
        for name, value in given.columns().items():
            if "box" not in stage.gives:
                np.testing.assert_array_equal(done.columns()[name], value)


def test_a_batch_of_mixed_sizes_equals_single_pictures(stage, before, pictures):
    faces = before(pictures)
    together = stage(pictures, faces)
    for picture, given, done in zip(pictures, faces, together, strict=True):
        alone = stage([picture], [given])[0]
        for name in stage.gives:
            np.testing.assert_allclose(alone.columns()[name], done.columns()[name], atol=2e-3, rtol=1e-4)


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 300), (300, 1), (30, 30)])
def test_no_face_gives_empty_columns(stage, size_wh):
    width, height = size_wh
    empty = Faces.empty(size_wh)
    for name in stage.needs - {"box", "score"}:
        empty = empty.with_(**{name: np.zeros((0, *BY_NAME[name].shape))})
    done = stage([Image(np.zeros((height, width, 3), np.uint8))], [empty])[0]
    assert len(done) == 0
    for name in stage.gives:
        assert len(done.columns()[name]) == 0


def test_no_pictures(stage):
    assert stage([], []) == []


def test_says_the_same_twice(stage, before, pictures):
    faces = before(pictures[:3])
    first, second = (stage(pictures[:3], faces) for _ in range(2))
    for one, two in zip(first, second, strict=True):
        for name in stage.gives:
            np.testing.assert_array_equal(one.columns()[name], two.columns()[name])
