from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.media.images import open_image
from mien.models.attributes import Attributes, Frontal, Ranks, softmax, turn_deg
from mien.packs.manifest import Input
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings

FILE = "toy.onnx"
FRONTAL = {"trusted": 30, "blind": 45, "nose": 0.5}
EXPRESSIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def number(**facts):
    return {"kind": "number", "column": "age", "output": "said", "part": [0, 1], "span": [0, 120]} | facts


def gender(**facts):
    head = {"kind": "classes", "column": "gender", "output": "said", "part": [0, 2], "logits": True}
    return head | {"labels": ["female", "male"]} | facts


@pytest.fixture
def toy(tmp_path):
    """A pack whose network says the mean of the red, green and blue of a chip, times a matrix."""

    def make(heads, matrix=None, cut=None):
        matrix = np.eye(3, dtype=np.float32) if matrix is None else np.array(matrix, np.float32)
        nodes = [
            helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("MatMul", ["flat", "matrix"], ["said"]),
        ]
        given = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 8, 8])
        said = helper.make_tensor_value_info("said", TensorProto.FLOAT, ["n", matrix.shape[1]])
        graph = helper.make_graph(nodes, "toy", [given], [said], [numpy_helper.from_array(matrix, "matrix")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / FILE)
        facts = {"file": FILE, "cut": cut or {"by": "box", "square": False}, "heads": heads}
        spec = Input("rgb", (0, 0, 0), 1.0, (8, 8))
        manifest = SimpleNamespace(name="toy", family="attributes", facts=facts, input=spec)
        pack = SimpleNamespace(name="toy", manifest=manifest, file=lambda name: tmp_path / name)
        return Attributes(pack, Runtime("cpu", 1), Settings())

    return make


def plain(colour, size_wh=(40, 40)):
    return Image.from_rgb(np.full((size_wh[1], size_wh[0], 3), colour, np.uint8))


def one_face(points=None, size_wh=(40, 40)):
    given = None if points is None else np.array([points], np.float32)
    return Faces(size_wh, [[8, 8, 32, 32]], [0.9], points=given)


def seen_from(angle, nose=0.5, roll=0.0):
    """Five points of a head with eyes 10 apart, turned, as they are seen from far away."""
    turn = np.radians(angle)
    eyes = 5 * np.cos(turn)
    points = np.array([[-eyes, 0], [eyes, 0], [10 * nose * np.sin(turn), 6], [-4, 12], [4, 12]])
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return points @ np.array([[cos, sin], [-sin, cos]]) + 20


def test_numbers_are_scaled_shifted_and_kept_in_range(toy):
    images = [plain((50, 0, 0)), plain((255, 0, 0)), plain((0, 0, 0))]
    found = toy([number(scale=0.5, offset=1, span=[2, 100])])(images, [one_face()] * 3)
    assert [float(faces.age[0]) for faces in found] == pytest.approx([26, 100, 2])


def test_classes_come_in_the_order_of_the_column(toy):
    matrix = np.diag([0.01, 0.03, 0.0])
    stage = toy([gender(labels=["male", "female"])], matrix)
    found = stage([plain((100, 100, 0))], [one_face()])[0]
    male, female = np.exp(1) / (np.exp(1) + np.exp(3)), np.exp(3) / (np.exp(1) + np.exp(3))
    assert found.gender[0] == pytest.approx([female, male], abs=1e-6)
    assert stage.gives == {"gender"}


def test_temperature_divides_logits_and_logarithms_of_probabilities(toy):
    wanted = softmax(np.array([[1.0, 3.0]]) / 2)
    logits = toy([gender(temperature=2)], np.diag([0.01, 0.03, 0]))
    assert logits([plain((100, 100, 0))], [one_face()])[0].gender == pytest.approx(wanted, abs=1e-6)
    chance = softmax(np.array([[1.0, 3.0]]))[0]
    probabilities = toy([gender(temperature=2, logits=False)], np.diag([*chance / 100, 0]))
    assert probabilities([plain((100, 100, 0))], [one_face()])[0].gender == pytest.approx(wanted, abs=1e-6)


def test_a_probability_of_zero_stays_a_number(toy):
    found = toy([gender(logits=False)])([plain((0, 1, 0))], [one_face()])[0]
    assert found.gender[0] == pytest.approx([0, 1], abs=1e-6)


def test_ranks_count_the_steps_behind():
    head = Ranks(column="age", output="said", span=(0, 100))
    sure = np.array([[-90, 90], [-90, 90], [90, -90]])
    assert head.read(sure.reshape(1, -1)) == pytest.approx([2])
    assert head.read(np.zeros((1, 8))) == pytest.approx([2])  # four times undecided
    assert not head.fits(3)


def test_one_network_feeds_several_heads(toy):
    stage = toy([number(), gender(part=[1, 3])])
    found = stage([plain((30, 2, 2))], [one_face()])[0]
    assert found.age == pytest.approx([30])
    assert found.gender[0] == pytest.approx([0.5, 0.5])
    assert stage.gives == {"age", "gender"}


def test_batch_is_as_single_and_pictures_without_faces_stay_empty(toy, rng):
    images = [
        Image.from_rgb(rng.integers(0, 255, (h, w, 3), dtype=np.uint8))
        for h, w in ((30, 50), (1, 1), (64, 9))
    ]
    boxes = [[[-5, -5, 12, 20], [4, 4, 60, 28]], [[0, 0, 1, 1]], []]
    faces = [
        Faces(image.size_wh, np.array(box, np.float32).reshape(-1, 4), np.ones(len(box)))
        for image, box in zip(images, boxes, strict=True)
    ]
    stage = toy([number(), gender(part=[1, 3], temperature=50)])
    together = stage(images, faces)
    assert [len(found.age) for found in together] == [2, 1, 0]
    for image, one, found in zip(images, faces, together, strict=True):
        alone = stage([image], [one])[0]
        assert alone.age == pytest.approx(found.age, abs=1e-3)
        assert alone.gender == pytest.approx(found.gender, abs=1e-3)
    assert stage([], []) == []


@pytest.mark.parametrize("angle", [-80, -45, -20, 0, 10, 33, 70])
@pytest.mark.parametrize("roll", [0, 25, -90])
def test_turn_is_that_of_the_head(angle, roll):
    assert turn_deg(seen_from(angle, roll=roll)[None], 0.5) == pytest.approx([angle], abs=1e-6)


def test_eyes_that_cover_each_other_are_a_profile():
    points = np.array([[[5, 5], [5, 5], [9, 8], [5, 11], [6, 11]]], np.float32)
    assert turn_deg(points, 0.5) == pytest.approx([90])


@pytest.mark.parametrize(("angle", "doubt"), [(0, 0), (-29, 0), (37.5, 0.5), (-45, 1), (80, 1)])
def test_turned_heads_are_believed_less(angle, doubt):
    given = np.array([[0.7, 0.2, 0.1]])
    wanted = (1 - doubt) * given + doubt / 3
    tempered = Frontal(**FRONTAL).temper(given, seen_from(angle)[None])
    assert tempered == pytest.approx(wanted, abs=1e-6)


def test_only_faces_with_points_are_doubted(toy):
    stage = toy([gender(labels=["female", "male"], frontal=FRONTAL)])
    turned, straight = one_face(seen_from(60)), one_face()
    doubted, believed = stage([plain((0, 9, 0))] * 2, [turned, straight])
    assert doubted.gender[0] == pytest.approx([0.5, 0.5])
    assert doubted[0].label("gender") == "uncertain"
    assert believed[0].label("gender") == "male"


@pytest.mark.parametrize(
    "heads",
    [
        [],
        [number(kind="guess")],
        [number(column="charm")],
        [number(column="gender")],
        [number(span=[0])],
        [gender(labels=["female", "neutral"])],
        [gender(column="age")],
        [gender(temperature=0)],
        [gender(frontal=FRONTAL | {"blind": 20})],
        [number(output="unsaid")],
        [number(part=[0, 2])],
        [number(part=[3, 4])],
        [gender(part=[0, 3])],
        [number(kind="ranks", part=[0, 3])],
    ],
)
def test_facts_that_cannot_be_are_refused(toy, heads):
    with pytest.raises(ManifestInvalid, match="toy"):
        toy(heads)


# What follows runs the real packs.


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    """Makes the stage of a real pack."""
    home = tmp_path_factory.mktemp("attributes")

    def make(name, folder="open"):
        store = PackStore(home / "packs", f"file:{shared(f'models/{folder}')}")
        pack = store.install(name, accept_licence=folder == "research")
        return Attributes(pack, Runtime("cpu", 1), Settings())

    return make


def whole(image):
    return Faces(image.size_wh, [[0, 0, *image.size_wh]], [1.0])


def every(folder: Path, step, pattern="*.jpg"):
    return [open_image(path) for path in sorted(folder.glob(pattern))[::step]]


@pytest.mark.parametrize("name", ["mini-xception", "face-api-expression"])
def test_expressions_of_fer2013(real, shared, name):
    """59 % and 58 % of all that are not augmented are right, and their certainty is what it should be."""
    stage, right, sure = real(name), [], []
    for k, label in enumerate(EXPRESSIONS):
        images = every(shared("data/fer2013_private_test") / label, 6, "PrivateTest_" + "[0-9]" * 8 + ".jpg")
        chance = np.concatenate(
            [found.expression for found in stage(images, [whole(image) for image in images])]
        )
        assert chance.sum(1) == pytest.approx(1, abs=1e-5)
        right.extend(chance.argmax(1) == k)
        sure.extend(chance.max(1))
    assert len(right) > 250
    assert np.mean(right) > 0.5
    assert np.mean(sure) == pytest.approx(np.mean(right), abs=0.08)


@pytest.mark.parametrize(
    ("name", "accuracy", "error"), [("retail0013", 0.92, 13), ("face-api-age-gender", 0.94, 8)]
)
def test_age_and_gender_of_utkface(real, shared, name, accuracy, error):
    images = every(shared("data/utkface"), 13)
    truth = np.array([Path(image.source).name.split("_")[:2] for image in images], float)
    found = real(name)(images, [whole(image) for image in images])
    age, chance = (np.concatenate([getattr(one, column) for one in found]) for column in ("age", "gender"))
    assert (chance.argmax(1) == 1 - truth[:, 1]).mean() > accuracy
    assert np.abs(age - truth[:, 0]).mean() < error


@pytest.fixture
def detected(kit, shared):
    """Photographs of ../shared with the faces that the starter's detector finds."""

    def find(*names):
        images = [open_image(shared("data/faces_wild") / name) for name in names]
        return images, [found.largest() for found in kit.stage("mtcnn")(images, [None] * len(images))]

    return find


def test_genderage_of_photographs(real, detected):
    images, faces = detected("obama_biden/obama.jpg", "obama_biden/biden.jpg")
    found = real("genderage", "research")(images, faces)
    assert all(one[0].label("gender") == "male" for one in found)
    obama, biden = (float(one.age[0]) for one in found)
    assert 30 < obama < biden < 80


def test_expressions_of_photographs(real, detected):
    images, faces = detected("varied/happy.png", "varied/sad.png", "varied/right_face.png")
    happy, sad, aside = real("mini-xception")(images, faces)
    assert happy[0].label("expression") == "happy"
    assert sad.expression[0].argmax() in (EXPRESSIONS.index("sad"), EXPRESSIONS.index("angry"))
    assert aside[0].label("expression") == "uncertain"
