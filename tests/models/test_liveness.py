from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.media.images import open_image
from mien.models.crops import Cut, transforms
from mien.models.liveness import Liveness, sample
from mien.packs.manifest import Input
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings

SHIFT_ONE = np.array([[1, 0, -1], [0, 1, -2]], np.float64)


@pytest.fixture
def toy(tmp_path):
    """A pack of networks whose three logits are the mean red, green and blue of a chip, times a number."""

    def make(factors, **facts):
        networks = []
        for i, factor in enumerate(factors):
            nodes = [
                helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
                helper.make_node("Flatten", ["mean"], ["flat"]),
                helper.make_node("Mul", ["flat", "factor"], ["score"]),
            ]
            given = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 8, 8])
            score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n", 3])
            weight = numpy_helper.from_array(np.array(factor, np.float32), "factor")
            graph = helper.make_graph(nodes, "toy", [given], [score], [weight])
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
            onnx.save(model, tmp_path / f"{i}.onnx")
            network = {
                "file": f"{i}.onnx",
                "output": "score",
                "live": 1,
                "cut": {"by": "box", "square": False},
            }
            networks.append(network | facts)
        spec = Input("rgb", (0, 0, 0), 1.0, (8, 8))
        manifest = SimpleNamespace(name="toy", family="liveness", facts={"networks": networks}, input=spec)
        pack = SimpleNamespace(name="toy", manifest=manifest, file=lambda name: tmp_path / name)
        return Liveness(pack, Runtime("cpu", 1), Settings())

    return make


def plain(colour):
    return Image.from_rgb(np.full((20, 20, 3), colour, np.uint8))


def noise(rng, width, height):
    return Image.from_rgb(rng.integers(0, 255, (height, width, 3), dtype=np.uint8))


def one_face():
    return Faces((20, 20), [[4, 4, 16, 16]], [0.9])


def test_score_is_the_mean_of_the_networks(toy):
    first = np.exp(2) / (np.exp(1) + np.exp(2) + np.exp(0))
    second = np.exp(-4) / (np.exp(-2) + np.exp(-4) + np.exp(0))
    found = toy([0.1, -0.2])([plain((10, 20, 0))], [one_face()])[0]
    assert found.live == pytest.approx([(first + second) / 2], abs=1e-6)


def test_batch_is_as_single_and_pictures_without_faces_stay_empty(toy, rng):
    images = [
        Image.from_rgb(rng.integers(0, 255, (h, w, 3), dtype=np.uint8)) for h, w in ((30, 50), (1, 1), (9, 9))
    ]
    boxes = [[[-5, -5, 12, 20], [4, 4, 60, 28]], [[0, 0, 1, 1]], []]
    faces = [
        Faces(image.size_wh, np.array(box, np.float32).reshape(-1, 4), np.ones(len(box)))
        for image, box in zip(images, boxes, strict=True)
    ]
    for inside in (False, True):
        stage = toy([0.01, 0.02], cut={"by": "box", "square": False, "inside": inside, "scale": 2.7})
        together = stage(images, faces)
        assert [len(found.live) for found in together] == [2, 1, 0]
        for image, one, found in zip(images, faces, together, strict=True):
            assert stage([image], [one])[0].live == pytest.approx(found.live, abs=1e-3)
    assert stage([], []) == []


@pytest.mark.parametrize("facts", [{"live": 3}, {"output": "said"}, {"live": -1}, {"cut": {"by": "nose"}}])
def test_facts_that_cannot_be_are_refused(toy, facts):
    with pytest.raises(ManifestInvalid, match="toy"):
        toy([1.0], **facts)


def test_no_networks_are_refused(toy):
    with pytest.raises(ManifestInvalid, match="toy"):
        toy([])


def test_samples_lie_on_pixels_and_halfway_between_them(rng):
    rgb = rng.integers(0, 255, (6, 7, 3), dtype=np.uint8)
    assert (sample(rgb, SHIFT_ONE, (3, 2)) == rgb[2:4, 1:4]).all()
    between = sample(rgb, SHIFT_ONE - np.array([[0, 0, 0.5], [0, 0, 0]]), (3, 2)).astype(int)
    mean = (rgb[2:4, 1:4].astype(int) + rgb[2:4, 2:5]) / 2
    assert np.abs(between - mean).max() <= 0.5


def test_nothing_is_smoothed_when_a_chip_is_smaller(rng):
    rgb = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
    fifth = np.array([[0.2, 0, 0], [0, 0.2, 0]])
    assert (sample(rgb, fifth, (8, 8)) == rgb[::5, ::5]).all()


def test_outside_of_the_picture_is_black():
    rgb = np.full((2, 2, 3), 200, np.uint8)
    chip = sample(rgb, np.array([[1.0, 0, 1], [0, 1, 1]]), (4, 4))
    wanted = np.zeros((4, 4), int)
    wanted[1:3, 1:3] = 200
    assert (chip[..., 0] == wanted).all()


# What follows compares with the publisher's own way and runs the real packs.


def published_crop(cv2, rgb, box, scale):
    """The crop of Silent-Face-Anti-Spoofing, written from its description."""
    height, width = rgb.shape[:2]
    sides = box[2:] - box[:2]
    scale = min(scale, (height - 1) / sides[1], (width - 1) / sides[0])
    low = (box[:2] + box[2:]) / 2 - sides * scale / 2
    high = low + sides * scale
    low, high = low - np.minimum(low, 0), high - np.minimum(low, 0)
    over = np.maximum(high - np.array([width - 1, height - 1]), 0)
    left, top, right, bottom = (*(low - over).astype(int), *(high - over).astype(int))
    return cv2.resize(rgb[top : bottom + 1, left : right + 1], (80, 80))


@pytest.mark.parametrize("scale", [2.7, 4.0])
@pytest.mark.parametrize("box", [[60, 50, 110, 120], [2, 3, 80, 90], [150, 100, 199, 149]])
def test_chips_are_the_publishers(scale, box):
    cv2 = pytest.importorskip("cv2")
    y, x = np.mgrid[:150, :200]
    rgb = np.stack([x, y, (x + y) // 2], 2).astype(np.uint8)
    faces = Faces((200, 150), [box], [1.0])
    cut = Cut(by="box", scale=scale, square=False, inside=True)
    ours = sample(rgb, transforms(faces, cut, (80, 80))[0], (80, 80)).astype(int)
    # The publisher rounds crops to whole pixels, we do not.
    assert np.abs(ours - published_crop(cv2, rgb, np.array(box, float), scale)).max() <= 2


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    home = tmp_path_factory.mktemp("liveness")

    def make(name, folder):
        store = PackStore(home / "packs", f"file:{shared(f'models/{folder}')}")
        pack = store.install(name, accept_licence=folder == "research")
        return Liveness(pack, Runtime("cpu", 1), Settings())

    return make


@pytest.mark.parametrize(("name", "folder"), [("minifasnet", "open"), ("print-replay", "research")])
def test_the_publishers_samples(real, kit, shared, name, folder):
    images = [open_image(shared(f"data/liveness/image_{k}.jpg")) for k in ("T1", "F1", "F2")]
    faces = [found.largest() for found in kit.stage("mtcnn")(images, [None] * 3)]
    live, *fakes = (float(found.live[0]) for found in real(name, folder)(images, faces))
    assert live > 0.95
    assert max(fakes) < 0.4


def test_portraits_are_live_and_a_printed_one_is_not(real, kit, shared):
    folder = shared("data/faces_wild")
    names = ("obama_biden/obama.jpg", "obama_biden/biden.jpg", "varied/rot_0.jpg", "people/person-tasia.jpg")
    images = [open_image(folder / name) for name in (*names, "varied/rgb_fake.jpg")]
    faces = [found.largest() for found in kit.stage("mtcnn")(images, [None] * len(images))]
    *live, fake = (float(found.live[0]) for found in real("minifasnet", "open")(images, faces))
    assert min(live) > 0.9
    assert fake < 0.1
