from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.media.images import open_image
from mien.models.mask_ssd import Grid, MaskSsd, decode, make_anchors, match, shares_of_chip
from mien.packs.manifest import Input
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings

GRIDS = [{"cells": 2, "sizes": [0.5], "ratios": [1]}]
SPREAD = (0.1, 0.1, 0.2, 0.2)


@pytest.fixture
def toy(tmp_path):
    """A pack whose network leaves all anchors where they are; their scores are the mean red and green."""

    def make(**changed):
        nodes = [
            helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("Slice", ["flat", "first", "last", "axis"], ["two"]),
            helper.make_node("Unsqueeze", ["two", "axis"], ["row"]),
            helper.make_node("Mul", ["row", "ones"], ["classes"]),
            helper.make_node("Mul", ["classes", "nought"], ["still"]),
            helper.make_node("Concat", ["still", "still"], ["boxes"], axis=2),
        ]
        weights = {
            "first": np.array([0]),
            "last": np.array([2]),
            "axis": np.array([1]),
            "ones": np.ones((1, 4, 1), np.float32),
            "nought": np.zeros((), np.float32),
        }
        given = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 16, 16])
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4, sides])
            for name, sides in (("boxes", 4), ("classes", 2))
        ]
        held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
        graph = helper.make_graph(nodes, "toy", [given], outputs, held)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "toy.onnx")
        facts = {
            "file": "toy.onnx",
            "cut": {"by": "box", "scale": 2.0},
            "boxes": "boxes",
            "classes": "classes",
        }
        facts |= {"masked": 0, "bare": 1, "grids": GRIDS, "variances": SPREAD, "overlap": 0.1, "doubt": 0.05}
        spec = Input("rgb", (0, 0, 0), 0.01, (16, 16))
        manifest = SimpleNamespace(name="toy", family="mask-ssd", facts=facts | changed, input=spec)
        pack = SimpleNamespace(name="toy", manifest=manifest, file=lambda name: tmp_path / name)
        return MaskSsd(pack, Runtime("cpu", 1), Settings())

    return make


def plain(colour):
    return Image.from_rgb(np.full((80, 80, 3), colour, np.uint8))


def noise(rng, width, height):
    return Image.from_rgb(rng.integers(0, 255, (height, width, 3), dtype=np.uint8))


def one_face():
    return Faces((80, 80), [[30, 30, 50, 50]], [0.9])


def test_anchors_are_counted_cell_by_cell():
    anchors = make_anchors([Grid(2, (0.2, 0.4), (1.0, 0.25)), Grid(1, (0.8,), (1.0,))])
    at = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
    wanted = [(x, y, *sides) for x, y in at for sides in ((0.2, 0.2), (0.4, 0.4), (0.1, 0.4))]
    assert anchors == pytest.approx(np.array([*wanted, (0.5, 0.5, 0.8, 0.8)]))


def test_offsets_move_and_stretch_anchors():
    anchors = np.array([[0.5, 0.4, 0.2, 0.1]])
    offsets = np.array([[[1.0, -2.0, np.log(2) / 0.2, 0.0]]], np.float32)
    # The centre moves by 0.1 * 1 * 0.2 and by 0.1 * -2 * 0.1; the width doubles.
    wanted = [0.52 - 0.2, 0.38 - 0.05, 0.52 + 0.2, 0.38 + 0.05]
    assert decode(offsets, anchors, SPREAD)[0, 0] == pytest.approx(wanted, abs=1e-6)


def test_wild_offsets_stay_numbers():
    assert np.isfinite(decode(np.full((1, 1, 4), 1e30, np.float32), np.ones((1, 4)), SPREAD)).all()


def test_the_surest_of_the_anchors_on_the_face_decides():
    scores = np.array([[0.9, 0.0], [0.1, 0.6], [0.5, 0.2]])
    assert list(match(scores, np.array([0.1, 0.6, 0.7]), 0.5)) == [0.1, 0.6]
    assert list(match(scores, np.zeros(3), 0.5)) == [0, 0]


def test_the_box_lies_in_the_middle_of_its_chip():
    faces = Faces((40, 40), [[10, 10, 30, 30]], [0.9])
    # A chip of 16 pixels that shows 0..40.
    matrix = np.array([[[0.4, 0, -0.3], [0, 0.4, -0.3]]])
    assert shares_of_chip([faces], matrix, (16, 16)) == pytest.approx(np.array([[0.25, 0.25, 0.75, 0.75]]))


def test_mask_is_the_share_of_the_two_scores(toy):
    found = toy()([plain((60, 20, 0)), plain((0, 0, 0))], [one_face()] * 2)
    assert found[0].mask == pytest.approx([(0.6 + 0.05) / (0.8 + 0.1)], abs=1e-6)
    assert found[1].mask == pytest.approx([0.5])  # not seen at all


def test_anchors_beside_the_face_do_not_count(toy):
    found = toy(overlap=0.99)([plain((60, 20, 0))], [one_face()])[0]
    assert found.mask == pytest.approx([0.5])


def test_batch_is_as_single_and_pictures_without_faces_stay_empty(toy, rng):
    images = [
        Image.from_rgb(rng.integers(0, 255, (h, w, 3), dtype=np.uint8)) for h, w in ((30, 50), (1, 1), (9, 9))
    ]
    boxes = [[[-5, -5, 12, 20], [4, 4, 60, 28]], [[0, 0, 1, 1]], []]
    faces = [
        Faces(image.size_wh, np.array(box, np.float32).reshape(-1, 4), np.ones(len(box)))
        for image, box in zip(images, boxes, strict=True)
    ]
    stage = toy()
    together = stage(images, faces)
    assert [len(found.mask) for found in together] == [2, 1, 0]
    for image, one, found in zip(images, faces, together, strict=True):
        assert stage([image], [one])[0].mask == pytest.approx(found.mask, abs=1e-3)
    assert stage([], []) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"grids": []},
        {"grids": [{"cells": 3, "sizes": [0.5], "ratios": [1]}]},
        {"masked": 2},
        {"boxes": "classes"},
        {"classes": "unsaid"},
        {"doubt": 0},
        {"overlap": 2},
        {"variances": [0.1, 0.1]},
    ],
)
def test_facts_that_cannot_be_are_refused(toy, facts):
    with pytest.raises(ManifestInvalid, match="toy"):
        toy(**facts)


# What follows runs the real pack.


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    store = PackStore(tmp_path_factory.mktemp("mask") / "packs", f"file:{shared('models/open')}")
    return MaskSsd(store.install("aizoo-mask"), Runtime("cpu", 1), Settings())


# Boxes by YuNet.
MASKED = {
    "crop_mask.png": [84, 24, 403, 424],
    "mask.png": [50, 154, 503, 657],
    "mask2.jpg": [369, 264, 711, 662],
}


def level_points(box):
    """Where eyes, nose and mouth of an upright face lie in its box."""
    x1, y1, x2, y2 = box
    places = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return places * (x2 - x1, y2 - y1) + (x1, y1)


def test_masked_faces(real, shared):
    images = [open_image(shared("data/faces_wild/varied") / name) for name in MASKED]
    faces = [
        Faces(image.size_wh, [box], [1.0], [level_points(box)])
        for image, box in zip(images, MASKED.values(), strict=True)
    ]
    assert min(float(found.mask[0]) for found in real(images, faces)) > 0.6


def test_bare_faces(real, kit, shared):
    names = (
        "obama_biden/two_people.jpg",
        "people/group-2.jpg",
        "varied/happy.png",
        "expressions_and_odd/multi_face.jpg",
    )
    images = [open_image(shared("data/faces_wild") / name) for name in names]
    found = real(images, kit.stage("mtcnn")(images, [None] * len(images)))
    masks = np.concatenate([one.mask for one in found])
    assert len(masks) >= 9
    assert masks.max() < 0.2
